"""Where speech may already lie: the folders named in ``SYNBENCH_DATA``, then the cache folder."""

from __future__ import annotations

import os
from pathlib import Path

from synbench.cache import cache_folder
from synbench.corpora._scan import existing_folder

__all__ = ["data_folders", "downloads_folder", "roots"]


def data_folders() -> list[Path]:
    """The folders in ``SYNBENCH_DATA``, separated as in ``PATH``.

    Raises:
        UsageError: one of them does not exist.
    """
    named = os.environ.get("SYNBENCH_DATA", "").split(os.pathsep)
    return [existing_folder(name, what="SYNBENCH_DATA") for name in named if name.strip()]


def downloads_folder() -> Path:
    """Where downloaded and made corpora are kept; it may not exist yet."""
    return cache_folder() / "corpora"


def roots(path: str, *, what: str) -> list[Path]:
    """Where to look for an official tree: ``path`` alone when given.

    Raises:
        UsageError: a named folder does not exist.
    """
    if path:
        return [existing_folder(path, what=what)]
    return [*data_folders(), downloads_folder()]
