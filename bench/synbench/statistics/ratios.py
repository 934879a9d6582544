"""One difference of means as a share of another, with the interval of Fieller.

A share's interval holds every number of which the test does not say that the first difference is
something else than so many times the second. Where the second is not told from zero the interval
would be everything, so there is none. Drawing speakers again instead, as bootstraps do, would give
intervals that are too narrow for few speakers (``tools/calibrate.py`` measures both kinds).

Reference
    E. Fieller, "Some problems in interval estimation", J. R. Stat. Soc. B 16 (2), 1954.
"""

from __future__ import annotations

import numpy as np

from synbench.statistics import student
from synbench.statistics.clusters import Floats, Integers, common_items
from synbench.statistics.means import (
    CONFIDENCE,
    difference_parts,
    estimate_differences,
    loss_of,
)

__all__ = ["shares_of_differences"]


def shares_of_differences(
    values: Floats, *, clusters: Integers | None = None, sizes: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """(first - second) / (third - fourth) of every set of four cells, and both ends.

    Args:
        values: shape ``(item, 4 * set)``, the four cells of a set side by side, none of them NaN.
        clusters, sizes: as in :func:`~.means.estimate_means`.

    Returns:
        Three of shape ``(set,)``; NaN where the second difference is not told from zero.
    """
    sets = values.shape[1] // 4
    every = [[(4 * number + first, 4 * number + first + 1) for number in range(sets)]
             for first in (0, 2)]  # fmt: skip
    gains, gain_parts, shares = difference_parts(
        common_items(values, every[0]), every[0], clusters=clusters, sizes=sizes
    )
    wholes, whole_parts, _ = difference_parts(
        common_items(values, every[1]), every[1], clusters=clusters, sizes=sizes
    )
    loss = loss_of(shares)
    squares, product, whole_squares = (
        (one * other / loss).sum(axis=0)
        for one, other in (
            (gain_parts, gain_parts),
            (gain_parts, whole_parts),
            (whole_parts, whole_parts),
        )
    )
    df = estimate_differences(values, every[1], clusters=clusters, sizes=sizes).df
    t = student.quantile((1 + CONFIDENCE) / 2, df)
    # (gain - share * whole)^2 <= t^2 * variance, a quadratic in the share.
    a, b, c = (
        wholes**2 - t**2 * whole_squares,
        gains * wholes - t**2 * product,
        gains**2 - t**2 * squares,
    )
    told = a > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.maximum(b**2 - a * c, 0.0))
        estimates = (gains / wholes, (b - root) / a, (b + root) / a)
    value, low, high = (np.where(told, one, np.nan) for one in estimates)
    return value, low, high
