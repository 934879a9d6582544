"""Corpora: which utterances a run is about, each with a digest of its samples.

>>> import synbench.corpora
>>> "folder" in synbench.corpora.names()
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synbench.corpora._model import Corpus, Entry, Item, Listing, Progress, corpus_digest

if TYPE_CHECKING:
    from synbench.corpora._registry import describe, load, mark_of, names

__all__ = [
    "Corpus",
    "Entry",
    "Item",
    "Listing",
    "Progress",
    "corpus_digest",
    "describe",
    "load",
    "mark_of",
    "names",
]


def __getattr__(name: str) -> Any:
    # Listing a folder needs neither the registry nor the cache behind it.
    if name not in ("describe", "load", "mark_of", "names"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from synbench.corpora import _registry

    value = getattr(_registry, name)
    globals()[name] = value
    return value
