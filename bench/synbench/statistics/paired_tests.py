"""Which codecs differ on one metric: paired tests over clusters of items, corrected.

Pairs are differences on the items that both codecs have. Items of one speaker are not independent,
so a difference is as sure as its speakers are many; where an item names no speaker it is a cluster
of its own.

    corrected_t  about the mean that is printed, and its interval: the default
    t            Student's, over cluster means
    sign_flip    permutation of signs of cluster means, also about means
    swap_rates   permutation of error rates of the corpus: the codecs are swapped within clusters
    wilcoxon     about ranks, not means: it may find a difference in the other direction

References
    F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (6), 1945.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Literal

import numpy as np

from synbench.statistics.clusters import (
    Floats,
    Integers,
    cluster_means,
    cluster_sums,
    common_items,
)
from synbench.statistics.means import estimate_differences
from synbench.statistics.multiplicity import SIGNIFICANCE, correct
from synbench.statistics.permutation import EXACT_SIGNS, sign_flip, swap_rates

Test = Literal["corrected_t", "t", "sign_flip", "swap_rates", "wilcoxon"]

# Differences up to which ranks are counted exactly: without equal sizes, and with them.
EXACT_RANKS = 50
EXACT_TIED_RANKS = 13
# Sizes that differ by less than this share of the largest are the same but for rounding.
SAME_SIZE_DIGITS = 9

__all__ = [
    "Comparison",
    "Test",
    "compare_all",
    "has_ties",
    "paired_t",
    "rank_direction",
    "smallest_p",
    "wilcoxon",
]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Codec ``first`` against ``second`` (numbers on the codec axis).

    Attributes:
        difference: mean of first minus second over the items that both have.
        spread: standard deviation of one cluster's difference, for planning; NaN where unknown.
        items, clusters: how many of each the difference rests on.
        p: two-sided, before correction; NaN with fewer than two clusters.
        p_holm: corrected over all pairs of the family; NaN where p is.
    """

    first: int
    second: int
    difference: float
    spread: float
    items: int
    clusters: int
    p: float
    p_holm: float

    @property
    def differs(self) -> bool:
        """Whether the corrected test says so."""
        return self.p_holm < SIGNIFICANCE


def paired_t(differences: Floats) -> tuple[float, float]:
    """Student's t and two-sided p that the mean is zero; NaN below two, or where all are equal."""
    from scipy.special import stdtr

    n = len(differences)
    spread = float(differences.std(ddof=1)) if n > 1 else 0.0
    if spread <= 1e-12 * max(1.0, float(np.abs(differences).max(initial=0.0))):
        return float("nan"), float("nan")
    t = float(differences.mean()) / spread * n**0.5
    return t, 2 * float(stdtr(n - 1, -abs(t)))


def wilcoxon(differences: Floats) -> float:
    """Two-sided p of the signed-rank test; zeros are dropped, equal sizes share their mean rank.

    As scipy decides it: exact up to 50 differences, with zeros or equal sizes up to 13 (over all
    patterns of signs), by a normal approximation without correction for continuity beyond. 1 where
    all are zero, NaN below two differences. Written here since importing ``scipy.stats`` takes
    longer than a whole table.
    """
    if len(differences) < 2:
        return float("nan")
    if not differences.any():
        return 1.0
    ranks, signs = _signed_ranks(differences)
    positive, total = int(ranks[signs > 0].sum()), int(ranks.sum())
    most = EXACT_TIED_RANKS if has_ties(differences) else EXACT_RANKS
    if len(differences) > most:
        deviation = float(np.sum(ranks.astype(np.float64) ** 2)) ** 0.5 / 2
        return 2 * NormalDist().cdf(-abs(positive - total / 2) / deviation)
    chances = np.zeros(total + 1)
    chances[0] = 1.0
    for rank in ranks:
        chances[rank:] += chances[:-rank].copy()
        chances /= 2
    tail = min(chances[: positive + 1].sum(), chances[positive:].sum())
    return min(1.0, 2 * float(tail))


def rank_direction(differences: Floats) -> int:
    """Which side has the larger ranks: 1 the positive, -1 the negative, 0 neither."""
    if not differences.any():
        return 0
    ranks, signs = _signed_ranks(differences)
    return int(np.sign((ranks * signs).sum()))


