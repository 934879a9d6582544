"""Corpora: which utterances a run is about, each with a digest of its samples.

>>> import synbench.corpora
>>> "folder" in synbench.corpora.names()
True
"""

from synbench.corpora._model import Corpus, Entry, Item, Listing, Progress, corpus_digest
from synbench.corpora._registry import describe, load, names

__all__ = [
    "Corpus",
    "Entry",
    "Item",
    "Listing",
    "Progress",
    "corpus_digest",
    "describe",
    "load",
    "names",
]
