"""Files that are complete under their name, or not there."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["sweep", "write_bytes"]


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write under a temporary name, flush to the disk, then rename.

    Raises:
        OSError: the disk is full or read-only; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what a killed writer left half-written. Only for a folder that nobody writes to."""
    for temporary in folder.rglob(".*.tmp"):
        temporary.unlink(missing_ok=True)
