"""The parts of one board that pages load: items, scores of each metric, texts, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from synbench.results.stored_files import ItemFiles
from synbench_reports.boards.combine import Board
from synbench_reports.boards.heard import heard_texts
from synbench_reports.boards.item_parts import (
    BoardFiles,
    Source,
    item_part,
    pictures,
    score_part,
    telling,
)

__all__ = ["add_board_parts"]


def add_board_parts(
    parts: dict[str, Any],
    record: dict[str, Any],
    board: Board,
    files: BoardFiles,
    *,
    number: int,
    source: Source,
    spectrograms: int,
    audible: Sequence[int] | None = None,
) -> None:
    """Add what a page loads of a board, and to its record what there is to load.

    Args:
        parts: by name; those of the board are added.
        record: of the board in the results document: ``heard``, ``pictures`` and ``voicing`` are
            added.
        number: of the board.
        source: gives the address of a file.
        spectrograms: pictures of this many items, the worst and some evenly spread.
        audible: items whose files are offered; all where not given.
    """
    name = f"board{number}"
    parts[f"{name}-items"] = item_part(board, files, source, audible=audible)
    for metric in range(len(board.planned.metrics)):
        parts[f"{name}-metric{metric}"] = score_part(board, metric)
    heard = heard_texts(board)
    for metric, texts in heard.items():
        parts[f"{name}-heard{metric}"] = texts
    record["heard"] = list(heard)
    chosen = telling(board, spectrograms)
    if audible is not None:
        chosen = [item for item in audible if spectrograms][:spectrograms]
    drawn = {str(item): made for item in chosen if any(made := pictures(files, item))}
    record["pictures"] = bool(drawn)
    if drawn:
        parts[f"{name}-pictures"] = drawn
    record["voicing"] = _voicing(board, files, chosen)


def _voicing(board: Board, files: BoardFiles, chosen: Sequence[int]) -> dict[str, Any] | None:
    """Mean spectral distances in voiced, unvoiced and silent frames; nothing without any audio."""
    from synbench_reports.figures.breakdown import item_distances
    from synbench_reports.figures.voicing import CLASSES

    measured = [item_distances(_files_of(files, item)) for item in chosen]
    if not measured:
        return None
    values = np.array(measured, dtype=np.float64)
    known = np.isfinite(values)
    sums = np.where(known, values, 0.0).sum(axis=0)
    nothing = np.full(sums.shape, np.nan)
    means = np.divide(sums, known.sum(axis=0), out=nothing, where=known.any(axis=0))
    rows = [
        {"codec": codec, "means": [float(mean) if np.isfinite(mean) else None for mean in own]}
        for codec, own in enumerate(means)
        if np.isfinite(own).any()
    ]
    return {"classes": list(CLASSES), "items": len(chosen), "rows": rows} if rows else None


def _files_of(files: BoardFiles, item: int) -> ItemFiles:
    from dataclasses import replace

    own = tuple(paths[item] for paths in files.reconstructions)
    return replace(files.originals[item], reconstructions=own)
