"""The user's cache folder: one rule for weights, downloads, made speech and measurements."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["cache_folder", "locked"]


def cache_folder() -> Path:
    """``$SYNBENCH_CACHE``, else ``$XDG_CACHE_HOME/synbench``, else ``~/.cache/synbench``.

    Where there is no home folder, no entry for the user number, or the folder can neither be found
    nor made there (a container), it is ``synbench-<user number>`` in the temporary folder. It may
    not exist yet.
    """
    named = os.environ.get("SYNBENCH_CACHE")
    if named:
        return _expanded(Path(named)).absolute()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG rules say that a relative path is to be ignored.
    if shared.is_absolute():
        return shared / "synbench"
    # RuntimeError: neither HOME nor an entry for the user number; OSError: a folder not to be seen.
    with contextlib.suppress(RuntimeError, OSError):
        folder = Path.home() / ".cache" / "synbench"
        if folder.is_dir() or _can_be_made(folder):
            return folder
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"synbench-{user}"


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _can_be_made(folder: Path) -> bool:
    """Whether the first of its parents that exists is ours to write to."""
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``path`` as a lock between processes, where the system has such locks."""
    try:
        import fcntl
    except ImportError:  # Windows: two processes may do the same work, the later rename wins
        yield
        return
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
