"""Student's t distribution in numpy alone: importing scipy takes longer than making a whole table.

Reference
    M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 1964, 26.5.8 (the continued
        fraction) and 26.7 (the distribution).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from synbench.statistics.clusters import Floats

MOST_TERMS = 400
RELATIVE_PRECISION = 1e-15
SMALLEST_TERM = 1e-300
# Newton's method doubles the digits: after a step below this share what is left is rounding.
LAST_RELATIVE_STEP = 1e-9
MOST_STEPS = 60

__all__ = ["cumulative", "quantile"]


def cumulative(t: Floats, df: Floats) -> Floats:
    """Share of the distribution below t; NaN where either is."""
    t, df = np.broadcast_arrays(np.asarray(t, dtype=np.float64), np.asarray(df, dtype=np.float64))
    known = np.isfinite(t) & np.isfinite(df)
    result = np.full(t.shape, np.nan)
    tail = _tail(t[known], df[known], _log_beta(df[known]))
    result[known] = np.where(t[known] > 0, 1 - tail, tail)
    return result


def quantile(level: float, df: Floats) -> Floats:
    """The t below which this share of the distribution lies; of each df, NaN where it is."""
    df = np.asarray(df, dtype=np.float64)
    # But for rounding most cells have the same degrees of freedom.
    different, inverse = np.unique(np.round(df, 9), return_inverse=True)
    known = different[np.isfinite(different)]
    solved = _solved_tail(min(level, 1 - level), known)
    quantiles = np.full_like(different, np.nan)
    quantiles[np.isfinite(different)] = solved if level >= 0.5 else -solved
    return quantiles[inverse].reshape(df.shape)


def _solved_tail(share: float, df: Floats) -> Floats:
    """The positive t beyond which this share, at most a half, of each distribution lies.

    Newton's method for the logarithms of both. The logarithm of the tail is concave in that of t,
    so from beyond the solution every step comes nearer without passing it.
    """
    if share == 0.5:
        return np.zeros_like(df)
    log_beta = _log_beta(df)
    t = np.full_like(df, NormalDist().inv_cdf(1 - share) + 1)
    while (short := _tail(t, df, log_beta) > share).any():
        t = np.where(short, 2 * t, t)
    for _ in range(MOST_STEPS):
        tail = _tail(t, df, log_beta)
        density = np.exp(-(df + 1) / 2 * np.log1p(t**2 / df) - log_beta) / np.sqrt(df)
        step = np.log(tail / share) * tail / (t * density)
        t = t * np.exp(step)
        if np.abs(step).max(initial=0.0) < LAST_RELATIVE_STEP:
            break
    return t


def _tail(t: Floats, df: Floats, log_beta: Floats) -> Floats:
    """Share of the distribution beyond t or, for a negative one, below it."""
    x, rest, a = df / (df + t**2), t**2 / (df + t**2), df / 2
    front = np.exp(
        a * np.log(np.maximum(x, SMALLEST_TERM))
        + 0.5 * np.log(np.maximum(rest, SMALLEST_TERM))
        - log_beta
    )
    direct = x < (a + 1) / (a + 2.5)
    half = np.full_like(a, 0.5)
    first, second = np.where(direct, a, half), np.where(direct, half, a)
    share = front * _fraction(np.where(direct, x, rest), first, second) / first
    return np.where(direct, share, 1 - share) / 2


def _log_beta(df: Floats) -> Floats:
    """Logarithm of the beta function at half the degrees of freedom and 1/2."""
    different, inverse = np.unique(df / 2, return_inverse=True)
    logs = [math.lgamma(a) + math.lgamma(0.5) - math.lgamma(a + 0.5) for a in different]
    return np.array(logs, dtype=np.float64)[inverse]


def _fraction(x: Floats, a: Floats, b: Floats) -> Floats:
    """The continued fraction, by Lentz's method."""
    c, d = np.ones_like(x), 1 / (1 - (a + b) * x / (a + 1))
    value = d.copy()
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = np.ones_like(x)
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            step = c * d
            value = value * step
        if np.abs(step - 1).max(initial=0.0) < RELATIVE_PRECISION:
            break
    return value


def _away_from_zero(values: Floats) -> Floats:
    return np.where(np.abs(values) < SMALLEST_TERM, SMALLEST_TERM, values)
