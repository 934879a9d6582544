"""Means and differences of means with the interval and the test that belong to them.

The mean is that of items, as it is printed. Its error is taken over clusters (speakers): each
cluster's influence is its part of the weighted sum of deviations. Clusters of different sizes get
the small-sample correction of Bell and McCaffrey, for cluster means of equal variance: the
standard error is then unbiased and the degrees of freedom are fewer than clusters - 1. With
clusters of one size all this is Student's t over cluster means. An error rate of the corpus (all
errors over all words) is a mean of rates weighted by words, a difference of two of them likewise.

The interval and the p-value follow the skewness of the influences: :mod:`~.skewed_t`.

References
    R. Bell, D. McCaffrey, "Bias reduction in standard errors for linear regression with
        multi-stage samples", Survey Methodology 28 (2), 2002.
    W. Cochran, "Sampling Techniques", 3rd edition, 1977, section 6.4 (the error of a ratio).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synbench.statistics import skewed_t
from synbench.statistics.clusters import (
    Floats,
    Integers,
    cluster_sums,
    common_items,
    filled_sizes,
    weighted_means,
)

CONFIDENCE = 0.95
# Below the first number of clusters no verdict is given; below the second the intervals of skewed
# scores hold less often than they promise. Both as measured by tools/calibrate.py.
FEWEST_CLUSTERS = 5
FEW_CLUSTERS = 8
# Fewer clusters than the first with a skewness beyond the second are remarked upon; an exponential
# has 2. That is no rule for trust: where a tail shows, tests err on the careful side, and they fail
# where it was not met (both measured by tools/calibrate.py).
TAIL_CLUSTERS = 40
LONG_TAIL_SKEWNESS = 2.5
# Share of the values below which a spread is rounding.
ROUNDING_SHARE = 1e-12
# What stays in a processor's cache: 2 MB.
NUMBERS_AT_ONCE = 250_000

__all__ = [
    "CONFIDENCE",
    "FEWEST_CLUSTERS",
    "FEW_CLUSTERS",
    "TAIL_CLUSTERS",
    "Estimates",
    "difference_parts",
    "estimate_differences",
    "estimate_means",
    "loss_of",
]


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Means or differences, one per cell; every array has shape ``(cell,)``.

    Attributes:
        mean: NaN where no item has a value.
        error: its standard error over clusters; NaN with fewer than two of them.
        df: degrees of freedom of the error; likewise.
        skewness: of the mean, 0 with fewer than three clusters.
        count: items with a value.
        clusters: clusters with a value.
        confidence: of the interval.
    """

    mean: Floats
    error: Floats
    df: Floats
    skewness: Floats
    count: Integers
    clusters: Integers
    confidence: float = CONFIDENCE

    @property
    def low(self) -> Floats:
        """Lower ends of the intervals."""
        return self._ends[0]

    @property
    def high(self) -> Floats:
        """Upper ends of the intervals."""
        return self._ends[1]

    @property
    def long_tailed(self) -> NDArray[np.bool_]:
        """Whether few of not many clusters carry the mean: shape ``(cell,)``."""
        single = np.abs(self.skewness) * np.sqrt(self.clusters)
        few = (self.clusters >= FEWEST_CLUSTERS) & (self.clusters < TAIL_CLUSTERS)
        return few & (single > LONG_TAIL_SKEWNESS)

    def p(self, hypothesis: float = 0.0) -> Floats:
        """Two-sided p that the true mean is ``hypothesis``."""
        return skewed_t.two_sided_p(self._t(hypothesis), skewness=self.skewness, df=self.df)

    def beyond_p(self, margin: float) -> Floats:
        """p that the true mean is outside ``-margin`` to ``margin``: the larger of two tests."""
        above = self._t(margin), self.skewness
        below = -self._t(-margin), -self.skewness
        sides = [skewed_t.one_sided_p(t, skewness=skew, df=self.df) for t, skew in (above, below)]
        return np.maximum(*sides)

    def without_skewness(self) -> Estimates:
        """The same, with interval and tests of Student's t alone."""
        return replace(self, skewness=np.zeros_like(self.skewness))

    @cached_property
    def _ends(self) -> tuple[Floats, Floats]:
        low, high = skewed_t.interval_ends(
            skewness=self.skewness, df=self.df, confidence=self.confidence
        )
        return self.mean + low * self.error, self.mean + high * self.error

    def _t(self, hypothesis: float) -> Floats:
        gap = self.mean - hypothesis
        with np.errstate(divide="ignore", invalid="ignore"):
            t = gap / self.error
        # Without any spread the mean is known: it is the hypothesis, or surely not.
        exact = np.where(
            np.abs(gap) <= ROUNDING_SHARE * np.abs(self.mean), 0.0, np.sign(gap) * 1e12
        )
        return np.where(self.error == 0, exact, t)


