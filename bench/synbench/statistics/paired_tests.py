"""Which codecs differ on one metric: paired tests over clusters of items, corrected.

Pairs are differences on the items that both codecs have. Items of one speaker are not independent,
so a difference is as sure as its speakers are many; where an item names no speaker it is a cluster
of its own.

    corrected_t  about the mean that is printed, and its interval: the default
    t            Student's, over cluster means
    sign_flip    permutation of signs of cluster means, also about means
    swap_rates   permutation of error rates of the corpus: the codecs are swapped within clusters
    wilcoxon     about ranks, not means: it may find a difference in the other direction
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
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
from synbench.statistics.signed_ranks import wilcoxon

Test = Literal["corrected_t", "t", "sign_flip", "swap_rates", "wilcoxon"]

__all__ = [
    "Comparison",
    "Test",
    "compare_all",
    "paired_t",
    "paired_t_each",
    "smallest_p",
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
    t, p = paired_t_each(differences[:, None])
    return float(t[0]), float(p[0])


def paired_t_each(differences: Floats) -> tuple[Floats, Floats]:
    """The same of every set, from shape ``(difference, set)`` to two of ``(set,)``."""
    from scipy.special import stdtr

    count, sets = differences.shape
    spread = differences.std(axis=0, ddof=1) if count > 1 else np.zeros(sets)
    scale = np.maximum(1.0, np.abs(differences).max(axis=0, initial=0.0))
    varied = spread > 1e-12 * scale
    t = np.full(sets, np.nan)
    if varied.any():
        np.divide(differences.mean(axis=0), spread, out=t, where=varied)
    t *= count**0.5
    return t, 2 * np.asarray(stdtr(count - 1, -np.abs(t)), dtype=np.float64)


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
    """The smallest p that a test can give with this many clusters: all of them favour one codec.

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
