"""What a corpus is: items with digests, and a digest of the whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from pathlib import Path

Progress = Callable[[int, int], None]
"""Told how much is done and of how much: files when reading, bytes when downloading."""

__all__ = ["Corpus", "Entry", "Item", "Listing", "Progress", "corpus_digest"]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One utterance.

    Attributes:
        id: unique in its corpus, ``/``-separated, the same wherever the corpus lies.
        path: absolute path of the audio file.
        sha256: digest of rate, channels and samples; ``file:`` and the digest of the bytes when
            they are no audio; ``absent:`` and the id when there is no file.
        seconds: duration as recorded, 0 when unreadable.
        sample_rate: Hz as recorded, 0 when unreadable.
        channels: as recorded, 0 when unreadable.
        speaker: empty if unknown.
        transcript: empty if unknown.
        gender: of the speaker as the corpus states it, ``female`` or ``male``; empty if unknown.
        language: as the corpus states it, such as ``en``; empty if unknown.
        accent: of the speaker, in the words of the corpus; empty if unknown.
        problem: empty, or why the item cannot be used; such an item stays in its corpus and
            becomes a failed cell.
    """

    id: str
    path: Path
    sha256: str
    seconds: float
    sample_rate: int
    channels: int
    speaker: str = ""
    transcript: str = ""
    problem: str = ""
    gender: str = ""
    language: str = ""
    accent: str = ""


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Items, and what must be said wherever their scores appear.

    Attributes:
        name: label in tables.
        spec: what to type to load it again.
        items: sorted by id.
        digest: see :func:`corpus_digest`.
        licence: of the recordings, ``unknown`` where nobody said.
        note: empty, or what a reader of any score must know.
        target_rate: Hz that the bench resamples to when it reads an item; None as recorded.
        mark: by which it is known again before its files are read, see ``listing_mark``; empty
            where it cannot be.
    """

    name: str
    spec: str
    items: tuple[Item, ...]
    digest: str
    licence: str = "unknown"
    note: str = ""
    target_rate: int | None = None
    mark: str = field(default="", compare=False, repr=False)

    @property
    def sample_rates(self) -> Set[int]:
        """Rates that the bench will see, Hz, in rising order; unreadable items have none."""
        rates = {self.target_rate or item.sample_rate for item in self.items if item.sample_rate}
        return dict.fromkeys(sorted(rates)).keys()

    @property
    def seconds(self) -> float:
        """Total duration, seconds."""
        return sum(item.seconds for item in self.items)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An item before its file was read."""

    id: str
    path: Path
    speaker: str = ""
    transcript: str = ""
    gender: str = ""
    language: str = ""
    accent: str = ""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a corpus function returns: a corpus before any file was read.

    Attributes:
        name: label in tables.
        entries: in any order.
        where: place and kind of file that was looked for, for the message when there are none.
        spec: what to type to load it again, where it is not simply what was typed.
        licence, note, target_rate: as in :class:`Corpus`.
    """

    name: str
    entries: tuple[Entry, ...]
    where: str
    spec: str = ""
    licence: str = "unknown"
    note: str = ""
    target_rate: int | None = None


def corpus_digest(pairs: Iterable[tuple[str, str]], *, target_rate: int | None = None) -> str:
    """Sha256 over the sorted (id, sha256) of the items, and the target rate in Hz when set.

    Path, order and machine do not enter; neither do speakers and transcripts.
    """
    content: dict[str, object] = {"items": sorted(pairs)}
    if target_rate is not None:
        content["target_rate"] = target_rate
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
