"""Power of a two-sided t-test of many units, without scipy: its import takes as long as a table.

The statistic is a normal variable of mean ``shift`` over an independent root of chi-square over its
degrees of freedom, so its tails are integrals over that root alone. The root is nearly normal and
the integrand smooth and zero at both ends, where the trapezoidal rule converges geometrically:
at 0.7 standard deviations a step it has all digits of a double.

Reference
    M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 1964, 26.7.5 (the expansion of
        the quantile of t) and 26.7.9 (noncentral t).
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

LEAST_DF = 100
# In standard deviations of the root.
STEP = 0.7
REACH = 9.1
# Beyond so many standard deviations nothing is left of a tail.
NOTHING = 10.0

__all__ = ["LEAST_DF", "two_sided_power"]


def two_sided_power(shift: float, df: int, *, alpha: float) -> float:
    """Chance that the statistic is beyond the quantiles of a test at ``alpha``.

    Args:
        shift: true mean over its true standard error.
        df: degrees of freedom, at least :data:`LEAST_DF`.
    """
    quantile = _quantile(df, alpha)
    near, far = abs(shift), -abs(shift)
    power = _tail(near, quantile, df)
    return power if quantile - far > NOTHING else power + _tail(far, quantile, df)


@lru_cache(maxsize=4096)
def _quantile(df: int, alpha: float) -> float:
    """The t beyond which half of ``alpha`` lies: the expansion in 1/df and a step of Newton's."""
    z = NormalDist().inv_cdf(1 - alpha / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    t = z + sum(term / float(df) ** power for power, term in enumerate(terms, 1))
    log_density = (
        math.lgamma((df + 1) / 2)
        - math.lgamma(df / 2)
        - math.log(df * math.pi) / 2
        - (df + 1) / 2 * math.log1p(t**2 / df)
    )
    return t + (_tail(0.0, t, df) - alpha / 2) / math.exp(log_density)


def _tail(shift: float, t: float, df: int) -> float:
    """Chance that the statistic is beyond ``t``."""
    scale = math.sqrt(0.5)
    t, shift = t * scale, shift * scale
    return float(sum([weight * math.erfc(t * root - shift) for root, weight in _roots(df)]) / 2)


@lru_cache(maxsize=4096)
def _roots(df: int) -> tuple[tuple[float, float], ...]:
    """Values of the root of chi-square over its degrees of freedom, and their weights."""
    width = 1 / math.sqrt(2 * df)
    steps = round(REACH / STEP)
    points = [1 + number * STEP * width for number in range(-steps, steps + 1)]
    logs = [(df - 1) * math.log(point) - df * (point**2 - 1) / 2 for point in points if point > 0]
    weights = [math.exp(log) for log in logs]
    total = math.fsum(weights)
    return tuple(
        (point, weight / total)
        for point, weight in zip((p for p in points if p > 0), weights, strict=True)
    )
