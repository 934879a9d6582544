"""A small part of a corpus that stays the same when other files come and go."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice, zip_longest

from synbench.corpora._model import Entry
from synbench.errors import UsageError

__all__ = ["subset"]


def subset(entries: Sequence[Entry], limit: int | None) -> list[Entry]:
    """At most ``limit`` entries, spread over the speakers, sorted by id.

    Round-robin over the speakers; items of a speaker, and the speakers themselves, in the order
    of the sha256 of their id. A larger limit only adds entries.

    Raises:
        UsageError: the limit is below 1.
    """
    if limit is None:
        return sorted(entries, key=lambda entry: entry.id)
    if limit < 1:
        raise UsageError(f"expected a limit of at least 1 item, got {limit}; leave it out for all")
    speakers: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: _scrambled(entry.id)):
        speakers[entry.speaker].append(entry)
    queues = [speakers[speaker] for speaker in sorted(speakers, key=_scrambled)]
    turns = (entry for turn in zip_longest(*queues) for entry in turn if entry is not None)
    return sorted(islice(turns, limit), key=lambda entry: entry.id)


def _scrambled(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()
