"""Published tables beside measured means, with a verdict per cell.

A cell of a paper is matched by the codec's name, its nominal bit rate, and the metric's column; the
corpus must have been coded at the paper's sample rate. The verdict is one of

    agrees         the whole 95 % interval lies within the tolerance of the published value
    differs        the whole interval lies outside of it
    cannot tell    the interval reaches across: too few items for this tolerance
    other weights  a score exists, but not of the weights that the paper scored
    not run        the run has no such score

Which weights count as the paper's own is for the specification: recordings where nothing was
released, a released checkpoint where that is what was scored. How far the paper's items are those
of the run is for the reader to judge, so the number of items stands in every line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from synbench.results.planned import PlannedCodec
from synbench_reports.papers.specification import PublishedColumn, PublishedTable
from synbench_reports.tables.table import Cell, Report

Verdict = Literal["agrees", "differs", "cannot tell", "other weights", "not run"]
VERDICTS: tuple[Verdict, ...] = ("agrees", "differs", "cannot tell", "other weights", "not run")
RATE_SLACK = 0.01
# More items than this are no advice.
MOST_ITEMS = 1_000_000
# Columns that no run stores: what a forward pass costs, by codec label.
Complexity = Mapping[str, Mapping[str, float]]

__all__ = ["VERDICTS", "Complexity", "Line", "Verdict", "compare", "verdict_of"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One published value and what was measured; ``cell`` is ``None`` where nothing was.

    ``note`` is what a reader must know about the measured codec's weights.
    """

    row: str
    codec: str
    column: PublishedColumn
    published: float
    cell: Cell | None
    verdict: Verdict
    note: str = ""

    @property
    def difference(self) -> float | None:
        """Measured minus published."""
        mean = None if self.cell is None else self.cell.mean
        return None if mean is None else mean - self.published

    @property
    def items_needed(self) -> int | None:
        """Items like these that would decide, if the difference is as seen; where nothing does."""
        cell, difference = self.cell, self.difference
        if self.verdict != "cannot tell" or cell is None or difference is None:
            return None
        room = abs(abs(difference) - self.column.tolerance)
        half = cell.half_width
        if not half or not room or not cell.scored:
            return None
        needed = cell.scored * (half / room) ** 2
        return int(np.ceil(needed)) if needed < MOST_ITEMS else None


def compare(
    table: PublishedTable,
    reports: Sequence[Report],
    sample_rates: Mapping[Path, Mapping[str, int]],
    complexity: Complexity | None = None,
) -> list[Line]:
    """One line per published value, in the paper's order.

    Args:
        reports: of any number of runs; the first that has a score counts.
        sample_rates: by run folder and corpus, in Hz.
        complexity: by codec label, the columns that are no means over items.
    """
    lines = []
    for row, values in table.rows.items():
        for column, published in zip(table.columns, values, strict=True):
            name = column.codec.format(row=row)
            cell, codec = _measured(name, column, reports, sample_rates, complexity or {})
            own = codec is None or _own_weights(table, codec)
            lines.append(
                Line(
                    row=row,
                    codec=name,
                    column=column,
                    published=published,
                    cell=cell,
                    verdict=verdict_of(column, published, cell, own=own),
                    note=codec.training_note if codec else "",
                )
            )
    return lines


def _measured(
    name: str,
    column: PublishedColumn,
    reports: Sequence[Report],
    sample_rates: Mapping[Path, Mapping[str, int]],
    complexity: Complexity,
) -> tuple[Cell | None, PlannedCodec | None]:
    if not column.sample_rate:
        costs_by_name = {_plain(label): costs for label, costs in complexity.items()}
        value = costs_by_name.get(_plain(name), {}).get(column.metric)
        return (None if value is None else Cell(mean=value)), None
    return next(_scores(name, column, reports, sample_rates), (None, None))


def _scores(
    name: str,
    column: PublishedColumn,
    reports: Sequence[Report],
    sample_rates: Mapping[Path, Mapping[str, int]],
) -> Iterator[tuple[Cell, PlannedCodec]]:
    for report in reports:
        for table in report.tables:
            if sample_rates[report.folder].get(table.corpus.name) != column.sample_rate:
                continue
            for row in table.rows:
                if _plain(row.codec.label) != _plain(name) or not _same_rate(row.codec, column):
                    continue
                for measured_index, measured in enumerate(table.columns):
                    if (
                        measured.name == column.metric
                        and row.cells[measured_index].mean is not None
                    ):
                        yield row.cells[measured_index], row.codec


def _same_rate(codec: PlannedCodec, column: PublishedColumn) -> bool:
    rate = codec.nominal_bps
    return rate is not None and abs(rate - column.bitrate_bps) <= RATE_SLACK * column.bitrate_bps


def _own_weights(table: PublishedTable, codec: PlannedCodec) -> bool:
    # A note on its weights says that they are somebody else's: a demonstration, a retraining.
    if codec.training_note:
        return False
    return not codec.bits_counted or (table.released and codec.released)


def verdict_of(
    column: PublishedColumn, published: float, cell: Cell | None, *, own: bool
) -> Verdict:
    """What a measured cell says of a published value; ``own``: it has the published weights."""
    if cell is None or cell.mean is None:
        return "not run"
    if not own:
        return "other weights"
    # A hair more than the tolerance, so that rounding does not decide at its edge.
    tolerance = column.tolerance * (1 + 1e-9)
    if cell.low is None or cell.high is None:
        if cell.planned is not None:  # a mean without an interval says nothing of other items
            return "cannot tell"
        return "agrees" if abs(cell.mean - published) <= tolerance else "differs"
    if cell.low >= published - tolerance and cell.high <= published + tolerance:
        return "agrees"
    if cell.low > published + tolerance or cell.high < published - tolerance:
        return "differs"
    return "cannot tell"


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
