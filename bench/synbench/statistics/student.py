"""Student's t distribution, by scipy; imported where the first number is needed."""

from __future__ import annotations

import numpy as np

from synbench.statistics.clusters import Floats

__all__ = ["cumulative", "quantile"]


def cumulative(t: Floats, df: Floats) -> Floats:
    """Share of the distribution below t; NaN where t or df is not finite."""
    from scipy.special import stdtr

    t, df = np.broadcast_arrays(np.asarray(t, dtype=np.float64), np.asarray(df, dtype=np.float64))
    return np.where(np.isfinite(t) & np.isfinite(df), stdtr(df, t), np.nan)


def quantile(level: float, df: Floats) -> Floats:
    """The t below which this share of the distribution lies; of each df, NaN where it is."""
    from scipy.special import stdtrit

    df = np.asarray(df, dtype=np.float64)
    return np.where(np.isfinite(df), stdtrit(df, level), np.nan)
