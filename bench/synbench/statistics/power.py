"""What a paired design could have seen: the smallest difference that it detects four times in five.

References
    J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd edition, 1988.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synbench.statistics.paired_tests import SIGNIFICANCE

POWER = 0.8

__all__ = ["POWER", "smallest_detectable"]


def smallest_detectable(
    differences: NDArray[np.float64], *, level: float = SIGNIFICANCE, power: float = POWER
) -> float:
    """True mean difference that a two-sided paired t-test finds with this power.

    By the spread of the differences at hand, with the power of the non-central t distribution. NaN
    with fewer than two differences; 0 where they are all the same.

    Args:
        differences: one for each cluster, shape ``(cluster,)``.
        level: of the test, after whatever correction.
    """
    count = len(differences)
    if count < 2:
        return float("nan")
    from scipy.special import nctdtr, stdtrit

    error = float(differences.std(ddof=1)) / count**0.5
    freedom, critical = count - 1, float(stdtrit(count - 1, 1 - level / 2))
    low, high = 0.0, 2 * critical + 10
    for _ in range(60):
        middle = (low + high) / 2
        reached = 1 - float(nctdtr(freedom, middle, critical))
        low, high = (middle, high) if reached < power else (low, middle)
    return float(high * error)
