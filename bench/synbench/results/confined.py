"""The one way from a stored name to a file: below its folder and nowhere else, or refused.

A run folder may come from somebody else. Every name in its tables and its manifest is their text,
and so is every link that lies in it. Whoever opens, links or writes a file of a run asks here for
its path; nobody joins a stored name to a folder by hand.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from synbench.errors import UsageError

ODD_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\\]")
LONGEST_PART_BYTES = 255

__all__ = ["inside", "is_plain_name", "plain_name", "stored_file", "stored_files"]


def inside(folder: Path, name: str | PurePosixPath) -> Path:
    """The path of a relative name below a folder, whether or not there is such a file.

    ``folder`` itself may be reached by a link; below it no link leads out.

    Raises:
        UsageError: the name is absolute, holds ``..``, a backslash or a control character, or
            leads through a link to somewhere else.
    """
    text = str(name)
    parts = PurePosixPath(text).parts
    if not parts or text.startswith("/") or not all(map(_is_plain_part, parts)):
        raise UsageError(
            f"{folder} names the file {text!r}: expected a path below the folder, without '..', "
            "backslash or control characters; it was not opened"
        )
    path = folder.joinpath(*parts)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"{path} is a link, or lies in one, that leads out of {folder}: it was not "
            "opened; a run folder must hold its files itself (the whole folder may be a link)"
        )
    return path


def stored_file(folder: Path, name: str | PurePosixPath) -> Path | None:
    """The regular file of a stored name; nothing where there is none.

    Raises:
        UsageError: as :func:`inside`; or there is a pipe, a device or the like.
    """
    path = inside(folder, name)
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode):
        return path
    raise UsageError(f"{path} is no regular file: it was not opened")


def stored_files(folder: Path, names: Iterable[str]) -> dict[str, Path | None]:
    """As :func:`stored_file` for many names at once: each folder is looked into a single time.

    Raises:
        UsageError: as :func:`stored_file`, for any of the names.
    """
    parents: dict[str, dict[str, Path]] = {}
    paths: dict[str, Path | None] = {}
    for name in names:
        parent, _, last = name.rpartition("/")
        if parent not in parents:
            parents[parent] = _regular_files(inside(folder, parent) if parent else folder)
        # A link, a pipe and a name that is none go the long way.
        paths[name] = parents[parent].get(last) or stored_file(folder, name)
    return paths


def _regular_files(folder: Path) -> dict[str, Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
    except OSError:
        return {}
    return {name: folder / name for name in names if _is_plain_part(name)}


def is_plain_name(text: str) -> bool:
    """Whether a text can be the name of one file: no separator, control character or ``..``."""
    return "/" not in text and _is_plain_part(text)


def plain_name(text: str, *, what: str) -> str:
    """The text, which becomes the name of a file or a part of one.

    Raises:
        UsageError: it cannot; ``what`` says whose name it is.
    """
    if is_plain_name(text):
        return text
    raise UsageError(
        f"{what} {text!r} cannot be part of a file name: expected words without '/', backslash, "
        f"control characters, not '.' or '..', at most {LONGEST_PART_BYTES} bytes"
    )


def _is_plain_part(part: str) -> bool:
    encoded = part.encode(errors="surrogateescape")
    return (
        bool(part)
        and part not in (".", "..")
        and not ODD_CHARACTERS.search(part)
        and (len(encoded) <= LONGEST_PART_BYTES)
    )
