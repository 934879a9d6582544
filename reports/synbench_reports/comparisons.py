"""Pairs of codecs of a run on one metric: difference with interval, tests, verdict, letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from synbench_reports.cells import Cells, Floats
from synbench_reports.compare import (
    SIGNIFICANCE,
    Equivalence,
    Test,
    cluster_means,
    compare_all,
    equivalence,
    tie_letters,
)
from synbench_reports.planned import PlannedRun
from synbench_reports.statistics import estimate_means

Verdict = Literal[
    "equal within the margin",
    "differs, by less than the margin",
    "differs",
    "not told apart",
    "too few",
]

__all__ = ["Pair", "Verdict", "letters", "pairs"]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Codec ``first`` minus ``second`` on the items that both have.

    Attributes:
        low, high: ends of the 95 % interval of the difference, NaN where there is none.
        p, p_holm: two-sided, before and after Holm's correction over the metric's pairs.
        equal: the equivalence test; ``None`` without a margin or with too few speakers or items.
    """

    metric: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    items: int
    clusters: int
    p: float
    p_holm: float
    equal: Equivalence | None

    @property
    def verdict(self) -> Verdict:
        """What the two tests say together; no difference found is no proof of equality."""
        differs = self.p_holm < SIGNIFICANCE
        if np.isnan(self.p):
            return "too few"
        if self.equal is not None and self.equal.equivalent:
            return "differs, by less than the margin" if differs else "equal within the margin"
        return "differs" if differs else "not told apart"


def pairs(
    planned: PlannedRun,
    cells: Cells,
    metric: int,
    *,
    against: str | None = None,
    margin: float | None = None,
    test: Test = "wilcoxon",
) -> list[Pair]:
    """All pairs of competitors, best first in each; anchors take no part.

    Args:
        metric: place on the metric axis.
        against: only pairs with the codec of this label, which comes second.
        margin: largest difference that still counts as equal, in the metric's unit.
        test: which paired test gives ``p``.
    """
    places = _ranked(planned, cells, metric)
    if against is not None:
        fixed = next(p for p, codec in enumerate(planned.codecs) if codec.label == against)
        chosen = [(place, fixed) for place in places if place != fixed]
    else:
        chosen = list(combinations(places, 2))
    values = cells.values[:, :, metric]
    clusters = cells.speakers
    found = {}
    for one in compare_all(values, clusters=clusters, test=test, pairs=chosen):
        found[one.first, one.second] = one
    differences = _differences(values, chosen)
    ends = estimate_means(differences, clusters=clusters)
    column = planned.metrics[metric].column
    return [
        Pair(
            metric=column,
            first=planned.codecs[first].label,
            second=planned.codecs[second].label,
            difference=found[first, second].difference,
            low=float(ends.low[number]),
            high=float(ends.high[number]),
            items=found[first, second].items,
            clusters=found[first, second].clusters,
            p=found[first, second].p,
            p_holm=found[first, second].p_holm,
            equal=_equal(differences[:, number], margin, cells),
        )
        for number, (first, second) in enumerate(chosen)
    ]


def letters(
    planned: PlannedRun, cells: Cells, metric: int, found: Sequence[Pair]
) -> Mapping[str, str]:
    """Letters by label, best first: two codecs share one where no test tells them apart."""
    order = _ranked(planned, cells, metric)
    places = {codec.label: place for place, codec in enumerate(planned.codecs)}
    differing = {
        (places[pair.first], places[pair.second]) for pair in found if pair.p_holm < SIGNIFICANCE
    }
    given = tie_letters(order, differing)
    return {planned.codecs[place].label: text for place, text in given.items()}


def _ranked(planned: PlannedRun, cells: Cells, metric: int) -> list[int]:
    """Places of the competitors that have scores, the best mean first."""
    values = cells.values[:, :, metric]
    known = [
        place
        for place, codec in enumerate(planned.codecs)
        if not codec.is_anchor and np.isfinite(values[:, place]).any()
    ]
    up = planned.metrics[metric].direction != "down"
    return sorted(known, key=lambda place: float(np.nanmean(values[:, place])), reverse=up)


def _differences(values: Floats, chosen: Sequence[tuple[int, int]]) -> Floats:
    if not chosen:
        return np.empty((len(values), 0))
    return np.stack([values[:, first] - values[:, second] for first, second in chosen], axis=1)


def _equal(difference: Floats, margin: float | None, cells: Cells) -> Equivalence | None:
    if margin is None or len(cluster_means(difference, cells.speakers)) < 2:
        return None
    return equivalence(difference, margin=margin, clusters=cells.speakers)
