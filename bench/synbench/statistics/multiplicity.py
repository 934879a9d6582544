"""P-values corrected for a family of tests, and letters for a family of pairs.

Holm's is the default: it holds under any dependence, so over all pairs of a column it holds too for
the pairs with the codec that turned out best. Hochberg's, which BS.1534-3 names, is never larger,
and holds for independent or positively dependent tests.

References
    S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6, 1979.
    Y. Hochberg, "A sharper Bonferroni procedure ...", Biometrika 75 (4), 1988.
    H.-P. Piepho, "An algorithm for a letter-based representation of all-pairwise comparisons",
        J. Comput. Graph. Stat. 13 (2), 2004.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from synbench.statistics.clusters import Floats

SIGNIFICANCE = 0.05

Correction = Literal["holm", "hochberg"]

__all__ = ["SIGNIFICANCE", "Correction", "correct", "correct_each", "tie_letters"]


def correct(values: Sequence[float], method: Correction = "holm") -> list[float]:
    """Corrected p-values in the same order; NaN stays NaN and is no member of the family."""
    column = np.asarray(values, dtype=np.float64)[:, None]
    return [float(p) for p in correct_each(column, method)[:, 0]]


def correct_each(values: Floats, method: Correction = "holm") -> Floats:
    """The same of many families of one size at once, shape ``(member, family)``."""
    order = np.argsort(values, axis=0, kind="stable")  # NaN goes to the end
    rising = np.take_along_axis(values, order, axis=0)
    left = np.isfinite(values).sum(axis=0) - np.arange(len(values))[:, None]
    scaled = np.minimum(1.0, rising * np.maximum(left, 1))
    if method == "holm":
        stepped = np.maximum.accumulate(scaled, axis=0)
    else:
        stepped = np.fmin.accumulate(scaled[::-1], axis=0)[::-1]
    corrected: Floats = np.empty_like(scaled)
    np.put_along_axis(corrected, order, np.where(np.isnan(rising), np.nan, stepped), axis=0)
    return corrected


def tie_letters(order: Sequence[int], differing: set[tuple[int, int]]) -> dict[int, str]:
    """Letters such that two codecs share one exactly where no test tells them apart.

    Args:
        order: numbers of the codecs, best first; the best has the letter a.
        differing: pairs told apart, in either order.
    """
    groups: list[set[int]] = [set(order)]
    for first, second in combinations(order, 2):
        if (first, second) not in differing and (second, first) not in differing:
            continue
        split: list[set[int]] = []
        for group in groups:
            both = first in group and second in group
            split += [group - {first}, group - {second}] if both else [group]
        groups = []
        for group in sorted(split, key=len, reverse=True):
            if group and not any(group <= kept for kept in groups):
                groups.append(group)
    rank = {codec: position for position, codec in enumerate(order)}
    groups.sort(key=lambda group: sorted(rank[codec] for codec in group))
    return {
        codec: "".join(_letter(number) for number, group in enumerate(groups) if codec in group)
        for codec in order
    }


def _letter(number: int) -> str:
    letters = string.ascii_lowercase
    return letters[number % 26] + (str(number // 26) if number >= 26 else "")
