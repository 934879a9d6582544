"""P-values corrected for a family of tests.

Holm's is the default: it holds under any dependence. Hochberg's, which BS.1534-3 names, is never
larger, and holds for independent or positively dependent tests.

References
    S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6, 1979.
    Y. Hochberg, "A sharper Bonferroni procedure ...", Biometrika 75 (4), 1988.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Correction = Literal["holm", "hochberg"]

__all__ = ["Correction", "correct"]


def correct(values: Sequence[float], method: Correction = "holm") -> list[float]:
    """Corrected p-values in the same order; NaN stays NaN and is no member of the family."""
    corrected = [float("nan")] * len(values)
    known = sorted((value, place) for place, value in enumerate(values) if value == value)
    family = len(known)
    if method == "holm":
        largest = 0.0
        for rank, (value, place) in enumerate(known):
            largest = max(largest, min(1.0, value * (family - rank)))
            corrected[place] = largest
        return corrected
    smallest = 1.0
    for rank, (value, place) in reversed(list(enumerate(known))):
        smallest = min(smallest, value * (family - rank))
        corrected[place] = smallest
    return corrected
