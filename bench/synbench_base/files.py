"""Files that are complete under their name, or not there.

Every file is written beside its place as ``.synbench-<process>-<hex>.tmp``, flushed to the disk and
renamed. :func:`sweep` removes files of that name alone, never a temporary file of somebody else.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from synbench_base.errors import EnvironmentFault

TEMPORARY_NAME = re.compile(r"\.synbench-\d+-[0-9a-f]{16}\.tmp")
_unfinished: set[Path] = set()

__all__ = [
    "complete_file",
    "drop_unfinished",
    "one_line",
    "printable",
    "replacing",
    "sweep",
    "temporary_beside",
    "write_bytes",
    "write_parts",
]


def temporary_beside(path: Path) -> Path:
    """A name of our own in the folder of ``path``, different each time."""
    return path.with_name(f".synbench-{os.getpid()}-{secrets.token_hex(8)}.tmp")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name to write to, flushed and renamed to ``path`` at the end; no trace after an error.

    Raises:
        OSError: the disk is full or read-only.
    """
    temporary = temporary_beside(path)
    _unfinished.add(temporary)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        _unfinished.discard(temporary)


def drop_unfinished() -> None:
    """Remove what this process is writing, before it ends on the spot."""
    for temporary in list(_unfinished):
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write a whole file; folders that are absent are made.

    Raises:
        OSError: the disk is full or read-only; it names ``path``, and nothing is left behind.
    """
    write_parts(path, lambda: (data,))


def write_parts(path: Path, parts: Callable[[], Iterable[bytes | memoryview]]) -> None:
    """The same for a file that is too large to be held.

    Args:
        parts: gives them in their order; may be called twice.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with replacing(path) as temporary:
                _write(temporary, parts())
        except FileNotFoundError:
            # A run that starts sweeps the folder while a worker of a killed one still writes.
            with replacing(path) as temporary:
                _write(temporary, parts())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    with path.open("wb") as file:
        file.writelines(parts)


@contextlib.contextmanager
def complete_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file of any size to write to, which is at ``path`` when the block has ended.

    Raises:
        EnvironmentFault: the folder is absent or read-only, or the disk is full.
    """
    try:
        with replacing(path) as temporary, temporary.open("wb") as file:
            yield file
            file.flush()
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror}") from error


def printable(text: str | Path) -> str:
    """A path that can be stored and printed: bytes that are no UTF-8 are written as ``%FF``."""
    return re.sub("[\udc80-\udcff]", lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", str(text))


def one_line(text: str) -> str:
    """A foreign text on one line: control characters, which could steer a terminal, become spaces.

    They come from a program's messages and from streams, and would also break a row of a CSV.
    """
    return printable(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]+", " ", text).strip())


def sweep(folder: Path) -> None:
    """Remove what a killed writer left half-written. Only for a folder that nobody writes to."""
    # A run may hold a million files: pathlib would take seconds for them.
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".tmp") and TEMPORARY_NAME.fullmatch(name):
                Path(parent, name).unlink(missing_ok=True)
