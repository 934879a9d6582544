"""Which codecs differ on one metric: paired tests over clusters of items, corrected, and letters.

Pairs are differences on the items that both codecs have. Items of one speaker are not independent,
so each speaker is reduced to the mean of its differences before a test; where an item names no
speaker it is a cluster of its own. Rates of the whole corpus (all errors over all reference words)
are compared as such: speakers are reduced to their errors and words, see
:mod:`synbench.statistics.permutation`.

References
    F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (6), 1945.
    S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6, 1979.
    H.-P. Piepho, "An algorithm for a letter-based representation of all-pairwise comparisons",
        J. Comput. Graph. Stat. 13 (2), 2004.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synbench.statistics.bootstrap import cluster_sums, common_items, weighted_means
from synbench.statistics.permutation import EXACT_SIGNS, sign_flip, swap_rates

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Test = Literal["wilcoxon", "sign_flip", "swap_rates"]

SIGNIFICANCE = 0.05
EXACT_RANKS = 50

__all__ = [
    "SIGNIFICANCE",
    "Comparison",
    "Test",
    "cluster_means",
    "compare_all",
    "holm",
    "smallest_p",
    "tie_letters",
    "wilcoxon",
]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Codec ``first`` against ``second`` (places on the codec axis).

    Attributes:
        difference: mean of first minus second over the items that both have.
        items, clusters: how many of each the difference rests on.
        p: two-sided, before correction; NaN with fewer than two clusters.
        p_holm: corrected over all pairs of the family; NaN where p is.
    """

    first: int
    second: int
    difference: float
    items: int
    clusters: int
    p: float
    p_holm: float

    @property
    def differs(self) -> bool:
        """Whether the corrected test says so."""
        return self.p_holm < SIGNIFICANCE


def cluster_means(differences: Floats, clusters: Integers | None = None) -> Floats:
    """Means per cluster of the finite differences; empty clusters are left out.

    Args:
        differences: shape ``(item,)``, NaN where one side lacks the item.
        clusters: shape ``(item,)``, numbers from 0; ``None`` makes every item one of its own.
    """
    known = np.isfinite(differences)
    if clusters is None:
        return differences[known]
    counts = np.bincount(clusters[known])
    sums = np.bincount(clusters[known], weights=differences[known])
    means: Floats = sums[counts > 0] / counts[counts > 0]
    return means


def wilcoxon(differences: Floats) -> float:
    """Two-sided p of the signed-rank test; zeros are dropped, equal sizes share their mean rank.

    Exact up to 50 differences, by a normal approximation beyond. 1 where all are zero, NaN below
    two differences. Written here since importing ``scipy.stats`` takes longer than a whole table.
    """
    if len(differences) < 2:
        return float("nan")
    found = differences[differences != 0]
    if not len(found):
        return 1.0
    _, inverse, counts = np.unique(np.abs(found), return_inverse=True, return_counts=True)
    # Twice the mean ranks, so that they are whole numbers.
    ranks = (2 * np.cumsum(counts) - counts + 1)[inverse]
    positive, total = int(ranks[found > 0].sum()), int(ranks.sum())
    if len(found) > EXACT_RANKS:
        deviation = float(np.sum(ranks.astype(np.float64) ** 2)) ** 0.5 / 2
        return 2 * NormalDist().cdf(-abs(positive - total / 2) / deviation)
    chances = np.zeros(total + 1)
    chances[0] = 1.0
    for rank in ranks:
        chances[rank:] += chances[:-rank].copy()
        chances /= 2
    tail = min(chances[: positive + 1].sum(), chances[positive:].sum())
    return min(1.0, 2 * float(tail))


def holm(values: Sequence[float]) -> list[float]:
    """Holm's corrected p-values, in the same order; NaN stays NaN and does not count."""
    corrected = [float("nan")] * len(values)
    known = sorted((value, place) for place, value in enumerate(values) if value == value)
    largest = 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, min(1.0, value * (len(known) - rank)))
        corrected[place] = largest
    return corrected


