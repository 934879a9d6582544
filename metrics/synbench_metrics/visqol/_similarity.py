"""NSIM, the neurogram similarity of ViSQOL, of one reference patch and many degraded ones.

Shape letters
    K  degraded patches     B  bands     W  frames of a patch

NSIM compares local means (intensity) and local covariance (structure) under a 3 x 3 Gaussian with
replicated edges. All that depends on one side only is computed once per patch and kept. Patches are
stacked along the last axis, so that every operation runs over long stretches of memory.

Reference:
    A. Hines, N. Harte, "Speech intelligibility prediction using a Neurogram Similarity Index
    Measure", Speech Communication 54(2), 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CENTRE, SIDE, CORNER = 0.619485845753726, 0.0838251475442633, 0.0113033910173052
INTENSITY_CONSTANT = 0.01**2
STRUCTURE_CONSTANT = 0.03**2 / 2

__all__ = ["Patches", "Similarity", "compare", "mean_similarity"]


@dataclass(frozen=True)
class Patches:
    """Patches and their local statistics, each ``(B, W, K)``."""

    values: Array
    mean: Array
    square: Array  # of the mean
    deviation: Array

    @classmethod
    def of(cls, values: Array) -> Patches:
        """Statistics of patches ``(B, W, K)``."""
        mean = _smooth(values)
        square = mean * mean
        # Rounding may leave a variance below zero where a patch is flat.
        variance = np.maximum(_smooth(values * values) - square, 0.0)
        return cls(values, mean, square, np.sqrt(variance))

    def __getitem__(self, chosen: slice) -> Patches:
        """Some of the patches."""
        every = (self.values, self.mean, self.square, self.deviation)
        return Patches(*(each[..., chosen] for each in every))


@dataclass(frozen=True)
class Similarity:
    """One pair of patches, per band ``(B,)``.

    Attributes:
        means: mean similarity over the frames.
        deviations: its standard deviation (unbiased).
        energy: mean of the degraded patch, dB above the floor.
    """

    means: Array
    deviations: Array
    energy: Array

    @property
    def overall(self) -> float:
        """Mean over the bands."""
        return float(np.mean(self.means))


def compare(reference: Array, degraded: Array) -> Similarity:
    """Similarity of one pair of patches, each ``(B, W)``."""
    local = _similarity(Patches.of(reference[..., None]), Patches.of(degraded[..., None]))[..., 0]
    return Similarity(
        means=np.mean(local, axis=1),
        deviations=np.std(local, axis=1, ddof=1),
        energy=np.mean(degraded, axis=1),
    )


def mean_similarity(reference: Patches, degraded: Patches, *, block: int = 128) -> Array:
    """Mean similarity of one reference patch to each of K degraded ones, ``(K,)``.

    ``block`` patches at a time stay in the processor's cache.
    """
    starts = range(0, degraded.values.shape[-1], block)
    parts = [_similarity(reference, degraded[at : at + block]) for at in starts]
    return np.concatenate([np.mean(part, axis=(0, 1)) for part in parts])


def _similarity(reference: Patches, degraded: Patches) -> Array:
    """NSIM of every element, ``(B, W, K)``."""
    product = reference.mean * degraded.mean
    result = _smooth(reference.values * degraded.values)
    result -= product
    result += STRUCTURE_CONSTANT
    result *= 2.0 * product + INTENSITY_CONSTANT
    result /= (reference.square + degraded.square + INTENSITY_CONSTANT) * (
        reference.deviation * degraded.deviation + STRUCTURE_CONSTANT
    )
    return result


def _smooth(values: Array) -> Array:
    """3 x 3 Gaussian over the first two axes, edges replicated."""
    beside = np.concatenate([values[:1], values[:-1]])
    beside += np.concatenate([values[1:], values[-1:]])
    middle: Array = CENTRE * values
    middle += SIDE * beside
    beside *= CORNER
    outer = SIDE * values
    outer += beside
    middle[:, 1:] += outer[:, :-1]
    middle[:, :-1] += outer[:, 1:]
    middle[:, 0] += outer[:, 0]
    middle[:, -1] += outer[:, -1]
    return middle
