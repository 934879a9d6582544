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
from synbench_reports.papers.not_run import Absent, plain, same_rate, why_not_run
from synbench_reports.papers.specification import PublishedColumn, PublishedTable
from synbench_reports.tables.table import Cell, Report

Verdict = Literal["agrees", "differs", "cannot tell", "other weights", "not run"]
VERDICTS: tuple[Verdict, ...] = ("agrees", "differs", "cannot tell", "other weights", "not run")
# More items than this are no advice.
MOST_ITEMS = 1_000_000
# Columns that no run stores: what a forward pass costs, by codec label.
Complexity = Mapping[str, Mapping[str, float]]

__all__ = [
    "VERDICTS",
    "Complexity",
    "Line",
    "Verdict",
    "compare",
    "has_published_weights",
    "verdict_of",
]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One published value and what was measured; ``cell`` is ``None`` where nothing was.

    ``note`` is what a reader must know about the measured codec's weights; ``absent`` is why there
    is no score.
    """

    row: str
    codec: str
    column: PublishedColumn
    published: float
    cell: Cell | None
    verdict: Verdict
    note: str = ""
    absent: str = ""

    @property
    def reason(self) -> str:
        """Why the verdict is what it is."""
        reasons: dict[Verdict, str] = {
            "agrees": "all of the 95 % interval lies within the tolerance",
            "differs": "all of the 95 % interval lies beyond the tolerance",
            "cannot tell": "the 95 % interval reaches across the edge of the tolerance",
            "other weights": self.note
            or "the codec here is coded with weights that are not the paper's",
            "not run": self.absent or "no run has such a score",
        }
        if self.cell is not None and (self.cell.low is None or self.cell.high is None):
            reasons |= {
                "agrees": "the counted value lies within the tolerance",
                "differs": "the counted value lies beyond the tolerance",
                "cannot tell": "a mean without an interval says nothing of other items",
            }
        return reasons[self.verdict]

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
    absent: Absent = (),
) -> list[Line]:
    """One line per published value, in the paper's order; a value that is not printed has none.

    Args:
        reports: of any number of runs; the first that has a score counts.
        sample_rates: by run folder and corpus, in Hz.
        complexity: by codec label, the columns that are no means over items.
        absent: codecs and metrics that could not be run, and why.
    """
    lines = []
    for row, values in table.rows.items():
        for column, published in zip(table.columns, values, strict=True):
            if published is None:
                continue
            name = column.codec.format(row=row)
            cell, codec = _measured(name, column, reports, sample_rates, complexity or {})
            own = codec is None or has_published_weights(
                codec, released=table.released, standard=table.standard
            )
            lines.append(
                Line(
                    row=row,
                    codec=name,
                    column=column,
                    published=published,
                    cell=cell,
                    verdict=verdict_of(column, published, cell, own=own),
                    note=codec.training_note if codec else "",
                    absent=""
                    if cell is not None
                    else why_not_run(name, column, reports, sample_rates, absent),
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
        costs_by_name = {plain(label): costs for label, costs in complexity.items()}
        value = costs_by_name.get(plain(name), {}).get(column.metric)
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
                if plain(row.codec.label) != plain(name) or not same_rate(row.codec, column):
                    continue
                for measured_index, measured in enumerate(table.columns):
                    if (
                        measured.name == column.metric
                        and row.cells[measured_index].mean is not None
                    ):
                        yield row.cells[measured_index], row.codec


def has_published_weights(
    codec: PlannedCodec, *, released: bool = False, standard: bool = False
) -> bool:
    """Whether a codec of a run stands for the published one.

    Args:
        released: a released checkpoint was scored, so a codec that loads one does.
        standard: codecs without weights were scored, so each that follows its standard does.
    """
    # A note on its weights says that they are somebody else's: a demonstration, a retraining.
    if codec.training_note:
        return False
    if standard and codec.kind != "neural":
        return True
    return not codec.bits_counted or (released and codec.released)


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
