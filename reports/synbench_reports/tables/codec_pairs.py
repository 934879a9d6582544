"""Pairs of codecs of a run on one metric: difference with interval, tests, verdict, letters.

The difference is that of the two numbers that a table prints, on the items that both codecs have:
of means, or of error rates of the corpus. A distance of the whole corpus has no pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from synbench.results.cells import Cells
from synbench.results.planned import PlannedMetric, PlannedRun
from synbench.statistics.bootstrap import estimate_differences, weighted_means
from synbench.statistics.equivalence import Equivalence, equivalence, rate_differences
from synbench.statistics.paired_tests import (
    SIGNIFICANCE,
    Comparison,
    Test,
    cluster_means,
    compare_all,
    holm,
    smallest_p,
    tie_letters,
)

Verdict = Literal[
    "equal within the margin",
    "differs, by less than the margin",
    "differs",
    "not told apart",
    "too few",
]

TEST_NAMES: Mapping[Test, str] = {
    "wilcoxon": "Wilcoxon signed-rank test",
    "sign_flip": "sign-flip permutation test",
    "swap_rates": "permutation test of pooled rates",
}

__all__ = [
    "TEST_NAMES",
    "CodecPair",
    "Verdict",
    "compare_codecs",
    "letters",
    "out_of_reach",
    "pairs",
    "pairs_of",
    "test_of",
]


@dataclass(frozen=True, kw_only=True)
class CodecPair:
    """Codec ``first`` minus ``second`` on the items that both have.

    Attributes:
        low, high: ends of the 95 % interval of the difference, NaN where there is none.
        test: which paired test gave ``p``.
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
    test: Test
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
) -> list[CodecPair]:
    """All pairs of competitors, best first in each; anchors take no part.

    Args:
        metric: place on the metric axis.
        against: only pairs with the codec of this label, which comes second.
        margin: largest difference that still counts as equal, in the metric's unit.
        test: which paired test gives ``p``, see :func:`test_of`.
    """
    if planned.metrics[metric].is_distance:
        return []
    places = _ranked(planned, cells, metric)
    if against is not None:
        fixed = [place for place, codec in enumerate(planned.codecs) if codec.label == against]
        chosen = [(place, other) for other in fixed for place in places if place != other]
    else:
        chosen = list(combinations(places, 2))
    return pairs_of(planned, cells, metric, chosen, margin=margin, test=test)


def pairs_of(
    planned: PlannedRun,
    cells: Cells,
    metric: int,
    chosen: Sequence[tuple[int, int]],
    *,
    margin: float | None = None,
    test: Test = "wilcoxon",
) -> list[CodecPair]:
    """Some pairs, by their places on the codec axis, as one family; otherwise as :func:`pairs`."""
    kind = planned.metrics[metric]
    found = compare_codecs(planned, cells, metric, chosen, test=test)
    values, sizes = cells.values[:, :, metric], cells.sizes[:, :, metric]
    ends = estimate_differences(values, chosen, clusters=cells.speakers, sizes=sizes)
    return [
        CodecPair(
            metric=kind.column,
            first=planned.codecs[one.first].label,
            second=planned.codecs[one.second].label,
            difference=one.difference,
            low=float(ends.low[number]),
            high=float(ends.high[number]),
            items=one.items,
            clusters=one.clusters,
            test=test_of(kind, test),
            p=one.p,
            p_holm=one.p_holm,
            equal=_equal(cells, metric, kind.is_rate, (one.first, one.second), margin),
        )
        for number, one in enumerate(found)
    ]


def test_of(metric: PlannedMetric, asked: Test = "wilcoxon") -> Test:
    """The test of a metric: what is asked for compares means, and error rates have their own."""
    return "swap_rates" if metric.is_rate else asked


def compare_codecs(
    planned: PlannedRun,
    cells: Cells,
    metric: int,
    chosen: Sequence[tuple[int, int]],
    *,
    test: Test = "wilcoxon",
) -> list[Comparison]:
    """The paired tests of a metric, which tables, letters and lists of pairs share.

    Args:
        chosen: places of first and second on the codec axis, one family for Holm's correction.
    """
    return compare_all(
        cells.values[:, :, metric],
        sizes=cells.sizes[:, :, metric],
        clusters=cells.speakers,
        test=test_of(planned.metrics[metric], test),
        pairs=chosen,
    )


def out_of_reach(cells: Cells, found: Sequence[Comparison | CodecPair], test: Test) -> str:
    """Why no pair of a family can be told apart, whatever its difference; empty where one can.

    With few clusters even differences that all favour one codec are too likely to be chance.
    """
    most = max((one.clusters for one in found), default=0)
    if not most:
        return ""
    unit = ("item" if cells.speakers is None else "speaker") + ("s" if most > 1 else "")
    over = "them" if most > 1 else "it"
    start = f"{most} {unit}: no paired test over {over} can reach {SIGNIFICANCE:.0%}"
    lowest = smallest_p(most, test)
    corrected = holm([lowest] * len(found))[0]
    if corrected < SIGNIFICANCE:
        return ""
    if np.isnan(lowest):
        return f"{start}; it takes two to have any p"
    holms = f", {corrected:.2g} after Holm over {len(found)} pairs" if len(found) > 1 else ""
    return f"{start} ({TEST_NAMES[test]}: p is {lowest:.2g} at best{holms})"


def letters(
    planned: PlannedRun, cells: Cells, metric: int, found: Sequence[CodecPair]
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
    means = weighted_means(cells.values[:, :, metric], cells.sizes[:, :, metric])
    known = [
        place
        for place, codec in enumerate(planned.codecs)
        if not codec.is_anchor and np.isfinite(means[place])
    ]
    up = planned.metrics[metric].direction != "down"
    return sorted(known, key=lambda place: float(means[place]), reverse=up)


def _equal(
    cells: Cells, metric: int, is_rate: bool, pair: tuple[int, int], margin: float | None
) -> Equivalence | None:
    if margin is None:
        return None
    values, sizes = cells.values[:, pair, metric], cells.sizes[:, pair, metric]
    if is_rate:
        differences = rate_differences(values, sizes, cells.speakers)
    else:
        differences = cluster_means(values[:, 0] - values[:, 1], cells.speakers)
    return None if len(differences) < 2 else equivalence(differences, margin=margin)
