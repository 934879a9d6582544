"""A paper's figure of a listening test, bar by bar, beside ratings of a test of one's own.

Preferences have two lines each: the p that follows from the counts beside the printed one, and the
net preference beside the measured one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synbench_reports.figures.listening import is_simulated, read_abx, read_mushra
from synbench_reports.papers.claims import net_preference
from synbench_reports.papers.not_run import plain
from synbench_reports.papers.published import Line, verdict_of
from synbench_reports.papers.specification import PublishedColumn, PublishedFigure
from synbench_reports.tables.table import Cell

# Points of 100, as in the tables of scores; of the net preference, 0 to 1.
SCORE_TOLERANCE = 4.0
PREFERENCE_TOLERANCE = 0.1
# Printed p-values have four digits.
P_TOLERANCE = 0.00005

__all__ = ["figure_lines"]


def figure_lines(figure: PublishedFigure, ratings: Path | None = None) -> list[Line]:
    """One line with a verdict for each published value of a figure.

    Args:
        ratings: a table that ``synbench listen analyse`` wrote; of scores without groups, those of
            the figure's first group.

    Raises:
        UsageError: the table cannot be read.
    """
    if figure.kind == "abx":
        return _preferences(figure, ratings)
    measured = {} if ratings is None else read_mushra(ratings)
    lines = []
    for number, (group, bars) in enumerate(figure.groups.items()):
        own = measured.get(group) or (measured.get("", {}) if number == 0 else {})
        by_name = {plain(name): bar for name, bar in own.items()}
        column = PublishedColumn(
            metric=figure.kind,
            label=figure.kind.upper(),
            group=group,
            tolerance=SCORE_TOLERANCE,
            decimals=2,
        )
        for name, (mean, _) in bars.items():
            bar = by_name.get(plain(name))
            cell = None if bar is None else Cell(mean=bar[0], low=bar[1], high=bar[2])
            lines.append(_line(figure, name, column, mean, cell, ratings))
    return lines


def _preferences(figure: PublishedFigure, ratings: Path | None) -> list[Line]:
    measured = (
        {}
        if ratings is None
        else {plain(pair.other): pair for pair in read_abx(ratings, figure.subject)}
    )
    p_column = PublishedColumn(
        metric="p", label="p from the counts", tolerance=P_TOLERANCE, decimals=4
    )
    net_column = PublishedColumn(
        metric="net_preference",
        label="net preference",
        tolerance=PREFERENCE_TOLERANCE,
        decimals=4,
    )
    lines = []
    for pair in figure.pairs:
        tested = net_preference(pair, PREFERENCE_TOLERANCE)
        if pair.p is not None:
            cell = Cell(mean=tested.p)
            lines.append(
                Line(
                    row=pair.other,
                    codec=pair.other,
                    column=p_column,
                    published=pair.p,
                    cell=cell,
                    verdict=verdict_of(p_column, pair.p, cell, own=True),
                )
            )
        own = measured.get(plain(pair.other))
        cell_of_net = None
        if own is not None:
            equal = net_preference(own, PREFERENCE_TOLERANCE).equal
            cell_of_net = Cell(mean=equal.difference, low=equal.low, high=equal.high)
        lines.append(
            _line(figure, pair.other, net_column, tested.equal.difference, cell_of_net, ratings)
        )
    return lines


def _line(
    figure: PublishedFigure,
    name: str,
    column: PublishedColumn,
    published: float,
    cell: Cell | None,
    ratings: Path | None,
) -> Line:
    reasons: Mapping[bool, str] = {
        True: f"no listening test given (--ratings); one of this design: "
        f"synbench listen init {figure.template or figure.kind}",
        False: "the ratings have no condition of that name",
    }
    if ratings is not None and cell is not None and is_simulated(ratings):
        cell, absent = None, "the ratings are of simulated listeners: no human gave them"
    else:
        absent = reasons[ratings is None]
    return Line(
        row=name,
        codec=name,
        column=column,
        published=published,
        cell=cell,
        verdict=verdict_of(column, published, cell, own=True),
        absent="" if cell is not None else absent,
    )
