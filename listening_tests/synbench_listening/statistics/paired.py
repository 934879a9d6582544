"""Conditions in pairs, by the differences of listener means.

The paired t-test has no pooled variance, as BS.1534-3 wants it. The signed-rank test with ties or
zeros is only approximate beyond 13 listeners: there the sign-flip permutation stands beside it and
is the one to read. All of them take items as given: they say nothing of other items.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from synbench.statistics.clusters import Floats
from synbench.statistics.multiplicity import Correction, correct
from synbench.statistics.paired_tests import paired_t
from synbench.statistics.permutation import sign_flip
from synbench.statistics.signed_ranks import has_ties, wilcoxon
from synbench_listening.statistics.intervals import mean_interval
from synbench_listening.statistics.listener_table import ListenerTable

SEED = 20240518

__all__ = ["Pair", "compare_pairs", "median_permutation", "pair_differences"]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """``first`` minus ``second`` over the listeners who rated both.

    Attributes:
        effect: Cohen's d of paired differences: their mean over their standard deviation.
        ties: a difference is zero or two have the same size, so that ``p_wilcoxon`` is doubtful.
        p_corrected, p_wilcoxon_corrected, p_sign_flip_corrected: over all pairs, each test by
            itself.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    listeners: int
    t: float
    p: float
    p_corrected: float
    effect: float
    p_wilcoxon: float
    p_wilcoxon_corrected: float
    p_sign_flip: float
    p_sign_flip_corrected: float
    ties: bool


def compare_pairs(table: ListenerTable, *, correction: Correction = "holm") -> list[Pair]:
    """All pairs of conditions, as one family for the correction."""
    pairs = list(combinations(range(len(table.conditions)), 2))
    differences = [pair_differences(table, *pair) for pair in pairs]
    tests = [paired_t(gaps) for gaps in differences]
    ranks, flips = map(wilcoxon, differences), map(sign_flip, differences)
    columns = [[p for _, p in tests], list(ranks), list(flips)]
    corrected = [correct(column, correction) for column in columns]
    result = []
    for number, ((first, second), gaps) in enumerate(zip(pairs, differences, strict=True)):
        interval = mean_interval(gaps)
        spread = float(gaps.std(ddof=1)) if len(gaps) > 1 else float("nan")
        result.append(
            Pair(
                first=table.conditions[first],
                second=table.conditions[second],
                difference=interval.mean,
                low=interval.low,
                high=interval.high,
                listeners=len(gaps),
                t=tests[number][0],
                p=tests[number][1],
                p_corrected=corrected[0][number],
                effect=interval.mean / spread if spread else float("nan"),
                p_wilcoxon=columns[1][number],
                p_wilcoxon_corrected=corrected[1][number],
                p_sign_flip=columns[2][number],
                p_sign_flip_corrected=corrected[2][number],
                ties=has_ties(gaps),
            )
        )
    return result


def pair_differences(table: ListenerTable, first: int, second: int) -> Floats:
    """First minus second of the listeners who rated both, by numbers of the conditions."""
    gaps = table.values[:, first] - table.values[:, second]
    known: Floats = gaps[np.isfinite(gaps)]
    return known


def median_permutation(
    first: Floats, second: Floats, *, resplits: int = 10_000, seed: int = SEED
) -> tuple[float, float]:
    """Difference of medians of pooled ratings, and the share of random re-splits above it.

    This is the test of attachment 3 of BS.1534-3. It ignores that the same listeners gave both
    sets of ratings: the sign-flip test of listener means is the better one.
    """
    observed = abs(float(np.median(first)) - float(np.median(second)))
    pool = np.concatenate([first, second])
    generator = np.random.default_rng(seed)
    above = 0
    for _ in range(10):
        order = generator.permuted(np.tile(pool, (resplits // 10, 1)), axis=1)
        medians = np.median(order[:, : len(first)], axis=1)
        others = np.median(order[:, len(first) :], axis=1)
        above += int(np.count_nonzero(np.abs(medians - others) > observed + 1e-9))
    return observed, above / (resplits // 10 * 10)