def has_ties(differences: Floats) -> bool:
    """Whether a difference is zero, or two are of the same size but for rounding."""
    sizes = np.abs(_rounded(differences))
    return bool((sizes == 0).any()) or len(np.unique(sizes)) < len(sizes)


def compare_all(
    values: Floats,
    *,
    sizes: Floats | None = None,
    clusters: Integers | None = None,
    test: Test = "corrected_t",
    pairs: Sequence[tuple[int, int]] | None = None,
) -> list[Comparison]:
    """Pairs of codecs, as one family for Holm's correction.

    Args:
        values: shape ``(item, codec)``, NaN where there is no score.
        sizes: how much each value counts, likewise; all alike where not given.
        test: see the module; ``swap_rates`` is for error rates with their words as sizes, and of
            the others only ``corrected_t`` looks at sizes.
        pairs: numbers of first and second; every pair where not given.
    """
    if pairs is None:
        pairs = list(combinations(range(values.shape[1]), 2))
    if not pairs:
        return []
    estimates = estimate_differences(values, pairs, clusters=clusters, sizes=sizes)
    if test == "corrected_t":
        p_values = [float(p) for p in estimates.p()]
    elif test == "swap_rates":
        p_values = _swapped(values, pairs, sizes, clusters)
    else:
        first, second = common_items(values, pairs)
        reduced = [cluster_means(gaps, clusters) for gaps in (first - second).T]
        p_values = [TESTS[test](means) for means in reduced]
    spread = estimates.error * np.sqrt(estimates.clusters)
    return [
        Comparison(
            first=pair[0],
            second=pair[1],
            difference=float(estimates.mean[number]),
            spread=float(spread[number]),
            items=int(estimates.count[number]),
            clusters=int(estimates.clusters[number]),
            p=p_values[number],
            p_holm=corrected,
        )
        for number, (pair, corrected) in enumerate(zip(pairs, correct(p_values), strict=True))
    ]


def smallest_p(clusters: int, test: Test) -> float:
    """The smallest p that a test can give with so many clusters: all of them favour one codec.

    More clusters than signs are tried exactly for are not tried: they only make it smaller. The
    t-tests have no smallest p.
    """
    if test in ("corrected_t", "t"):
        return 0.0 if clusters > 1 else float("nan")
    gaps = np.arange(1.0, 1.0 + min(clusters, EXACT_SIGNS))
    if test != "swap_rates":
        return TESTS[test](gaps)
    errors = np.stack([gaps, np.zeros_like(gaps)], axis=1)[:, :, None]
    return swap_rates(errors, np.ones_like(errors) * len(gaps))[0]


def _signed_ranks(differences: Floats) -> tuple[Integers, Floats]:
    """Twice the mean ranks of the sizes, so that they are whole numbers, and the signs."""
    kept = _rounded(differences)
    kept = kept[kept != 0]
    _, inverse, counts = np.unique(np.abs(kept), return_inverse=True, return_counts=True)
    ranks: Integers = (2 * np.cumsum(counts) - counts + 1)[inverse].astype(np.int64)
    return ranks, np.sign(kept)


def _rounded(differences: Floats) -> Floats:
    scale = float(np.abs(differences).max(initial=0.0))
    if scale == 0:
        return differences
    rounded: Floats = np.round(differences / scale, SAME_SIZE_DIGITS)
    return rounded


def _swapped(
    values: Floats,
    pairs: Sequence[tuple[int, int]],
    sizes: Floats | None,
    clusters: Integers | None,
) -> list[float]:
    """The test on rates and their sizes, both summed per cluster, shape ``(cluster, 2, pair)``."""
    sides = common_items(values, pairs)
    counts = np.ones_like(values) if sizes is None else sizes
    units = [
        np.where(np.isfinite(own), counts[:, [pair[side] for pair in pairs]], 0.0)
        for side, own in enumerate(sides)
    ]
    errors = [
        np.where(np.isfinite(own), own, 0.0) * unit for own, unit in zip(sides, units, strict=True)
    ]
    if clusters is not None:
        errors = [cluster_sums(part, clusters) for part in errors]
        units = [cluster_sums(part, clusters) for part in units]
    return swap_rates(np.stack(errors, axis=1), np.stack(units, axis=1))


TESTS: Mapping[str, Callable[[Floats], float]] = {
    "t": lambda differences: paired_t(differences)[1],
    "wilcoxon": wilcoxon,
    "sign_flip": sign_flip,
}
