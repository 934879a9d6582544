"""Student's t distribution in numpy alone: importing scipy takes longer than making a whole table.

Reference
    M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 1964, 26.5.8 (the continued
        fraction) and 26.7 (the distribution).
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from synbench.statistics.clusters import Floats

TERMS = 400
PRECISION = 1e-15
TINY = 1e-300

__all__ = ["cumulative", "quantile"]


def cumulative(t: Floats, df: Floats) -> Floats:
    """Share of the distribution below t; NaN where either is."""
    t, df = np.broadcast_arrays(np.asarray(t, dtype=np.float64), np.asarray(df, dtype=np.float64))
    known = np.isfinite(t) & np.isfinite(df)
    result = np.full(t.shape, np.nan)
    square, freedom = t[known] ** 2, df[known]
    tail = _beta_share(freedom / (freedom + square), square / (freedom + square), freedom / 2) / 2
    result[known] = np.where(t[known] > 0, 1 - tail, tail)
    return result


def quantile(level: float, df: Floats) -> Floats:
    """The t below which this share of the distribution lies; of each df, NaN where it is."""
    df = np.asarray(df, dtype=np.float64)
    # But for rounding most cells have the same degrees of freedom.
    different, inverse = np.unique(np.round(df, 9), return_inverse=True)
    if not different.size:
        return np.zeros(df.shape)
    return np.array([_one_quantile(level, float(one)) for one in different])[inverse].reshape(
        df.shape
    )


@lru_cache(maxsize=4096)
def _one_quantile(level: float, df: float) -> float:
    if not math.isfinite(df):
        return math.nan
    if level < 0.5:
        return -_one_quantile(1 - level, df)
    low, high = 0.0, NormalDist().inv_cdf(level) + 1
    while _below(high, df) < level:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _below(middle, df) < level else (low, middle)
    return (low + high) / 2


def _below(t: float, df: float) -> float:
    return float(cumulative(np.array([t]), np.array([df]))[0])


def _beta_share(x: Floats, rest: Floats, a: Floats) -> Floats:
    """The regularised incomplete beta function at x = 1 - rest with parameters a and 1/2."""
    half = np.full_like(a, 0.5)
    front = np.exp(
        _log_gamma(a + 0.5)
        - _log_gamma(a)
        - math.lgamma(0.5)
        + a * np.log(np.maximum(x, TINY))
        + 0.5 * np.log(np.maximum(rest, TINY))
    )
    direct = x < (a + 1) / (a + 2.5)
    first, second = np.where(direct, a, half), np.where(direct, half, a)
    share = front * _fraction(np.where(direct, x, rest), first, second) / first
    return np.where(direct, share, 1 - share)


def _fraction(x: Floats, a: Floats, b: Floats) -> Floats:
    """The continued fraction, by Lentz's method."""
    c, d = np.ones_like(x), 1 / (1 - (a + b) * x / (a + 1))
    value = d.copy()
    for m in range(1, TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = np.ones_like(x)
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            step = c * d
            value = value * step
        if np.abs(step - 1).max(initial=0.0) < PRECISION:
            break
    return value


def _away_from_zero(values: Floats) -> Floats:
    return np.where(np.abs(values) < TINY, TINY, values)


def _log_gamma(values: Floats) -> Floats:
    different, inverse = np.unique(values, return_inverse=True)
    return np.array([math.lgamma(value) for value in different])[inverse]
