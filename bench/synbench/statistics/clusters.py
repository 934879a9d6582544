"""Means of items that belong to clusters: weights, sums, and what is left around a mean.

The mean of a cell is that of its items, each counting once, or as often as ``sizes`` says (its
words, for an error rate of the corpus). Items of one speaker are alike, so a mean is only as sure
as its speakers are many; each cluster's part in the error of a mean is its influence.

Shapes: n items, c clusters, k cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

__all__ = [
    "Floats",
    "Integers",
    "cluster_means",
    "cluster_sums",
    "common_items",
    "filled_sizes",
    "weighted_means",
]


def weighted_means(values: Floats, sizes: Floats | None = None) -> Floats:
    """Means per cell, NaN without a value; rounding never leaves the range of the values.

    Args:
        values: shape ``(n, k)``; NaN where a cell lacks an item.
        sizes: how much each value counts, likewise; all alike where not given.
    """
    present, sizes = np.isfinite(values), filled_sizes(values, sizes)
    sums, count = (np.where(present, values, 0.0) * sizes).sum(axis=0), sizes.sum(axis=0)
    mean = np.divide(sums, count, out=np.full(sums.shape, np.nan), where=count > 0)
    lowest = np.where(present, values, np.inf).min(axis=0, initial=np.inf)
    highest = np.where(present, values, -np.inf).max(axis=0, initial=-np.inf)
    return np.where(count > 0, np.clip(mean, lowest, highest), np.nan)


def filled_sizes(values: Floats, sizes: Floats | None) -> Floats:
    """How much each value counts, 0 where there is none; all alike by default."""
    return np.where(np.isfinite(values), 1.0 if sizes is None else sizes, 0.0)


def cluster_sums(values: NDArray[Any], clusters: Integers) -> Floats:
    """Sums over the items of each cluster, from shape ``(n, k)`` to ``(c, k)``."""
    order = np.argsort(clusters, kind="stable")
    numbers, starts = np.unique(clusters[order], return_index=True)
    sums = np.zeros((int(clusters.max()) + 1, values.shape[1]))
    sums[numbers] = np.add.reduceat(values[order].astype(np.float64), starts, axis=0)
    return sums


def cluster_means(differences: Floats, clusters: Integers | None = None) -> Floats:
    """Means per cluster of the finite differences; empty clusters are left out.

    Args:
        differences: shape ``(n,)``, NaN where one side lacks the item.
        clusters: shape ``(n,)``, numbers from 0; ``None`` makes every item one of its own.
    """
    known = np.isfinite(differences)
    if clusters is None:
        return differences[known]
    counts = np.bincount(clusters[known])
    sums = np.bincount(clusters[known], weights=differences[known])
    means: Floats = sums[counts > 0] / counts[counts > 0]
    return means


def common_items(values: Floats, pairs: Sequence[tuple[int, int]]) -> tuple[Floats, Floats]:
    """The first and the second values of all pairs, shape ``(n, pair)``, NaN unless both are."""
    first, second = (values[:, [pair[side] for pair in pairs]] for side in (0, 1))
    both = np.isfinite(first) & np.isfinite(second)
    return np.where(both, first, np.nan), np.where(both, second, np.nan)
