"""Pairs of codecs of a run on one metric: difference with interval, tests, verdict, letters.

The difference is that of the two numbers that a table prints, on the items that both codecs have:
of means, or of error rates of the corpus. The default test is about that difference and agrees with
its interval; ranks may see it otherwise, which is then said. A distance of the whole corpus has no
pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from synbench.results.cells import Cells
from synbench.results.planned import PlannedMetric, PlannedRun
from synbench.statistics.clusters import cluster_means, weighted_means
from synbench.statistics.equivalence import Equivalence, equivalences
from synbench.statistics.means import FEWEST_CLUSTERS, estimate_differences
from synbench.statistics.multiplicity import SIGNIFICANCE, correct, tie_letters
from synbench.statistics.paired_tests import (
    Comparison,
    Test,
    compare_all,
    smallest_p,
)
from synbench.statistics.power import units_needed
from synbench.statistics.signed_ranks import p_and_directions

Verdict = Literal[
    "equal within the margin",
    "differs, by less than the margin",
    "differs",
    "ranks differ, the mean the other way",
    "not told apart",
    "too few",
]

TEST_NAMES: Mapping[Test, str] = {
    "corrected_t": "t-test of the mean, corrected for skewness",
    "t": "Student's t-test",
    "wilcoxon": "Wilcoxon signed-rank test (of ranks, not of means)",
    "sign_flip": "sign-flip permutation test",
    "swap_rates": "permutation test of pooled rates",
}

__all__ = [
    "TEST_NAMES",
    "CodecPair",
    "Ranks",
    "Verdict",
    "clusters_needed",
    "compare_codecs",
    "letters",
    "letters_of",
    "out_of_reach",
    "pairs",
    "pairs_of",
    "test_of",
]


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """What the signed ranks of speakers say of a pair; ``direction`` 1 is in favour of first."""

    direction: int
    p_holm: float


@dataclass(frozen=True, kw_only=True)
class CodecPair:
    """Codec ``first`` minus ``second`` on the items that both have.

    Attributes:
        low, high: ends of the 95 % interval of the difference, NaN where there is none.
        spread: standard deviation of one speaker's difference; NaN where unknown.
        test: which paired test gave ``p``.
        p, p_holm: two-sided, before and after Holm's correction over the family.
        equal: the equivalence test; ``None`` without a margin or with too few speakers or items.
        ranks: Wilcoxon's view; ``None`` of error rates.
        needed: speakers (or items) that would show a difference of this size, four times in five
            at the level of this family; ``None`` where it is shown, zero, or beyond counting.
        long_tail: whether few of not many speakers (or items) carry the difference.
    """

    metric: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    spread: float
    items: int
    clusters: int
    test: Test
    p: float
    p_holm: float
    equal: Equivalence | None
    ranks: Ranks | None
    needed: int | None
    long_tail: bool = False

    @property
    def verdict(self) -> Verdict:
        """What the tests say together; no difference found is no proof of equality."""
        differs = self.p_holm < SIGNIFICANCE
        if np.isnan(self.p) or self.clusters < FEWEST_CLUSTERS:
            return "too few"
        if self.equal is not None and self.equal.equivalent:
            return "differs, by less than the margin" if differs else "equal within the margin"
        if differs and self.test == "wilcoxon" and self.ranks_disagree:
            return "ranks differ, the mean the other way"
        return "differs" if differs else "not told apart"

    @property
    def ranks_favour(self) -> str | None:
        """The codec whose numbers are the larger ones by ranks."""
        if self.ranks is None or not self.ranks.direction:
            return None
        return self.first if self.ranks.direction > 0 else self.second

    @property
    def ranks_disagree(self) -> bool:
        """Whether ranks alone would find a difference, in the direction opposite to the mean's."""
        ranks = self.ranks
        return (
            ranks is not None
            and ranks.p_holm < SIGNIFICANCE
            and ranks.direction * self.difference < 0
        )


def pairs(
    planned: PlannedRun,
    cells: Cells,
    metric: int,
    *,
    against: str | None = None,
    margin: float | None = None,
    test: Test = "corrected_t",
) -> list[CodecPair]:
    """All pairs of competitors, best first in each; anchors take no part.

    Args:
        metric: index on the metric axis.
        against: only pairs with the codec of this label, which comes second.
        margin: largest difference that still counts as equal, in the metric's unit.
        test: which paired test gives ``p``, see :func:`test_of`.
    """
    if planned.metrics[metric].is_distance:
        return []
    codec_indices = _ranked(planned, cells, metric)
    if against is not None:
        fixed = [
            codec_index
            for codec_index, codec in enumerate(planned.codecs)
            if codec.label == against
        ]
        chosen = [
            (codec_index, other)
            for other in fixed
            for codec_index in codec_indices
            if codec_index != other
        ]
    else:
        chosen = list(combinations(codec_indices, 2))
    return pairs_of(planned, cells, metric, chosen, margin=margin, test=test)


