"""Audio that lies in a table: written out as files, once, with a manifest beside them."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COLUMNS = ("file", "id", "speaker", "transcript", "gender", "language", "accent")
MPEG_FRAME = 0xE0
# By the first bytes of a file, since the name in a table says nothing.
STARTS = {b"fLaC": ".flac", b"RIFF": ".wav", b"OggS": ".ogg", b"ID3": ".mp3"}

__all__ = ["AudioRow", "write_files"]


@dataclass(frozen=True, kw_only=True)
class AudioRow:
    """One utterance of a table: the content of its file, and what is known of it."""

    id: str
    content: bytes
    speaker: str = ""
    transcript: str = ""
    gender: str = ""
    language: str = ""
    accent: str = ""


def write_files(
    rows: Iterable[AudioRow], folder: Path, *, kept: Collection[str] = tuple(STARTS.values())
) -> None:
    """Write ``NNNNNN.<suffix>`` for each row and ``manifest.csv``, which names them.

    Args:
        rows: the utterances.
        folder: empty.
        kept: endings of the kinds of files that are kept as they came, at most those of the files
            that the bench reads; other audio is decoded and written as FLAC.

    Raises:
        ValueError: a content that is no audio; the message names the row.
    """
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for number, row in enumerate(rows):
            path = _write(row, folder / f"{number:06d}", kept)
            table.writerow([path.name, *(getattr(row, column) for column in COLUMNS[1:])])


def _write(row: AudioRow, stem: Path, kept: Collection[str]) -> Path:
    suffix = _suffix(row.content)
    if suffix in kept:
        path = stem.with_suffix(suffix)
        path.write_bytes(row.content)
        return path
    import soundfile

    from synbench.audio import write_audio

    try:
        decoded: Any = soundfile.read(io.BytesIO(row.content), dtype="float64")
    except soundfile.SoundFileError as error:
        raise ValueError(f"{row.id}: no audio that can be read: {error}") from error
    path = stem.with_suffix(".flac")
    write_audio(path, decoded[0], sample_rate=decoded[1])
    return path


def _suffix(content: bytes) -> str:
    for start, suffix in STARTS.items():
        if content.startswith(start):
            return suffix
    is_mpeg = len(content) > 1 and content[0] == 0xFF and content[1] & MPEG_FRAME == MPEG_FRAME
    return ".mp3" if is_mpeg else ""
