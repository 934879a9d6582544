"""A folder of audio files, with a text beside each where there is one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from synbench.corpora._model import Entry, Listing, Progress
from synbench.corpora._scan import existing_folder, read_text, suffixes
from synbench.errors import UsageError
from synbench_base.folders import audio_files, file_id

__all__ = ["CORPORA", "folder"]


def folder(_: Progress | None = None, *, path: str, speaker: str = "") -> Listing:
    """Every audio file below a folder, in any mix of formats.

    The transcript is ``<stem>.normalized.txt`` or ``<stem>.txt`` beside the file. ``speaker`` is
    ``parent`` (the folder that holds the file) or a regular expression with one group, searched
    in the id.

    Raises:
        UsageError: no such folder, or a ``speaker`` that fits no file.
    """
    root = existing_folder(path, what=f"folder:path={path}")
    files = list(audio_files(root))
    ids = [file_id(file, below=root) for file in files]
    speakers = _speakers(ids, speaker)
    entries = tuple(
        Entry(id=key, path=file, speaker=who, transcript=text)
        for key, file, who, text in zip(ids, files, speakers, _transcripts(files), strict=True)
    )
    where = f"{root} holds no file that ends in {suffixes()}"
    return Listing(name=root.name, entries=entries, where=where)


def _transcripts(files: Iterable[Path]) -> Iterator[str]:
    """The text beside each file; a folder is listed once, for most files have none to open."""
    texts: dict[str, set[str]] = {}
    for file in files:
        folder, _, name = str(file).rpartition(os.sep)
        if folder not in texts:
            names = (entry.name.lower() for entry in os.scandir(folder))
            texts[folder] = {name for name in names if name.endswith(".txt")}
        if not texts[folder]:
            yield ""
            continue
        stem = name[: name.rindex(".")]
        there = [
            Path(folder, text)
            for text in (f"{stem}.normalized.txt", f"{stem}.txt")
            if text.lower() in texts[folder]
        ]
        yield next(filter(None, map(read_text, there)), "")


def _speakers(ids: list[str], rule: str) -> list[str]:
    if not rule:
        return [""] * len(ids)
    pattern = _pattern(r"([^/]+)/[^/]*$" if rule == "parent" else rule)
    matches = [pattern.search(key) for key in ids]
    speakers = [(match.group(1) or "") if match else "" for match in matches]
    if ids and not any(speakers):
        raise UsageError(f"speaker={rule} finds a speaker in none of the ids, such as {ids[0]!r}")
    return speakers


def _pattern(rule: str) -> re.Pattern[str]:
    expected = "expected 'parent' or a regular expression with one group, such as ^([^_]+)_"
    try:
        pattern = re.compile(rule)
    except re.error as error:
        raise UsageError(f"{expected}, got {rule!r}: {error}") from error
    if pattern.groups != 1:
        raise UsageError(f"{expected}, got {pattern.groups} groups in {rule!r}")
    return pattern


CORPORA = {"folder": folder}