def pairs_of(
    planned: PlannedRun,
    cells: Cells,
    metric: int,
    chosen: Sequence[tuple[int, int]],
    *,
    margin: float | None = None,
    test: Test = "corrected_t",
) -> list[CodecPair]:
    """Some pairs, by their indices on the codec axis, as one family; otherwise as :func:`pairs`."""
    kind = planned.metrics[metric]
    if not chosen:
        return []
    comparisons = compare_codecs(planned, cells, metric, chosen, test=test)
    values, sizes = cells.values[:, :, metric], cells.sizes[:, :, metric]
    ends = estimate_differences(values, chosen, clusters=cells.speakers, sizes=sizes)
    low, high, long_tailed = ends.low, ends.high, ends.long_tailed
    equal: list[Equivalence | None] = [None] * len(chosen)
    if margin is not None:
        equal = [
            one if one.clusters >= FEWEST_CLUSTERS else None
            for one in equivalences(
                values, chosen, margin=margin, clusters=cells.speakers, sizes=sizes
            )
        ]
    ranks = [None] * len(chosen) if kind.is_rate else _ranks(cells, metric, chosen)
    family = sum(one.p == one.p for one in comparisons)
    return [
        CodecPair(
            metric=kind.column,
            first=planned.codecs[one.first].label,
            second=planned.codecs[one.second].label,
            difference=one.difference,
            low=float(low[number]),
            high=float(high[number]),
            spread=one.spread,
            items=one.items,
            clusters=one.clusters,
            test=test_of(kind, test),
            p=one.p,
            p_holm=one.p_holm,
            equal=equal[number],
            ranks=ranks[number],
            needed=clusters_needed(one, family),
            long_tail=bool(long_tailed[number]),
        )
        for number, one in enumerate(comparisons)
    ]


def _ranks(cells: Cells, metric: int, chosen: Sequence[tuple[int, int]]) -> list[Ranks | None]:
    values = cells.values[:, :, metric]
    gaps = [
        cluster_means(values[:, first] - values[:, second], cells.speakers)
        for first, second in chosen
    ]
    tests = [p_and_directions(one[:, None]) for one in gaps]
    p_values = correct([float(p[0]) for p, _ in tests])
    return [
        Ranks(direction=int(direction[0]), p_holm=p)
        for (_, direction), p in zip(tests, p_values, strict=True)
    ]


def clusters_needed(one: Comparison, family: int) -> int | None:
    """Speakers (or items) that would show a difference of this size among so many pairs."""
    if one.differs or not (one.spread > 0 and one.difference != 0):
        return None
    try:
        needed = units_needed(
            abs(one.difference), one.spread, alpha=SIGNIFICANCE / family, corrected=True
        )
    except ValueError:
        return None
    return max(needed, FEWEST_CLUSTERS)


def test_of(metric: PlannedMetric, asked: Test = "corrected_t") -> Test:
    """The test of a metric: error rates have a permutation of their own, and no ranks."""
    return "swap_rates" if metric.is_rate and asked != "corrected_t" else asked


def compare_codecs(
    planned: PlannedRun,
    cells: Cells,
    metric: int,
    chosen: Sequence[tuple[int, int]],
    *,
    test: Test = "corrected_t",
) -> list[Comparison]:
    """The paired tests of a metric, which tables, letters and lists of pairs share.

    Args:
        chosen: indices of first and second on the codec axis, one family for Holm's correction.
    """
    return compare_all(
        cells.values[:, :, metric],
        sizes=cells.sizes[:, :, metric],
        clusters=cells.speakers,
        test=test_of(planned.metrics[metric], test),
        pairs=chosen,
    )


def out_of_reach(cells: Cells, compared: Sequence[Comparison | CodecPair], test: Test) -> str:
    """Why no pair of a family can be told apart, whatever its difference; empty where one can.

    With few clusters even differences that all favour one codec are too likely to be chance.
    """
    most = max((one.clusters for one in compared), default=0)
    if not most:
        return ""
    unit = ("item" if cells.speakers is None else "speaker") + ("s" if most > 1 else "")
    if most < FEWEST_CLUSTERS:
        return f"{most} {unit}: no test over fewer than {FEWEST_CLUSTERS} holds its level"
    lowest = smallest_p(most, test)
    corrected = correct([lowest] * len(compared))[0]
    if corrected < SIGNIFICANCE:
        return ""
    holms = f", {corrected:.2g} after Holm over {len(compared)} pairs" if len(compared) > 1 else ""
    start = f"{most} {unit}: no paired test over them can reach {SIGNIFICANCE:.0%}"
    return f"{start} ({TEST_NAMES[test]}: p is {lowest:.2g} at best{holms})"


def letters(
    planned: PlannedRun, cells: Cells, metric: int, compared: Sequence[CodecPair]
) -> Mapping[str, str]:
    """Letters by label, best first: two codecs share one where no test tells them apart."""
    codec_indices = {codec.label: codec_index for codec_index, codec in enumerate(planned.codecs)}
    differing = {
        (codec_indices[pair.first], codec_indices[pair.second])
        for pair in compared
        if pair.p_holm < SIGNIFICANCE and pair.clusters >= FEWEST_CLUSTERS
    }
    given = tie_letters(_ranked(planned, cells, metric), differing)
    return {planned.codecs[codec_index].label: text for codec_index, text in given.items()}


def letters_of(
    planned: PlannedRun, cells: Cells, metric: int, family: Sequence[Comparison]
) -> dict[int, str]:
    """Likewise by place on the codec axis, from the tests of all pairs."""
    differing = {
        (one.first, one.second) for one in family if one.differs and one.clusters >= FEWEST_CLUSTERS
    }
    return tie_letters(_ranked(planned, cells, metric), differing)


def _ranked(planned: PlannedRun, cells: Cells, metric: int) -> list[int]:
    """Places of the competitors that have scores, the best mean first."""
    means = weighted_means(cells.values[:, :, metric], cells.sizes[:, :, metric])
    known = [
        codec_index
        for codec_index, codec in enumerate(planned.codecs)
        if not codec.is_anchor and np.isfinite(means[codec_index])
    ]
    up = planned.metrics[metric].direction != "down"
    return sorted(known, key=lambda codec_index: float(means[codec_index]), reverse=up)
