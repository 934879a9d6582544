"""The one walk through folders, and the one rule by which files of two folders belong together.

walk        links to folders are followed, each real folder once, so that a loop of links ends; in
            sorted order; hidden files and folders and ``__MACOSX`` are left out (a Mac leaves
            ``._speech.wav`` beside files, which holds no audio)
lost        nothing vanishes: a folder that cannot be listed is refused, and a link to nowhere, a
            pipe or a device is handed out like any file, so that reading it says what is wrong
id          path below the folder, ``/``-separated, less one ending of audio (``clip.wav.flac`` is
            ``clip.wav``), in composed Unicode, since macOS hands out decomposed names
match       see :class:`AudioFiles`
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NoReturn

from synbench_base.errors import EnvironmentFault
from synbench_base.files import printable

SUFFIXES = frozenset({".aif", ".aiff", ".au", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav"})
_ENDINGS = tuple(SUFFIXES)

__all__ = [
    "SUFFIXES",
    "AudioFiles",
    "audio_files",
    "audio_names",
    "file_id",
    "file_ids",
    "is_hidden",
    "typed_path",
    "visible_files",
    "without_suffix",
]


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is left out."""
    return name.startswith(".") or name == "__MACOSX"


def typed_path(text: str | Path) -> Path:
    """A path as a person types it: ``~`` is the home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~somebody who does not exist, or a user without a home folder
        return Path(text)


def audio_files(folder: Path) -> Iterator[Path]:
    """Every audio file below a folder.

    Raises:
        EnvironmentFault: a folder cannot be listed; leaving it out would lose files.
    """
    for parent, names in audio_names(folder):
        for name in names:
            yield Path(parent, name)


def audio_names(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Likewise each folder's path and the names in it; a path costs as much as finding its file.

    Raises:
        EnvironmentFault: as :func:`audio_files`.
    """
    seen: set[tuple[int, int]] = set()
    for root, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        try:
            status = Path(root).stat()
        except OSError as error:
            _refuse(error)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        names = [name for name in files if name.lower().endswith(_ENDINGS) and not is_hidden(name)]
        if names:
            yield root, sorted(names)


def visible_files(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files of a folder itself, sorted, that end in one of ``suffixes`` and are not hidden.

    Raises:
        EnvironmentFault: the folder cannot be listed.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        _refuse(error)
    return [
        path
        for path in paths
        if path.suffix.lower() in suffixes and not is_hidden(path.name) and not path.is_dir()
    ]


def _refuse(error: OSError) -> NoReturn:
    raise EnvironmentFault(f"cannot list {error.filename}: {error.strerror}") from error


def without_suffix(path: PurePosixPath) -> PurePosixPath:
    """A path less one ending of audio; any other dot belongs to the name."""
    return path.with_suffix("") if path.suffix.lower() in SUFFIXES else path


def file_id(path: Path, *, below: Path) -> str:
    """The id of a file below a folder."""
    text, above = str(path), str(below)
    if os.sep != "/":
        text, above = path.as_posix(), below.as_posix()
    above = f"{above.rstrip('/')}/"
    # A relative path costs several times as much by way of pathlib, and a corpus has many files.
    inner = text[len(above) :] if text.startswith(above) else path.relative_to(below).as_posix()
    name = inner[: inner.rindex(".")] if inner.lower().endswith(_ENDINGS) else inner
    return name if name.isascii() else unicodedata.normalize("NFC", printable(name))


def file_ids(parent: str, names: Sequence[str], *, below: Path) -> list[str]:
    """The ids of the audio files of one folder, as :func:`file_id` has them."""
    start = file_id(Path(parent, "-"), below=below)[:-1]
    stems = [name[: name.rindex(".")] for name in names]
    return [
        start + (stem if stem.isascii() else unicodedata.normalize("NFC", printable(stem)))
        for stem in stems
    ]


class AudioFiles:
    """The audio files below a folder, to be found by the id of an item.

    A file belongs to an item when its own id is the item's; or, failing that, when the ends of both
    agree as far as the shorter of them goes (``speaker/clip`` and ``dev/speaker/clip``); or,
    failing that, when the file names alone agree. Where none of these finds a file, and the item's
    id itself ends like an audio file, its ending is left out and the steps are tried once more.

    Attributes:
        folder: where they lie.
        ids: path to id, in sorted order.

    Raises:
        EnvironmentFault: a folder cannot be listed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ids = {path: file_id(path, below=folder) for path in audio_files(folder)}
        self._by_name: dict[str, list[tuple[Path, tuple[str, ...]]]] = {}
        for path, key in self.ids.items():
            parts = PurePosixPath(key).parts
            self._by_name.setdefault(parts[-1], []).append((path, parts))

    def matching(self, item_id: str) -> list[Path]:
        """All files that fit an item equally well, at the first step that finds any."""
        wanted = PurePosixPath(unicodedata.normalize("NFC", item_id))
        return self._matching(wanted.parts) or self._matching(without_suffix(wanted).parts)

    def _matching(self, wanted: tuple[str, ...]) -> list[Path]:
        candidates = self._by_name.get(wanted[-1], []) if wanted else []
        whole = [path for path, parts in candidates if parts == wanted]
        ends = [path for path, parts in candidates if _same_end(parts, wanted)]
        return whole or ends or [path for path, _ in candidates]


def _same_end(path: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    shorter = min(len(path), len(wanted))
    return shorter > 1 and path[-shorter:] == wanted[-shorter:]
