"""A folder of audio files, with a text beside each where there is one."""

from __future__ import annotations

import os
import re
from pathlib import Path

from synbench.corpora._model import Entry, Listing, Progress
from synbench.corpora._scan import existing_folder, read_text, suffixes
from synbench.errors import UsageError
from synbench_base.folders import audio_names, file_ids

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
    files: list[Path] = []
    ids: list[str] = []
    texts: list[str] = []
    for parent, names in audio_names(root):
        files += [Path(parent + os.sep + name) for name in names]
        ids += file_ids(parent, names, below=root)
        texts += _transcripts(parent, names)
    entries = tuple(
        Entry(id=key, path=file, speaker=who, transcript=text)
        for key, file, who, text in zip(ids, files, _speakers(ids, speaker), texts, strict=True)
    )
    where = f"{root} holds no file that ends in {suffixes()}"
    return Listing(name=root.name, entries=entries, where=where)


def _transcripts(folder: str, names: list[str]) -> list[str]:
    """The text beside each file; the folder is listed once, for most files have none to open."""
    with os.scandir(folder) as entries:
        lower = (entry.name.lower() for entry in entries)
        texts = {name for name in lower if name.endswith(".txt")}
    return [_transcript(folder, name, texts) for name in names] if texts else [""] * len(names)


def _transcript(folder: str, name: str, texts: set[str]) -> str:
    stem = name[: name.rindex(".")]
    there = [
        Path(folder, text)
        for text in (f"{stem}.normalized.txt", f"{stem}.txt")
        if text.lower() in texts
    ]
    return next(filter(None, map(read_text, there)), "")


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
