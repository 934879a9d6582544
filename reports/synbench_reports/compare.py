"""Which codecs differ on one metric: paired tests over clusters of items, corrected, and letters.

Pairs are differences on the items that both codecs have. Items of one speaker are not independent,
so each speaker is reduced to the mean of its differences before a test; where an item names no
speaker it is a cluster of its own.

References
    F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (6), 1945.
    S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6, 1979.
    D. Schuirmann, "A comparison of the two one-sided tests procedure and the power approach",
        J. Pharmacokinet. Biopharm. 15 (6), 1987.
    H.-P. Piepho, "An algorithm for a letter-based representation of all-pairwise comparisons",
        J. Comput. Graph. Stat. 13 (2), 2004.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Test = Literal["wilcoxon", "sign_flip"]

SIGNIFICANCE = 0.05
# All sign patterns are tried up to this many differences: 2 ** 14 of them.
EXACT_SIGNS = 14
EXACT_RANKS = 50
RANDOM_SIGNS = 20_000
SEED = 20240301

__all__ = [
    "SIGNIFICANCE",
    "Comparison",
    "Equivalence",
    "Test",
    "cluster_means",
    "compare_all",
    "equivalence",
    "holm",
    "sign_flip",
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


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """Two one-sided t-tests of a mean difference against ``-margin`` and ``+margin``.

    Attributes:
        low, high: the interval of confidence ``1 - 2 * SIGNIFICANCE`` that the tests amount to.
        p: the larger of the two one-sided p-values.
    """

    difference: float
    margin: float
    low: float
    high: float
    p: float
    clusters: int

    @property
    def equivalent(self) -> bool:
        """Whether the difference is shown to be smaller than the margin."""
        return self.p < SIGNIFICANCE


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


def sign_flip(differences: Floats) -> float:
    """Two-sided p that the mean is zero, over all sign patterns or a fixed sample of them.

    Sampled patterns count the observed one too, so p is never zero. NaN below two differences.
    """
    count = len(differences)
    if count < 2:
        return float("nan")
    observed = abs(differences.sum())
    slack = 1e-12 * np.abs(differences).sum()
    if count <= EXACT_SIGNS:
        patterns = np.arange(2**count)[:, None] >> np.arange(count) & 1
        sums = np.abs((2 * patterns - 1) @ differences)
        return float(np.mean(sums >= observed - slack))
    generator = np.random.default_rng(SEED)
    reached, block = 0, max(1, 2_000_000 // count)
    for start in range(0, RANDOM_SIGNS, block):
        rows = min(block, RANDOM_SIGNS - start)
        signs = 2.0 * generator.integers(0, 2, size=(rows, count), dtype=np.int8) - 1.0
        reached += int(np.count_nonzero(np.abs(signs @ differences) >= observed - slack))
    return (reached + 1) / (RANDOM_SIGNS + 1)


def holm(values: Sequence[float]) -> list[float]:
    """Holm's corrected p-values, in the same order; NaN stays NaN and does not count."""
    corrected = [float("nan")] * len(values)
    known = sorted((value, place) for place, value in enumerate(values) if value == value)
    largest = 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, min(1.0, value * (len(known) - rank)))
        corrected[place] = largest
    return corrected


def equivalence(
    differences: Floats, *, margin: float, clusters: Integers | None = None
) -> Equivalence:
    """Whether a mean difference is smaller than a margin, in the unit of the metric.

    Raises:
        ValueError: the margin is not positive, or fewer than two clusters have a difference.
    """
    if not margin > 0:
        raise ValueError(f"expected a margin above 0, got {margin}")
    found = cluster_means(differences, clusters)
    if len(found) < 2:
        raise ValueError(f"expected at least two independent differences, got {len(found)}")
    from scipy.special import stdtr, stdtrit

    freedom, mean = len(found) - 1, float(found.mean())
    error = float(found.std(ddof=1)) / len(found) ** 0.5
    if error == 0:
        p, half = (0.0 if abs(mean) < margin else 1.0), 0.0
    else:
        p = float(stdtr(freedom, (abs(mean) - margin) / error))
        half = float(stdtrit(freedom, 1 - SIGNIFICANCE)) * error
    return Equivalence(
        difference=mean,
        margin=margin,
        low=mean - half,
        high=mean + half,
        p=p,
        clusters=len(found),
    )


def compare_all(
    values: Floats,
    *,
    clusters: Integers | None = None,
    test: Test = "wilcoxon",
    pairs: Sequence[tuple[int, int]] | None = None,
) -> list[Comparison]:
    """Pairs of codecs, as one family for Holm's correction.

    Args:
        values: shape ``(item, codec)``, NaN where there is no score.
        pairs: places of first and second; every pair where not given.
    """
    run: Callable[[Floats], float] = wilcoxon if test == "wilcoxon" else sign_flip
    if pairs is None:
        pairs = list(combinations(range(values.shape[1]), 2))
    differences = [values[:, first] - values[:, second] for first, second in pairs]
    reduced = [cluster_means(difference, clusters) for difference in differences]
    p_values = [run(means) for means in reduced]
    return [
        Comparison(
            first=first,
            second=second,
            difference=float(np.nanmean(difference)) if len(means) else float("nan"),
            items=int(np.isfinite(difference).sum()),
            clusters=len(means),
            p=p,
            p_holm=corrected,
        )
        for (first, second), difference, means, p, corrected in zip(
            pairs, differences, reduced, p_values, holm(p_values), strict=True
        )
    ]


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
