"""Files that are complete under their name, or not there."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

__all__ = ["one_line", "printable", "sweep", "write_bytes"]


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write under a temporary name, flush to the disk, then rename.

    Raises:
        OSError: the disk is full or read-only; it names ``path``, and nothing is left behind.
    """
    temporary = path.with_name(f".{os.getpid()}.{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


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
    for temporary in folder.rglob(".*.tmp"):
        temporary.unlink(missing_ok=True)
