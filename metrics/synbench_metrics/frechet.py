"""Frechet distance: how far two sets of embeddings are apart, each taken for a Gaussian.

Conventions
    reference, degraded   embeddings, ``(n, D)``, one row per item
    value                 squared units of the embedding, 0 for equal sets, smaller is better

    value = |m - m'|^2 + trace(C + C' - 2 (C C')^(1/2))

with means m and covariances C (over n - 1). The trace of the root comes from eigenvalues of a
symmetric product, or, for fewer items than dimensions, from the singular values of ``A A'^T``, A
and A' being the centred sets. A matrix root would not do: of a covariance without full rank,
scipy's ``sqrtm`` returns complex numbers.

The estimate is biased upwards for few items: two sets of n samples of one distribution have a
distance of about ``2 trace(C) / n`` from their means alone, and more from their covariances, most
of all where n is below D. So compare sets of one size only; :func:`is_small` says when to warn.

As a column, the score of one item is the squared distance of its two embeddings, which is the
Frechet distance of two sets of one; the embeddings are kept beside it, and a table computes the
distance of the whole corpus from them.

Pitfalls
    - The number depends on the number of items; compare sets of one size, with more items than
      dimensions.
    - It says that two sets resemble each other, not that an item resembles its original.

References:
    D. C. Dowson, B. V. Landau, "The Frechet distance between multivariate normal distributions",
    J. Multivariate Anal. 12(3), 1982. M. J. Chong, D. Forsyth, "Effectively Unbiased FID and
    Inception Score and where to find them", CVPR 2020.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Items per dimension below which the covariance is mostly noise.
ENOUGH_ITEMS_PER_DIMENSION = 10

__all__ = ["gaussian_distance", "is_small", "pooled", "set_distance"]


def set_distance(*, reference: Array, degraded: Array) -> float:
    """Distance of two sets of embeddings ``(n, D)``; the numbers of rows may differ.

    Raises:
        ValueError: a set is empty, not a matrix, or of another dimension.
    """
    if reference.ndim != 2 or degraded.ndim != 2 or reference.shape[1] != degraded.shape[1]:
        raise ValueError(
            f"expected two sets (n, D) of one D, got {reference.shape} and {degraded.shape}"
        )
    if not len(reference) or not len(degraded):
        raise ValueError("expected at least one embedding in each set")
    means = (reference.mean(axis=0), degraded.mean(axis=0))
    if min(len(reference), len(degraded)) > reference.shape[1]:
        first, second = _root(reference), _root(degraded)
        return gaussian_distance(means=means, covariances=(first.T @ first, second.T @ second))
    mean = np.sum((means[0] - means[1]) ** 2)
    first, second = _root(reference), _root(degraded)
    shared = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    return max(0.0, float(mean + np.sum(first**2) + np.sum(second**2) - 2.0 * shared))


def gaussian_distance(*, means: tuple[Array, Array], covariances: tuple[Array, Array]) -> float:
    """Distance of two Gaussians given by means ``(D,)`` and covariances ``(D, D)``."""
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    # The eigenvalues of C C' are those of a symmetric product, hence real and not negative.
    shared = np.linalg.eigvalsh(root @ covariances[1] @ root)
    total = np.trace(covariances[0]) + np.trace(covariances[1])
    mean = np.sum((means[0] - means[1]) ** 2)
    return max(0.0, float(mean + total - 2.0 * np.sqrt(np.maximum(shared, 0.0)).sum()))


def pooled(vectors: Array) -> float:
    """Distance of a corpus from stored rows ``(n, 2 D)``, reference and degraded side by side."""
    reference, degraded = np.split(vectors, 2, axis=1)
    return set_distance(reference=reference, degraded=degraded)


def is_small(items: int, dimensions: int) -> bool:
    """Whether the bias of few items is large."""
    return items < ENOUGH_ITEMS_PER_DIMENSION * dimensions


def _root(embeddings: Array) -> Array:
    """Centred and scaled so that ``root.T @ root`` is the covariance, ``(n, D)``."""
    centred = embeddings - embeddings.mean(axis=0)
    root: Array = centred / np.sqrt(max(1, len(embeddings) - 1))
    return root
