"""Finding audio files, and the texts beside them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from synbench.errors import EnvironmentFault, UsageError
from synbench_base.files import printable

__all__ = ["audio_files", "existing_folder", "file_id", "read_text", "suffixes", "typed_path"]


def existing_folder(path: str | Path, *, what: str) -> Path:
    """The absolute folder; ``~`` is the home folder.

    Raises:
        UsageError: there is no such folder; ``what`` says who asked for it.
    """
    folder = typed_path(path).absolute()
    if ".." in folder.parts:
        folder = folder.resolve()  # the last part names the corpus
    if not folder.is_dir():
        found = "a file" if folder.is_file() else "nothing"
        raise UsageError(f"{what}: expected a folder, found {found} at {folder}")
    return folder


def typed_path(text: str | Path) -> Path:
    """A path as a person types it: ``~`` is the home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~somebody who does not exist
        return Path(text)


def suffixes() -> str:
    """The understood suffixes, for messages."""
    from synbench.audio import SUFFIXES

    return " ".join(sorted(SUFFIXES))


def audio_files(folder: Path) -> Iterator[Path]:
    """Every audio file below, in sorted order; hidden files and folders are left out.

    Links to folders are followed, each real folder once, so a loop of links ends.

    Raises:
        EnvironmentFault: a folder cannot be listed; leaving it out would alter the corpus.
    """
    from synbench.audio import SUFFIXES

    def refuse(error: OSError) -> None:
        raise EnvironmentFault(f"cannot list {error.filename}: {error.strerror}") from error

    seen: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            # macOS leaves files like ._speech.wav that hold no audio.
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(place, name)


def file_id(path: Path, *, below: Path) -> str:
    """Relative path without suffix; composed Unicode, since macOS hands out decomposed names."""
    name = path.relative_to(below).with_suffix("").as_posix()
    return unicodedata.normalize("NFC", printable(name))


def read_text(path: Path) -> str:
    """The text of a small file, or nothing where there is none."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace").strip()
    except OSError:
        return ""