def compare_all(
    values: Floats,
    *,
    sizes: Floats | None = None,
    clusters: Integers | None = None,
    test: Test = "wilcoxon",
    pairs: Sequence[tuple[int, int]] | None = None,
) -> list[Comparison]:
    """Pairs of codecs, as one family for Holm's correction.

    Args:
        values: shape ``(item, codec)``, NaN where there is no score.
        sizes: how much each value counts, likewise; all alike where not given.
        test: ``swap_rates`` for error rates with their numbers of words as sizes, which the other
            tests do not look at.
        pairs: places of first and second; every pair where not given.
    """
    if pairs is None:
        pairs = list(combinations(range(values.shape[1]), 2))
    if not pairs:
        return []
    first, second = common_items(values, pairs)
    sizes = np.ones_like(values) if sizes is None else sizes
    weights = [sizes[:, [pair[side] for pair in pairs]] for side in (0, 1)]
    gaps = weighted_means(first, weights[0]) - weighted_means(second, weights[1])
    differences = first - second
    reduced = [cluster_means(difference, clusters) for difference in differences.T]
    if test == "swap_rates":
        p_values = _swapped(np.stack([first, second], axis=1), np.stack(weights, axis=1), clusters)
    else:
        p_values = [TESTS[test](means) for means in reduced]
    return [
        Comparison(
            first=pair[0],
            second=pair[1],
            difference=float(gaps[place]),
            items=int(np.isfinite(differences[:, place]).sum()),
            clusters=len(reduced[place]),
            p=p_values[place],
            p_holm=corrected,
        )
        for place, (pair, corrected) in enumerate(zip(pairs, holm(p_values), strict=True))
    ]


def smallest_p(clusters: int, test: Test) -> float:
    """The smallest p that a test can give with so many clusters: all of them favour one codec.

    More than 14 clusters are not tried: they only make it smaller.
    """
    gaps = np.arange(1.0, 1.0 + min(clusters, EXACT_SIGNS))
    if test != "swap_rates":
        return TESTS[test](gaps)
    errors = np.stack([gaps, np.zeros_like(gaps)], axis=1)[:, :, None]
    return swap_rates(errors, np.ones_like(errors) * len(gaps))[0]


def _swapped(values: Floats, sizes: Floats, clusters: Integers | None) -> list[float]:
    """The test on rates and their sizes, shape ``(item, 2, pair)``."""
    units = np.where(np.isfinite(values), sizes, 0.0)
    errors = np.where(np.isfinite(values), values * units, 0.0)
    if clusters is None:
        return swap_rates(errors, units)
    shape = (-1, *values.shape[1:])
    sums = (cluster_sums(part.reshape(len(part), -1), clusters) for part in (errors, units))
    return swap_rates(*(part.reshape(shape) for part in sums))


TESTS: Mapping[str, Callable[[Floats], float]] = {"wilcoxon": wilcoxon, "sign_flip": sign_flip}


def tie_letters(order: Sequence[int], differing: set[tuple[int, int]]) -> dict[int, str]:
    """Letters such that two codecs share one exactly where no test tells them apart.

    Args:
        order: places of the codecs, best first; the best has the letter a.
        differing: pairs told apart, in either order.
    """
    groups: list[set[int]] = [set(order)]
    for first, second in combinations(order, 2):
        if (first, second) not in differing and (second, first) not in differing:
            continue
        split: list[set[int]] = []
        for group in groups:
            both = first in group and second in group
            split += [group - {first}, group - {second}] if both else [group]
        groups = []
        for group in sorted(split, key=len, reverse=True):
            if group and not any(group <= kept for kept in groups):
                groups.append(group)
    rank = {place: position for position, place in enumerate(order)}
    groups.sort(key=lambda group: sorted(rank[place] for place in group))
    return {
        place: "".join(_letter(number) for number, group in enumerate(groups) if place in group)
        for place in order
    }


def _letter(number: int) -> str:
    letters = string.ascii_lowercase
    return letters[number % 26] + (str(number // 26) if number >= 26 else "")
