"""Taking an official archive apart without trusting it."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from synbench.errors import UsageError

__all__ = ["extract", "top_folder"]

_BROKEN_ARCHIVE_ERRORS = (tarfile.TarError, EOFError, zlib.error, OSError)


def top_folder(archive: Path) -> str:
    """The folder that holds everything in a tar archive; empty when it is no such archive."""
    try:
        with tarfile.open(archive) as tar:
            first = tar.next()
    except _BROKEN_ARCHIVE_ERRORS:
        return ""
    return PurePosixPath(first.name).parts[0] if first and PurePosixPath(first.name).parts else ""


def extract(archive: Path, *, below: str, to: Path) -> None:
    """Write the files below a folder of the archive into ``to``; other members are left out.

    Raises:
        UsageError: a broken archive, or a member that is a link, a device or points outside.
    """
    try:
        # One pass in stream mode: seeking in a compressed archive reads it again and again.
        with tarfile.open(archive, mode="r|*") as tar:
            for member in tar:
                name = _inside(archive, member)
                if member.isreg() and name.is_relative_to(below):
                    _write(tar, member, to / name.relative_to(below))
    except _BROKEN_ARCHIVE_ERRORS as error:
        raise UsageError(f"cannot read {archive}: {error}; fetch it again") from error


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    if source is not None:
        with source, path.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)


def _inside(archive: Path, member: tarfile.TarInfo) -> PurePosixPath:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or not (member.isreg() or member.isdir()):
        raise UsageError(
            f"refused {archive}: expected plain files inside it, got {member.name!r}; "
            f"this is not the official archive, fetch it again"
        )
    return name
