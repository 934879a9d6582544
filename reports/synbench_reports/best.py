"""Which cells of a column are marked: the best, the second, and those as good as the best.

Only competitors are compared: the uncoded reference would win every column. A column in which
codecs have scores for different items is decided on the items that all of them have, since the
means themselves are not comparable; a warning says so. Cells that print the same share the mark.

A cell is tied with the best where the Wilcoxon test of their paired differences, reduced to one per
speaker and corrected by Holm over the column, does not tell the two apart.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synbench_reports.cells import Cells, Floats
from synbench_reports.columns import Filled
from synbench_reports.compare import SIGNIFICANCE, cluster_means, holm, wilcoxon
from synbench_reports.planned import PlannedRun
from synbench_reports.table import Cell, Column

__all__ = ["mark_best"]


def mark_best(planned: PlannedRun, cells: Cells, filled: list[Filled]) -> list[Filled]:
    """The same columns with their best cells marked, where two or more codecs compete."""
    metrics = {metric.metric_id: place for place, metric in enumerate(planned.metrics)}
    marked = []
    for column, found in filled:
        places = [
            place
            for place, codec in enumerate(planned.codecs)
            if not codec.is_anchor and found[place].mean is not None
        ]
        means = {place: found[place].mean for place in places}
        if column.metric_id:
            metric = planned.metrics[metrics[column.metric_id]]
            found_means = _common_means(cells, places, metrics[column.metric_id], metric.pooling)
            means = dict(zip(places, found_means, strict=True))
        done = _marked(column, found, means)
        if column.metric_id and metric.pooling != "frechet":
            done = _with_ties(cells, metrics[column.metric_id], places, done)
        marked.append((column, done))
    return marked


def _common_means(cells: Cells, places: list[int], metric: int, pooling: str) -> list[float | None]:
    """Means of some codecs over the items that all of them have."""
    values: Floats = cells.values[:, places, metric]
    present = np.isfinite(values)
    common = present.all(axis=1)
    if (
        not places
        or not common.any()
        or (pooling == "frechet" and (present.any(axis=1) != common).any())
    ):
        return [None] * len(places)
    if pooling == "frechet":
        return [float(value) for value in cells.pooled[places, metric]]
    sizes = cells.sizes[:, places, metric][common] if pooling == "weighted_mean" else None
    return [float(mean) for mean in np.average(values[common], axis=0, weights=sizes)]


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


def _with_ties(cells: Cells, metric: int, places: list[int], found: list[Cell]) -> list[Cell]:
    """Marks the codecs that no test tells from the first of the best."""
    best = next((place for place in places if found[place].best), None)
    if best is None:
        return found
    others = [place for place in places if place != best]
    values = cells.values[:, :, metric]
    differences = (
        cluster_means(values[:, best] - values[:, other], cells.clusters) for other in others
    )
    corrected = dict(zip(others, holm([wilcoxon(means) for means in differences]), strict=True))
    return [
        replace(cell, tied=not cell.best and corrected.get(place, 0.0) >= SIGNIFICANCE)
        for place, cell in enumerate(found)
    ]


def _prints_as(column: Column, mean: float, best: float) -> bool:
    if column.decimals is None:
        return mean == best
    return round(mean, column.decimals) == round(best, column.decimals)
