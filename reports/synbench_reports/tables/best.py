"""Which cells of a column are marked: the best, the second, and those as good as the best.

Only competitors are compared: the uncoded reference would win every column. A column in which
codecs have scores for different items is decided on the items that all of them have, since the
means themselves are not comparable; a warning says so. Cells that print the same share the mark.

A cell is tied with the best where the paired test of `synbench compare`, corrected by Holm over the
column, does not tell the two apart.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synbench.results.cells import Cells, Floats
from synbench.results.planned import PlannedRun
from synbench.statistics.bootstrap import weighted_means
from synbench_reports.tables.codec_pairs import compare_codecs, out_of_reach, test_of
from synbench_reports.tables.columns import Filled
from synbench_reports.tables.table import Cell, Column

__all__ = ["mark_best"]


def mark_best(
    planned: PlannedRun, cells: Cells, filled: list[Filled]
) -> tuple[list[Filled], dict[str, str]]:
    """The same columns with their best cells marked, where two or more codecs compete.

    Returns:
        The columns, and by metric id why no test can tell codecs from the best: only of metrics
        with too few speakers or items for any test.
    """
    metrics = {metric.metric_id: place for place, metric in enumerate(planned.metrics)}
    marked, reach = [], {}
    for column, found in filled:
        places = [
            place
            for place, codec in enumerate(planned.codecs)
            if not codec.is_anchor and found[place].mean is not None
        ]
        means = {place: found[place].mean for place in places}
        if column.metric_id:
            number = metrics[column.metric_id]
            metric = planned.metrics[number]
            found_means = _common_means(cells, places, number, metric.is_distance)
            means = dict(zip(places, found_means, strict=True))
        done = _marked(column, found, means)
        if column.metric_id and not metric.is_distance:
            done, why = _with_ties(planned, cells, number, places, done)
            if why:
                reach[column.metric_id] = why
        marked.append((column, done))
    return marked, reach


def _common_means(
    cells: Cells, places: list[int], metric: int, is_distance: bool
) -> list[float | None]:
    """Numbers of some codecs over the items that all of them have."""
    values: Floats = cells.values[:, places, metric]
    present = np.isfinite(values)
    common = present.all(axis=1)
    if not places or not common.any():
        return [None] * len(places)
    if is_distance:
        alike = (present.any(axis=1) == common).all()
        return [float(value) if alike else None for value in cells.pooled[places, metric]]
    return list(weighted_means(values[common], cells.sizes[:, places, metric][common]))


def _marked(column: Column, found: list[Cell], means: dict[int, float | None]) -> list[Cell]:
    known = {place: mean for place, mean in means.items() if mean is not None}
    if not column.direction or len(known) < 2:
        return found
    winners = _leaders(column, known)
    rest = {place: mean for place, mean in known.items() if place not in winners}
    # The last of a column is no runner-up.
    seconds = _leaders(column, rest) if len(rest) > 1 else set()
    return [
        replace(cell, best=place in winners, second=place in seconds)
        for place, cell in enumerate(found)
    ]


def _leaders(column: Column, means: dict[int, float]) -> set[int]:
    best = max(means.values()) if column.direction == "up" else min(means.values())
    return {place for place, mean in means.items() if _prints_as(column, mean, best)}


def _with_ties(
    planned: PlannedRun, cells: Cells, metric: int, places: list[int], found: list[Cell]
) -> tuple[list[Cell], str]:
    """Marks the codecs that no test tells from the first of the best; says if no test could."""
    best = next((place for place in places if found[place].best), None)
    if best is None:
        return found, ""
    others = [(best, place) for place in places if place != best]
    tests = compare_codecs(planned, cells, metric, others)
    tied = {test.second for test in tests if not test.differs}
    done = [replace(cell, tied=place in tied and not cell.best) for place, cell in enumerate(found)]
    return done, out_of_reach(cells, tests, test_of(planned.metrics[metric]))


def _prints_as(column: Column, mean: float, best: float) -> bool:
    if column.decimals is None:
        return mean == best
    return round(mean, column.decimals) == round(best, column.decimals)
