"""Numbers as text, and wide tables cut into several; shared by the renderers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from synbench_base.decimals import fixed
from synbench_reports.tables.table import Cell, Column

ABSENT_VALUE = "\N{EN DASH}"
ARROWS = {"up": "↑", "down": "↓", "": ""}
SIGNIFICANT_DIGITS = 3
# A share of .512 and one of 51.2 % have the same precision.
PERCENT_DIGITS = 2

__all__ = [
    "ABSENT_VALUE",
    "ARROWS",
    "PERCENT_DIGITS",
    "CellText",
    "cell_text",
    "column_runs",
    "number_text",
]


@dataclass(frozen=True)
class CellText:
    """The parts of a printed cell: ``3.21``, ``0.10`` and ``(11/12)``; each may be empty."""

    mean: str
    half_width: str = ""
    count: str = ""


def cell_text(column: Column, cell: Cell) -> CellText:
    """A cell's parts; the count stands wherever it differs from the plan."""
    partial = cell.planned is not None and cell.scored != cell.planned
    count = f"({cell.scored}/{cell.planned})" if partial else ""
    if cell.mean is None:
        return CellText(cell.note or ABSENT_VALUE, count="" if cell.note else count)
    half = cell.half_width
    return CellText(
        number_text(cell.mean, column),
        "" if half is None else number_text(half, column),
        count,
    )


def number_text(value: float, column: Column) -> str:
    """Fixed decimals where the column says so, else at least three significant digits.

    A share is printed in per cent, with as many digits of the share itself.

    >>> column = Column(name="rtf", label="RTF", unit="", group="cost")
    >>> [number_text(value, column) for value in (0.0, 0.00123, 12.3456, 1536.0)]
    ['0', '0.00123', '12.3', '1536']
    >>> wer = Column(name="wer", label="WER", unit="", group="metric", decimals=3, is_share=True)
    >>> number_text(0.0512, wer)
    '5.1'
    """
    if column.is_share and column.decimals is not None:
        return fixed(100 * value, max(0, column.decimals - PERCENT_DIGITS))
    if column.decimals is not None:
        return fixed(value, column.decimals)
    if value == 0:
        return "0"
    decimals = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value)))
    return fixed(value, max(decimals, 0))


def column_runs(
    columns: Sequence[Column], widths: Sequence[int], available: int
) -> list[tuple[int, ...]]:
    """Cut columns into runs no wider than what is available; a group stays whole if it can.

    Args:
        widths: printed width of each column, its padding included.
        available: width of the table without its first column.

    Returns:
        Places of the columns of each run; a column wider than ``available`` is alone.
    """
    column_indices = range(len(columns))
    groups = [
        list(group)
        for _, group in itertools.groupby(
            column_indices, lambda column_index: columns[column_index].group
        )
    ]
    runs: list[list[int]] = [[]]
    for group in groups:
        needed = sum(widths[column_index] for column_index in group)
        used = sum(widths[column_index] for column_index in runs[-1])
        if used + needed > available and needed <= available:
            runs.append([])
        for column_index in group:
            used = sum(widths[known] for known in runs[-1])
            if runs[-1] and used + widths[column_index] > available:
                runs.append([])
            runs[-1].append(column_index)
    return [tuple(run) for run in runs if run]
