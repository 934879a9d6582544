"""Audio of some items copied beside a page, under names that are numbers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from synbench.results.confined import inside
from synbench_base.files import replacing
from synbench_reports.boards.item_parts import BoardFiles, Source

KINDS = (".wav", ".flac", ".ogg", ".mp3")

__all__ = ["copied_audio"]


def copied_audio(
    folder: Path, files: BoardFiles, *, board: int, chosen: Sequence[int], written: dict[str, int]
) -> Source:
    """Copy the recordings and reconstructions of some items below a folder.

    Args:
        board: its number, a part of the names.
        written: what was copied is added, name to bytes.

    Returns:
        The address of each copy, from the folder.
    """
    names: dict[Path, str] = {}
    for system, paths in enumerate(files.systems(chosen)):
        for item, path in zip(chosen, paths, strict=True):
            suffix = "" if path is None else path.suffix.lower()
            if path is None or suffix not in KINDS or not path.is_file():
                continue
            name = f"audio/{board}/{system}-{item}{suffix}"
            target = inside(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as temporary:
                shutil.copyfile(path, temporary)
            written[name] = target.stat().st_size
            names[path] = name
    return names.get
