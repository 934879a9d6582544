"""Two-way repeated-measures analysis of variance: do systems keep their distances everywhere?

Each effect is tested against its own interaction with listeners, on orthonormal contrasts, with the
degrees of freedom reduced by Greenhouse and Geisser's epsilon.

References
    S. Greenhouse, S. Geisser, "On methods in the analysis of profile data", Psychometrika 24, 1959.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synbench_listening.statistics.listener_table import Floats

__all__ = ["Effect", "two_factors"]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One effect; ``p`` is of the reduced degrees of freedom, ``gg_epsilon`` times ``df``."""

    f: float
    df: tuple[int, int]
    gg_epsilon: float
    p: float
    partial_eta2: float


def two_factors(values: Floats) -> tuple[Effect, Effect, Effect]:
    """First factor, second factor, and both together.

    Args:
        values: means, shape ``(listener, first, second)``, without gaps.

    Raises:
        ValueError: fewer than three listeners or two levels, gaps, or an effect without variance.
    """
    n, first, second = values.shape
    if n < 3 or first < 2 or second < 2:
        raise ValueError(f"expected 3 listeners and 2 levels each, got {n}, {first} and {second}")
    if not np.isfinite(values).all():
        raise ValueError("expected a mean of every listener for every cell")
    flat = values.reshape(n, first * second)
    one, other = _contrasts(first), _contrasts(second)
    mean_of_first = np.full((first, 1), first**-0.5)
    mean_of_second = np.full((second, 1), second**-0.5)
    return (
        _effect(flat @ np.kron(one, mean_of_second)),
        _effect(flat @ np.kron(mean_of_first, other)),
        _effect(flat @ np.kron(one, other)),
    )


def _contrasts(levels: int) -> Floats:
    """Orthonormal, each of sum zero, shape ``(level, contrast)``."""
    contrasts, _ = np.linalg.qr(np.eye(levels)[:, : levels - 1] - 1 / levels)
    return np.asarray(contrasts, dtype=np.float64)


def _effect(contrasted: Floats) -> Effect:
    """Of contrasts by listener, shape ``(listener, contrast)``."""
    from scipy.special import fdtrc

    n, count = contrasted.shape
    means = contrasted.mean(axis=0)
    explained = n * float((means**2).sum())
    error = float(((contrasted - means) ** 2).sum())
    if error <= 1e-12 * max(1.0, explained):
        raise ValueError("an effect is the same for every listener")
    df = count, count * (n - 1)
    f = (explained / df[0]) / (error / df[1])
    covariance = np.atleast_2d(np.cov(contrasted, rowvar=False))
    epsilon = float(np.trace(covariance)) ** 2 / (count * float((covariance**2).sum()))
    return Effect(
        f=f,
        df=df,
        gg_epsilon=epsilon,
        p=float(fdtrc(epsilon * df[0], epsilon * df[1], f)),
        partial_eta2=explained / (explained + error),
    )
