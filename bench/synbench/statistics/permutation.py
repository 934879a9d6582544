"""Permutation tests of a pair: in every cluster (speaker, listener) the two may be swapped.

If it makes no difference which of two codecs coded a speaker's items, swapping their scores is as
likely as not, whatever the scores are. All ways of swapping are tried, or a fixed sample of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# All sign patterns are tried up to this many clusters: 2 ** 16 of them.
EXACT_SIGNS = 16
RANDOM_SIGNS = 20_000
SEED = 20240301
NUMBERS_AT_ONCE = 2_000_000
ROUNDING_SLACK = 1e-12

__all__ = ["EXACT_SIGNS", "sign_flip", "sign_flip_each", "swap_rates"]


def sign_flip(differences: Floats) -> float:
    """Two-sided p that the mean difference is zero.

    Sampled patterns count the observed one too, so p is never zero. NaN below two differences.
    """
    return float(sign_flip_each(differences[:, None])[0])


def sign_flip_each(differences: Floats) -> Floats:
    """The same of every set, from shape ``(difference, set)`` to ``(set,)``."""
    count, sets = differences.shape
    if count < 2:
        return np.full(sets, np.nan)
    observed = np.abs(differences.sum(axis=0)) - ROUNDING_SLACK * np.abs(differences).sum(axis=0)
    reached = np.zeros(sets, dtype=np.int64)
    for sums in signed_sums(differences):
        reached += np.count_nonzero(np.abs(sums) >= observed, axis=0)
    return share(reached, count)


def swap_rates(errors: Floats, units: Floats) -> list[float]:
    """Two-sided p per pair that both codecs have the same rate, all errors over all units.

    Args:
        errors, units: sums per cluster of both codecs of each pair, over the items that both have;
            shape ``(cluster, 2, pair)``, zero where a cluster has no such item.

    Returns:
        NaN for a pair with fewer than two clusters.
    """
    pairs = errors.shape[2]
    total_errors, total_units = errors.sum(axis=(0, 1)), units.sum(axis=(0, 1))

    def distance(changes: Floats) -> Floats:
        """Between the two rates, when a swap moves that much from one codec to the other."""
        moved_errors, moved_units = changes[:, :pairs], changes[:, pairs:]
        first = (total_errors + moved_errors) / (total_units + moved_units)
        second = (total_errors - moved_errors) / (total_units - moved_units)
        gap: Floats = np.abs(first - second)
        return gap

    with np.errstate(invalid="ignore"):
        changes = np.hstack([errors[:, 0] - errors[:, 1], units[:, 0] - units[:, 1]])
        observed = distance(changes.sum(axis=0)[None]) - ROUNDING_SLACK * total_errors / total_units
        reached = sum(
            np.count_nonzero(distance(sums) >= observed, axis=0) for sums in signed_sums(changes)
        )
    enough = np.count_nonzero(units[:, 0], axis=0) >= 2
    shares = share(np.asarray(reached), len(errors))
    return [float(p) for p in np.where(enough, shares, np.nan)]


def signed_sums(numbers: Floats) -> Iterator[Floats]:
    """Sums over the clusters with all patterns of signs, or a fixed sample of them.

    Args:
        numbers: shape ``(cluster, column)``.

    Yields:
        Blocks of shape ``(pattern, column)``.
    """
    count = len(numbers)
    block = max(1, NUMBERS_AT_ONCE // max(count, numbers.shape[1], 1))
    if count <= EXACT_SIGNS:
        for start in range(0, 2**count, block):
            chosen = np.arange(start, min(start + block, 2**count))
            patterns = chosen[:, None] >> np.arange(count) & 1
            yield (2.0 * patterns - 1.0) @ numbers
        return
    generator = np.random.default_rng(SEED)
    for start in range(0, RANDOM_SIGNS, block):
        rows = min(block, RANDOM_SIGNS - start)
        signs = 2.0 * generator.integers(0, 2, size=(rows, count), dtype=np.int8) - 1.0
        yield signs @ numbers


def share(reached: NDArray[np.int64], clusters: int) -> Floats:
    """How many of the patterns that :func:`signed_sums` tries reached the observed value."""
    if clusters <= EXACT_SIGNS:
        return np.asarray(reached / 2**clusters)
    return np.asarray((reached + 1) / (RANDOM_SIGNS + 1))