def estimate_means(
    values: Floats,
    *,
    clusters: Integers | None = None,
    sizes: Floats | None = None,
    confidence: float = CONFIDENCE,
) -> Estimates:
    """Mean of every cell, with its error over clusters.

    Args:
        values: shape ``(item, cell)``; NaN where a cell lacks an item.
        clusters: shape ``(item,)``, numbers from 0; ``None`` makes every item one of its own.
        sizes: how much each item counts in the mean, such as its words for a corpus word error
            rate; shape ``(item, cell)``; ``None`` counts all alike.
        confidence: share of intervals that should contain the true mean, 0 to 1.
    """
    sizes = filled_sizes(values, sizes)
    mean = weighted_means(values, sizes)
    parts, shares = _influences(values, mean, sizes, clusters)
    scale = np.where(np.isfinite(values), np.abs(values), 0.0).max(axis=0, initial=0.0)
    sums = _sums_of_powers(parts, shares)
    return _estimates(mean, sums, shares, scale, np.isfinite(values).sum(axis=0), confidence)


def estimate_differences(
    values: Floats,
    pairs: Sequence[tuple[int, int]],
    *,
    clusters: Integers | None = None,
    sizes: Floats | None = None,
    confidence: float = CONFIDENCE,
) -> Estimates:
    """Difference of two means for every pair, over the items that both cells have.

    Args:
        pairs: numbers of two cells, the first minus the second. The rest is as in
            :func:`estimate_means`.
    """
    complete = _complete_differences(values, pairs, clusters, sizes, confidence)
    if complete is not None:
        return complete
    sides = common_items(values, pairs)
    difference, parts, shares = difference_parts(sides, pairs, clusters=clusters, sizes=sizes)
    known = np.isfinite(sides[0])
    scale = np.where(known, np.abs(np.stack(sides)), 0.0).max(axis=(0, 1), initial=0.0)
    sums = _sums_of_powers(parts, shares)
    return _estimates(difference, sums, shares, scale, known.sum(axis=0), confidence)


