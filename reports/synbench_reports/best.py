"""Which cell of a column is marked as the best.

Only competitors are compared: the uncoded reference would win every column. A column in which
codecs have scores for different items is decided on the items that all of them have, since the
means themselves are not comparable; a warning says so. Cells that print the same share the mark.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synbench_reports.cells import Cells, Floats
from synbench_reports.columns import Filled
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
            values = cells.values[:, places, metrics[column.metric_id]]
            means = dict(zip(places, _common_means(values), strict=True))
        marked.append((column, _marked(column, found, means)))
    return marked


def _common_means(values: Floats) -> list[float | None]:
    """Means over the items that every codec has; shape ``(item, codec)``."""
    common = values[np.isfinite(values).all(axis=1)]
    if not len(common):
        return [None] * values.shape[1]
    return [float(mean) for mean in common.mean(axis=0)]


def _marked(column: Column, found: list[Cell], means: dict[int, float | None]) -> list[Cell]:
    known = {place: mean for place, mean in means.items() if mean is not None}
    if not column.direction or len(known) < 2:
        return found
    best = max(known.values()) if column.direction == "up" else min(known.values())
    winners = {place for place, mean in known.items() if _prints_as(column, mean, best)}
    return [replace(cell, best=place in winners) for place, cell in enumerate(found)]


def _prints_as(column: Column, mean: float, best: float) -> bool:
    if column.decimals is None:
        return mean == best
    return round(mean, column.decimals) == round(best, column.decimals)
