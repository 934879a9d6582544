"""Whether a corpus is the one that it was, from what its folder says, before any file is read."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Sequence

from synbench.cache import Stamp, is_settled
from synbench.corpora._model import Entry, Listing

# All that an entry says beside its file.
TEXTS = tuple(field.name for field in dataclasses.fields(Entry) if field.name != "path")

__all__ = ["listing_mark"]


def listing_mark(
    listing: Listing, chosen: Sequence[Entry], stamps: Sequence[Stamp | None], *, spec: str
) -> str:
    """A digest of all that a corpus is made of, with stamps in place of samples.

    Where two are equal, so are the corpora; by stamps alone files are recognised everywhere here.
    It is empty where a file is absent or changed a moment ago, so that its stamp proves nothing.
    """
    now_ns = time.time_ns()
    known = [one for one in stamps if one is not None and is_settled(one, now_ns)]
    if len(known) < len(stamps):
        return ""
    texts = [[getattr(entry, name) for entry in chosen] for name in TEXTS]
    paths, *numbers = zip(*known, strict=True) if known else ((),)
    about = (spec, listing.name, listing.spec, listing.licence, listing.note, listing.target_rate)
    content = [about, len(listing.entries), texts, list(map(os.fsdecode, paths)), numbers]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