def _complete_differences(
    values: Floats,
    pairs: Sequence[tuple[int, int]],
    clusters: Integers | None,
    sizes: Floats | None,
    confidence: float,
) -> Estimates | None:
    """Likewise where nothing is missing and all cells have the same weights; else nothing.

    A cell's influences are then the same in all its pairs, and all pairs share their weights.
    """
    if not pairs or not len(values) or not np.isfinite(values).all():
        return None
    # Column by column, so that sums round as those of single pairs do.
    values = np.asfortranarray(values)
    weights = np.asfortranarray(filled_sizes(values, sizes))
    if not _all_alike(weights):
        return None
    mean = weighted_means(values, weights)
    parts, shares = _influences(values, mean, weights, clusters)
    shares = shares[:, :1]
    scales = np.abs(values).max(axis=0, initial=0.0)
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    block = max(1, NUMBERS_AT_ONCE // len(parts))
    sums = [
        _sums_of_powers(parts[:, first[here]] - parts[:, second[here]], shares)
        for here in (slice(start, start + block) for start in range(0, len(pairs), block))
    ]
    variance, cubes = (np.concatenate(side) for side in zip(*sums, strict=True))
    return _estimates(
        mean[first] - mean[second],
        (variance, cubes),
        shares,
        np.maximum(scales[first], scales[second]),
        np.full(len(pairs), len(values)),
        confidence,
    )


def _all_alike(columns: Floats) -> bool:
    """Whether every column is the first one."""
    return bool((columns == columns[:, :1]).all())


def difference_parts(
    sides: tuple[Floats, Floats],
    pairs: Sequence[tuple[int, int]],
    *,
    clusters: Integers | None,
    sizes: Floats | None,
) -> tuple[Floats, Floats, Floats]:
    """Differences ``(pair,)``; what each cluster adds to their errors; its share of the weights.

    The last two have shape ``(cluster, pair)``. ``sides`` are those of :func:`common_items`, the
    rest is as in :func:`estimate_differences`.
    """
    means, parts, shares = [], [], []
    for side, own in enumerate(sides):
        chosen = None if sizes is None else sizes[:, [pair[side] for pair in pairs]]
        weights = filled_sizes(own, chosen)
        means.append(weighted_means(own, weights))
        part, share = _influences(own, means[-1], weights, clusters)
        parts.append(part)
        shares.append(share)
    return means[0] - means[1], parts[0] - parts[1], (shares[0] + shares[1]) / 2


def _sums_of_powers(parts: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """Variance and sum of cubes of the influences, by cell."""
    # A power would take thirty times as long as two products.
    return (parts**2 / loss_of(shares)).sum(axis=0), (parts * parts * parts).sum(axis=0)


def loss_of(shares: Floats) -> Floats:
    """What part of a cluster mean's variance is left in its influence, shape ``(c, k)``."""
    loss: Floats = np.maximum(1 - 2 * shares + (shares**2).sum(axis=0), ROUNDING_SHARE)
    return loss


def _influences(
    values: Floats, mean: Floats, sizes: Floats, clusters: Integers | None
) -> tuple[Floats, Floats]:
    """What each cluster adds to the error of the mean, and its share of the weights: ``(c, k)``."""
    total = sizes.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(total > 0, sizes / total, 0.0)
    parts = np.where(np.isfinite(values), values - mean, 0.0) * shares
    if clusters is None or not len(values):
        return parts, shares
    return cluster_sums(parts, clusters), cluster_sums(shares, clusters)


def _estimates(
    mean: Floats,
    sums: tuple[Floats, Floats],
    shares: Floats,
    scale: Floats,
    count: Integers,
    confidence: float,
) -> Estimates:
    """Errors from influences: Bell and McCaffrey's, for cluster means of equal variance."""
    if _all_alike(shares):
        shares = shares[:, :1]  # what follows from them, once for all cells
    number = (shares > 0).sum(axis=0)
    squared = (shares**2).sum(axis=0)  # the variance of the mean over that of a cluster's mean
    loss = loss_of(shares)
    variance, cubes = sums
    weight = np.where(shares > 0, shares**2 / loss, 0.0)
    s0, s1, s2 = ((weight * shares**power).sum(axis=0) for power in (0, 1, 2))
    spread = (weight**2 * (1 + 2 * (squared - 2 * shares))).sum(axis=0)
    spread += squared**2 * s0**2 + 2 * s0 * s2 - 4 * squared * s0 * s1 + 2 * s1**2
    small = number**2 / np.maximum((number - 1) * (number - 2), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = np.where(number > 2, small * cubes / variance**1.5, 0.0)
        df = squared**2 / spread
    error = np.sqrt(variance)
    error = np.where(error <= ROUNDING_SHARE * scale, 0.0, error)
    enough = number >= 2
    return Estimates(
        mean=mean,
        error=np.where(enough, error, np.nan),
        df=np.broadcast_to(np.where(enough, df, np.nan), mean.shape),
        skewness=np.where(error > 0, skewness, 0.0),
        count=count.astype(np.int64),
        clusters=np.broadcast_to(number, mean.shape).astype(np.int64),
        confidence=confidence,
    )
