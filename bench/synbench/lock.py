"""One run per folder: a lock that the kernel drops when its holder dies, however it dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synbench.errors import EnvironmentFault, UsageError
from synbench.results.confined import inside

LOCK = ".lock"
SYSTEMS = "runs need Linux or macOS: under Windows use its Linux subsystem (wsl --install)"

__all__ = ["SYSTEMS", "only_run"]


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; one that it made and left empty goes with an error.

    Raises:
        UsageError: another process holds it, or the lock is a link to somewhere else.
        EnvironmentFault: the folder cannot be made or written, or the system has no such locks.
    """
    try:
        import fcntl
    except ImportError as error:
        raise EnvironmentFault(SYSTEMS) from error
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = inside(folder, LOCK).open("a+", encoding="ascii")
    except OSError as error:
        raise EnvironmentFault(
            f"cannot write to {folder}: {error.strerror}; choose another folder with --out"
        ) from error
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise UsageError(
                f"{folder} is in use by another run (process {holder}); "
                "wait for it, or give this one its own --out"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        except BaseException:
            if made and [path.name for path in folder.iterdir()] == [LOCK]:
                (folder / LOCK).unlink()
                folder.rmdir()
            raise
