"""Shape of the ratings of one condition: median, quartiles, and signs of two opinions.

Sarle's coefficient b = (g^2 + 1) / (k + 3 (n-1)^2 / ((n-2)(n-3))), with skewness g and excess
kurtosis k of a sample; above 5/9, that of a uniform distribution, two groups of listeners may hear
different things, and a mean describes neither.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BIMODAL_COEFFICIENT = 5 / 9

__all__ = ["BIMODAL_COEFFICIENT", "bimodality"]


def bimodality(values: Sequence[float]) -> float:
    """Sarle's coefficient; NaN below four values or where all are equal."""
    data = np.asarray(values, dtype=np.float64)
    n = len(data)
    deviations = data - data.mean() if n else data
    m2 = float((deviations**2).mean()) if n else 0.0
    if n < 4 or m2 <= 1e-12:
        return float("nan")
    g1 = float((deviations**3).mean()) / m2**1.5
    g2 = float((deviations**4).mean()) / m2**2 - 3
    skewness: float = g1 * (n * (n - 1)) ** 0.5 / (n - 2)
    kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * g2 + 6)
    scale: float = kurtosis + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    return (skewness**2 + 1) / scale
