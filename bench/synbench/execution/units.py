"""Units of work: what a worker is told, in plain data that any executor can send."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from synbench.conditions.against import Against
from synbench_codecs import published_spec
from synbench_metrics import base_language

LONGEST_NAME_BYTES = 200

# Part of the names of files; raised where an older version's files are not to be taken for ours.
FILES_VERSION = 2

__all__ = [
    "CellWork",
    "CodecPoint",
    "DecodeUnit",
    "ItemWork",
    "MetricPoint",
    "ScoreUnit",
    "artefact",
    "input_artefact",
    "item_digest",
]


@dataclass(frozen=True, kw_only=True)
class ItemWork:
    """One item of a corpus, as a worker needs it.

    ``digest`` covers samples, target rate, transcript, language and condition; ``problem`` says why
    it is unusable. ``condition`` is the label of its condition and ``damage`` what
    :func:`synbench.conditions.applied.applied` reads; both are empty for the clean recording.
    ``sent`` is corpus and digest of the same item before the condition's channel, whose stream is
    the one that the channel damages; both are empty where there is no channel.
    """

    corpus: str
    item: str
    digest: str
    path: str
    seconds: float
    target_rate: int | None
    transcript: str
    problem: str
    condition: str = ""
    damage: str = ""
    sent: tuple[str, str] = ("", "")
    language: str = ""

    @property
    def before_channel(self) -> ItemWork:
        """The item as it is before its channel; itself where there is none."""
        corpus, digest = self.sent
        return replace(self, corpus=corpus, digest=digest, sent=("", "")) if digest else self


@dataclass(frozen=True, kw_only=True)
class CodecPoint:
    """One codec with its options: how to load it, and the id under which its results are kept."""

    spec: str
    codec_id: str


@dataclass(frozen=True, kw_only=True)
class MetricPoint:
    """One metric: its column, the id under which its scores are kept, and what they are against."""

    column: str
    metric_id: str
    against: Against = "clean"


@dataclass(frozen=True, kw_only=True)
class DecodeUnit:
    """Code and decode some items with one codec; ``attempt`` counts the tries before this one.

    ``earlier`` are the attempts of earlier starts by (corpus, item), where there were any;
    ``cell_seconds`` is how long one item may take, 0 for the usual time.
    """

    run: str
    policy_id: str
    codec: CodecPoint
    items: tuple[ItemWork, ...]
    attempt: int
    earlier: Mapping[tuple[str, str], int] = field(default_factory=dict)
    cell_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class CellWork:
    """The scores wanted of one reconstruction.

    ``undecoded`` is why there is no reconstruction, empty when there is one. ``earlier`` are the
    attempts of earlier starts by metric id, where there were any.
    """

    codec: CodecPoint
    metrics: tuple[MetricPoint, ...]
    undecoded: str = ""
    transient: bool = False
    earlier: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ScoreUnit:
    """Score some items: all wanted codecs and metrics of an item, so that it is read once."""

    run: str
    policy_id: str
    items: tuple[tuple[ItemWork, tuple[CellWork, ...]], ...]
    attempt: int
    cell_seconds: float = 0.0


def artefact(codec: CodecPoint, item: ItemWork, policy_id: str, suffix: str) -> PurePosixPath:
    """Where a bitstream or reconstruction lies below its folder.

    The digest in the name keeps a file of changed audio or policy from being taken for this one.
    A name longer than file systems take is cut, and then the digest tells it from others.
    """
    slug = re.sub(r"[^A-Za-z0-9.=-]+", "_", published_spec(codec.spec))[:60].strip("_")
    item_path = PurePosixPath(*map(_short, PurePosixPath(item.item).parts))
    # Only a name that was cut needs its id in the digest; all others keep their files of old runs.
    cut = "" if str(item_path) == item.item else f" {item.item}"
    made_from = f"{FILES_VERSION} {item.digest} {policy_id}{cut}"
    digest = hashlib.sha256(made_from.encode()).hexdigest()[:8]
    folder = PurePosixPath(f"{slug}-{codec.codec_id[:8]}") / _short(item.corpus) / item_path.parent
    return folder / f"{item_path.name}.{digest}{suffix}"


def input_artefact(item: ItemWork) -> PurePosixPath:
    """Where the damaged recording of an item under a condition lies below ``inputs``."""
    item = item.before_channel
    name = PurePosixPath(*map(_short, PurePosixPath(item.item).parts))
    return _short(item.corpus) / name.parent / f"{name.name}.{item.digest[:8]}.flac"


def item_digest(
    sha256: str,
    target_rate: int | None,
    transcript: str,
    *,
    condition: str = "",
    language: str = "",
) -> str:
    """What an item's results depend on, 16 hex digits.

    Args:
        sha256: of the samples.
        target_rate: Hz.
        condition: identity of what is done to the recording or its stream; empty for nothing.
        language: as the corpus writes it; English and none at all are the same.
    """
    spoken = "" if base_language(language) in ("", "en") else f"language {language}"
    parts = (f"{sha256} {target_rate} {transcript}", condition, spoken)
    made_from = " ".join(filter(None, parts))
    return hashlib.sha256(made_from.encode()).hexdigest()[:16]


def _short(part: str) -> str:
    """At most as many bytes as leave room for digest and suffix in a name of 255."""
    return part.encode()[:LONGEST_NAME_BYTES].decode(errors="ignore")
