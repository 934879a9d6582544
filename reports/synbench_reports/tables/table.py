"""The table model: what every renderer prints, and nothing about how.

A :class:`Report` has one :class:`Table` per corpus. A table has columns in groups and one row per
codec point; each cell is a mean with its interval and its counts. Numbers have full precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from synbench.results.planned import Direction, PlannedCodec, PlannedCorpus

# Scores against the damaged input are a group of their own, never mixed with the others.
Group = Literal["rate", "metric", "input", "delay", "cost", "count"]
Level = Literal["warning", "note"]

__all__ = ["Cell", "Column", "Direction", "Group", "Level", "Note", "Report", "Row", "Table"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        name: for exports, ``pesq_wb`` or ``payload_kbps``.
        label: heading, ``PESQ-WB``.
        unit: second line of the heading; may be empty.
        detail: third line of the heading, such as the number of threads; may be empty.
        direction: which way is better, empty where neither is.
        decimals: digits behind the point; ``None`` means significant digits instead.
        is_share: whether the numbers are shares, which are printed in per cent.
        metric_id: of the metric, empty for other groups.
        mark: of the footnote that says how the numbers were made, ``a``; may be empty.
    """

    name: str
    label: str
    unit: str
    group: Group
    direction: Direction = ""
    decimals: int | None = None
    is_share: bool = False
    detail: str = ""
    metric_id: str = ""
    mark: str = ""

    @property
    def printed_unit(self) -> str:
        """The unit of what is printed; the numbers themselves, and all exports, are in ``unit``."""
        return "%" if self.is_share else self.unit


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of a table.

    Attributes:
        mean: ``None`` where nothing was scored.
        low, high: ends of the 95 % interval, ``None`` where there is none.
        planned: items that should count; ``None`` where the number is no mean over items.
        scored, failed, not_applicable, missing: how the planned items ended.
        best: whether it is the best of its column.
        second: whether it is the second best of its column.
        tied: whether no paired test tells it from the best of its column.
        letters: of the groups that it is in: codecs that share one are not told apart.
        long_tail: whether few speakers (or items) carry the mean.
        note: stands in place of the number, such as ``declared``.
    """

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    planned: int | None = None
    scored: int = 0
    failed: int = 0
    not_applicable: int = 0
    missing: int = 0
    best: bool = False
    second: bool = False
    tied: bool = False
    letters: str = ""
    long_tail: bool = False
    note: str = ""

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


@dataclass(frozen=True, kw_only=True)
class Row:
    """One codec point; ``cells`` are in the order of the table's columns.

    ``mark`` is that of the warning about its weights, a dagger; empty where there is none.
    """

    codec: PlannedCodec
    cells: tuple[Cell, ...]
    mark: str = ""


@dataclass(frozen=True, kw_only=True)
class Note:
    """What a reader must know to read the numbers; a warning is put first and in colour.

    ``mark`` is what stands at the numbers that it is about; empty where it is about all of them.
    """

    level: Level
    subject: str
    text: str
    mark: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """All codec points on one corpus."""

    corpus: PlannedCorpus
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The tables of a run; ``notes`` hold for all of them."""

    name: str
    folder: Path
    tables: tuple[Table, ...]
    notes: tuple[Note, ...]
