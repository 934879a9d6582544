"""A folder of audio files, with a text beside each where there is one."""

from __future__ import annotations

import re
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
        Entry(id=key, path=file, speaker=who, transcript=_transcript(file))
        for key, file, who in zip(ids, files, speakers, strict=True)
    )
    where = f"{root} holds no file that ends in {suffixes()}"
    return Listing(name=root.name, entries=entries, where=where)


def _transcript(file: Path) -> str:
    stem = file.stem
    normalized = read_text(file.with_name(f"{stem}.normalized.txt"))
    return normalized or read_text(file.with_name(f"{stem}.txt"))


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
