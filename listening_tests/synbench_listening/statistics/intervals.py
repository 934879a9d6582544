"""Intervals of a mean over listeners.

Ratings of one listener are not independent: an interval over all ratings pretends that there are
as many listeners as ratings, and is about half as wide as it should be on real codec tests. It is
offered by its name only.

Reference
    B. Efron, "Better bootstrap confidence intervals", J. Am. Stat. Assoc. 82 (397), 1987.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synbench.statistics.bootstrap import bootstrap_means
from synbench.statistics.means import CONFIDENCE
from synbench_listening.statistics.listener_table import Floats

REPLICATES = 9999
SEED = 20240517
# Below this many listeners a bootstrap interval is printed beside the t interval.
FEW_LISTENERS = 15

__all__ = ["CONFIDENCE", "FEW_LISTENERS", "Interval", "bootstrap_interval", "mean_interval"]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean with both ends of its interval; the ends are NaN below two values."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


def mean_interval(values: Floats, *, confidence: float = CONFIDENCE) -> Interval:
    """Student's t interval of a mean.

    Args:
        values: one mean per listener, shape ``(listener,)``; NaN is left out. One rating per
            entry makes it the interval over pooled ratings.
    """
    from scipy.special import stdtrit

    present = values[np.isfinite(values)]
    n = len(present)
    mean = float(present.mean()) if n else float("nan")
    if n < 2:
        return Interval(mean=mean, low=float("nan"), high=float("nan"), n=n)
    quantile = float(stdtrit(n - 1, (1 + confidence) / 2))
    half = quantile * float(present.std(ddof=1)) / n**0.5
    return Interval(mean=mean, low=mean - half, high=mean + half, n=n)


def bootstrap_interval(
    values: Floats, *, confidence: float = CONFIDENCE, seed: int = SEED
) -> Interval:
    """BCa bootstrap interval of a mean; listeners are drawn with all their ratings.

    Follows the skew of bounded scores, where few listeners make the t interval leave the scale.
    """
    means = values[np.isfinite(values)]
    estimate = bootstrap_means(
        means[:, None], confidence=confidence, replicates=REPLICATES, seed=seed
    )
    ends = (float(estimate.low[0]), float(estimate.high[0]))
    return Interval(mean=float(estimate.mean[0]), low=ends[0], high=ends[1], n=len(means))
