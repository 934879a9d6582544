"""Which cells of a column are marked: the best, the second, and those as good as the best.

Only competitors are compared: the uncoded reference would win every column. A column in which
codecs have scores for different items is decided on the items that all of them have, since the
means themselves are not comparable; a warning says so. Cells that print the same share the mark.

A cell is tied with the best where the paired test of `synbench compare`, corrected by Holm over all
pairs of the column, does not tell the two apart. All pairs count, since the best is known from the
data only: over the pairs with it alone the level would not hold. With too few speakers or items for
any test no cell is tied, and a note says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from synbench.results.cells import Cells, Floats
from synbench.results.planned import PlannedRun
from synbench.statistics.clusters import weighted_means
from synbench.statistics.means import FEWEST_CLUSTERS
from synbench.statistics.paired_tests import Comparison
from synbench_base.decimals import fixed
from synbench_reports.tables.codec_pairs import (
    clusters_needed,
    compare_codecs,
    letters_of,
    out_of_reach,
    test_of,
)
from synbench_reports.tables.columns import Filled
from synbench_reports.tables.table import Cell, Column

__all__ = ["Doubts", "mark_best"]


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """What marks cannot say, by metric id.

    Attributes:
        reach: why no test can tell codecs from the best: too few speakers or items for any.
        needed: by label, speakers (or items) that would tell a tied codec from the best.
    """

    reach: dict[str, str] = field(default_factory=dict)
    needed: dict[str, dict[str, int]] = field(default_factory=dict)


def mark_best(
    planned: PlannedRun, cells: Cells, filled: list[Filled]
) -> tuple[list[Filled], Doubts]:
    """The same columns with their best cells marked, where two or more codecs compete."""
    metrics = {metric.metric_id: index for index, metric in enumerate(planned.metrics)}
    marked, doubts = [], Doubts()
    for column, column_cells in filled:
        codec_indices = [
            codec_index
            for codec_index, codec in enumerate(planned.codecs)
            if not codec.is_anchor and column_cells[codec_index].mean is not None
        ]
        means = {codec_index: column_cells[codec_index].mean for codec_index in codec_indices}
        if column.metric_id:
            number = metrics[column.metric_id]
            metric = planned.metrics[number]
            common_means = _common_means(cells, codec_indices, number, metric.is_distance)
            means = dict(zip(codec_indices, common_means, strict=True))
        done = _marked(column, column_cells, means)
        if column.metric_id and not metric.is_distance:
            done, why, needed = _with_ties(planned, cells, number, codec_indices, done)
            if why:
                doubts.reach[column.metric_id] = why
            if needed:
                doubts.needed[column.metric_id] = needed
        marked.append((column, done))
    return marked, doubts


def _common_means(
    cells: Cells, codec_indices: list[int], metric: int, is_distance: bool
) -> list[float | None]:
    """Numbers of some codecs over the items that all of them have."""
    values: Floats = cells.values[:, codec_indices, metric]
    present = np.isfinite(values)
    common = present.all(axis=1)
    if not codec_indices or not common.any():
        return [None] * len(codec_indices)
    if is_distance:
        alike = (present.any(axis=1) == common).all()
        return [float(value) if alike else None for value in cells.pooled[codec_indices, metric]]
    return list(weighted_means(values[common], cells.sizes[:, codec_indices, metric][common]))


def _marked(column: Column, column_cells: list[Cell], means: dict[int, float | None]) -> list[Cell]:
    known = {codec_index: mean for codec_index, mean in means.items() if mean is not None}
    if not column.direction or len(known) < 2:
        return column_cells
    winners = _leaders(column, known)
    rest = {codec_index: mean for codec_index, mean in known.items() if codec_index not in winners}
    # The last of a column is no runner-up.
    seconds = _leaders(column, rest) if len(rest) > 1 else set()
    return [
        replace(cell, best=codec_index in winners, second=codec_index in seconds)
        for codec_index, cell in enumerate(column_cells)
    ]


def _leaders(column: Column, means: dict[int, float]) -> set[int]:
    best = max(means.values()) if column.direction == "up" else min(means.values())
    return {codec_index for codec_index, mean in means.items() if _prints_as(column, mean, best)}


def _with_ties(
    planned: PlannedRun,
    cells: Cells,
    metric: int,
    codec_indices: list[int],
    column_cells: list[Cell],
) -> tuple[list[Cell], str, dict[str, int]]:
    """Marks the codecs that no test tells from the first of the best.

    Returns:
        The cells; why no test could tell; and how many speakers would tell a codec from the best.
    """
    best = next(
        (codec_index for codec_index in codec_indices if column_cells[codec_index].best), None
    )
    if best is None:
        return column_cells, "", {}
    every = list(combinations(codec_indices, 2))
    family = compare_codecs(planned, cells, metric, every)
    with_best = {
        (one.second if one.first == best else one.first): one
        for one in family
        if best in (one.first, one.second)
    }
    tied = {codec_index for codec_index, one in with_best.items() if not _told_apart(one)}
    groups: dict[int, str] = {}
    if any(one.clusters >= FEWEST_CLUSTERS for one in family):
        groups = letters_of(planned, cells, metric, family)
    done = [
        replace(
            cell,
            tied=codec_index in tied and not cell.best,
            letters=groups.get(codec_index, ""),
        )
        for codec_index, cell in enumerate(column_cells)
    ]
    needed = {
        planned.codecs[codec_index].label: count
        for codec_index, one in with_best.items()
        if done[codec_index].tied and (count := clusters_needed(one, len(every))) is not None
    }
    return done, out_of_reach(cells, family, test_of(planned.metrics[metric])), needed


def _told_apart(one: Comparison) -> bool:
    """Whether the two differ; where there are too few speakers for a test nothing is claimed."""
    return one.differs or one.clusters < FEWEST_CLUSTERS


def _prints_as(column: Column, mean: float, best: float) -> bool:
    if column.decimals is None:
        return mean == best
    return fixed(mean, column.decimals) == fixed(best, column.decimals)
