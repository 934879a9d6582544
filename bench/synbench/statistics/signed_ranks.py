"""Wilcoxon's signed-rank test, of one set of differences or of many sets of one size at once.

Ranks are of sizes, so the test is about most speakers, not about the mean: with skewed differences
the two may point in opposite directions.

Shapes: n differences, k sets.

Reference
    F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (6), 1945.
"""

from __future__ import annotations

import functools
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from synbench.statistics.clusters import Floats, Integers

# Differences up to which ranks are counted exactly: without equal sizes, and with them.
EXACT_RANKS = 50
EXACT_TIED_RANKS = 13
# Sizes that differ by less than this share of the largest are the same but for rounding.
SAME_SIZE_DIGITS = 9
# Distributions that are kept: with ties nearly every set has one of its own.
KEPT_DISTRIBUTIONS = 256

__all__ = [
    "has_ties",
    "p_and_directions",
    "rank_directions",
    "wilcoxon",
    "wilcoxon_each",
]


def wilcoxon(differences: Floats) -> float:
    """Two-sided p of the signed-rank test; zeros are dropped, equal sizes share their mean rank.

    As scipy decides it: exact up to 50 differences, with zeros or equal sizes up to 13 (over all
    patterns of signs), by a normal approximation without correction for continuity beyond. 1 where
    all are zero, NaN below two differences. Written here since importing ``scipy.stats`` takes
    longer than a whole table.
    """
    return float(wilcoxon_each(differences[:, None])[0])


def wilcoxon_each(differences: Floats) -> Floats:
    """Which side has the larger ranks: 1 the positive, -1 the negative, 0 neither; of each set.

    From shape ``(n, k)`` to ``(k,)``.
    """
    return p_and_directions(differences)[0]


def p_and_directions(differences: Floats) -> tuple[Floats, Integers]:
    """Two-sided p and the side with the larger ranks of every set, ``(n, k)`` to two ``(k,)``.

    Sides are 1 the positive, -1 the negative, 0 neither.
    """
    ranks, signs, tied = _signed_ranks(differences)
    directions: Integers = np.sign((ranks * signs).sum(axis=0)).astype(np.int64)
    return _p_values(ranks, signs, tied), directions


def _p_values(ranks: Integers, signs: Floats, tied: NDArray[np.bool_]) -> Floats:
    count, sets = ranks.shape
    if count < 2:
        return np.full(sets, np.nan)
    positive, total = (ranks * (signs > 0)).sum(axis=0), ranks.sum(axis=0)
    p = np.ones(sets)
    exact = count <= np.where(tied, EXACT_TIED_RANKS, EXACT_RANKS)
    for number in np.flatnonzero(~exact & (total > 0)):
        deviation = float(np.sum(ranks[:, number].astype(np.float64) ** 2)) ** 0.5 / 2
        distance = abs(float(positive[number]) - float(total[number]) / 2)
        p[number] = 2 * NormalDist().cdf(-distance / deviation)
    counted = np.flatnonzero(exact & (total > 0))
    if not counted.size:
        return p  # what follows would sort nothing at the price of a type with n fields
    patterns, which = np.unique(ranks[:, counted], axis=1, return_inverse=True)
    for index, pattern in enumerate(patterns.T):
        below, above = _tails(tuple(int(rank) for rank in pattern if rank))
        alike = counted[which.ravel() == index]
        tail = np.minimum(below[positive[alike]], above[positive[alike]])
        p[alike] = np.minimum(1.0, 2 * tail)
    return p


def rank_directions(differences: Floats) -> Integers:
    """Which side has the larger ranks: 1 the positive, -1 the negative, 0 neither; of each set.

    From shape ``(n, k)`` to ``(k,)``.
    """
    return p_and_directions(differences)[1]


def has_ties(differences: Floats) -> bool:
    """Whether a difference is zero, or two are of the same size but for rounding."""
    return bool(_signed_ranks(differences[:, None])[2][0])


def _signed_ranks(differences: Floats) -> tuple[Integers, Floats, NDArray[np.bool_]]:
    """Twice the mean ranks of the sizes, so that they are whole numbers, and the signs.

    Both of shape ``(n, k)`` and by rising size; zeros have rank 0. The third, ``(k,)``, is whether
    there are zeros or equal sizes.
    """
    count, sets = differences.shape
    scale = np.abs(differences).max(axis=0, initial=0.0)
    shares = np.divide(differences, scale, out=np.zeros_like(differences), where=scale > 0)
    rounded = np.round(shares, SAME_SIZE_DIGITS)
    order = np.argsort(np.abs(rounded), axis=0, kind="stable")
    rounded = np.take_along_axis(rounded, order, axis=0)
    sizes = np.abs(rounded)
    edge = np.ones((1, sets), dtype=bool)
    starts = np.concatenate([edge, sizes[1:] != sizes[:-1]])[:count]
    ends = np.concatenate([starts[1:], edge])[:count]
    position = np.arange(1, count + 1)[:, None]
    first = np.maximum.accumulate(np.where(starts, position, 0), axis=0)
    last = np.minimum.accumulate(np.where(ends, position, count)[::-1], axis=0)[::-1]
    zeros = (sizes == 0).sum(axis=0)
    ranks = np.where(sizes == 0, 0, first + last - 2 * zeros).astype(np.int64)
    return ranks, np.sign(rounded), (zeros > 0) | ~starts.all(axis=0)


@functools.lru_cache(maxsize=KEPT_DISTRIBUTIONS)
def _tails(ranks: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Chance that the sum of the positive ranks is at most, and at least, each number from 0 on."""
    chances = np.zeros(sum(ranks) + 1)
    chances[0] = 1.0
    for rank in ranks:
        chances[rank:] += chances[:-rank].copy()
        chances /= 2
    return np.cumsum(chances), np.cumsum(chances[::-1])[::-1]
