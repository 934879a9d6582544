"""Whether two codecs are shown to be equal: a difference smaller than a margin, by two t-tests.

References
    D. Schuirmann, "A comparison of the two one-sided tests procedure and the power approach",
        J. Pharmacokinet. Biopharm. 15 (6), 1987.
    W. Cochran, "Sampling Techniques", 3rd edition, 1977, section 6.4 (the error of a ratio).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench.statistics.bootstrap import cluster_sums, weighted_means
from synbench.statistics.paired_tests import SIGNIFICANCE, cluster_means

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

__all__ = ["Equivalence", "equivalence", "rate_differences"]


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


def rate_differences(values: Floats, sizes: Floats, clusters: Integers | None = None) -> Floats:
    """One number per cluster such that their mean is the difference of two codecs' rates.

    A rate is all errors over all words, so it is no mean of clusters. Its error is that of a mean
    of each cluster's rate, weighed by its words and taken around the rate of all: linearised, the
    usual error of a ratio. For clusters of equally many words these are the differences of their
    own rates.

    Args:
        values: error rates of both codecs, shape ``(item, 2)``, NaN where there is none.
        sizes: their numbers of words, likewise.
    """
    known = np.isfinite(values).all(axis=1)
    values, sizes = values[known], sizes[known]
    rates = weighted_means(values, sizes)
    shares = (values - rates) * sizes / sizes.sum(axis=0)
    parts = shares[:, :1] - shares[:, 1:]
    if clusters is not None and len(parts):
        parts = cluster_sums(parts, np.unique(clusters[known], return_inverse=True)[1])
    numbers: Floats = rates[0] - rates[1] + len(parts) * parts[:, 0]
    return numbers
