"""The maximum of the restricted likelihood over variance ratios, searched from many starts.

A search over standard deviations sticks at zero, where its gradient vanishes whatever the data
say. Here the ratio of variances is s (exp(u) - 1) with u from 0 on: near zero it is the variance
itself, whose slope there tells whether it should grow, and far off its logarithm. The likelihood
may have several maxima, most of them on the edge, so the search begins at many points, and the
best point found is left in the direction of every single effect, on or off, until nothing gains.
At the end the conditions of a maximum are checked: no slope within, no gain from leaving the edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench_listening.statistics.listener_table import Floats
from synbench_listening.statistics.restricted_likelihood import RestrictedLikelihood

# Ratios of variances beyond this are no longer told from infinity.
LARGEST_VARIANCE_RATIO = 1e8
# Random starts beside the systematic ones; searches that are carried on from the best starts.
RANDOM_STARTS = 16
CONTINUED_SEARCHES = 6
SEED = 20261128
# Gains in deviance below this are rounding.
LEAST_DEVIANCE_GAIN = 1e-7
# Slope per unit of u at which a search counts as arrived.
FLAT_SLOPE = 1e-3

__all__ = ["Search", "find_ratios"]


@dataclass(frozen=True, kw_only=True)
class Search:
    """Where the search ended.

    Attributes:
        ratios: variances of the effects over that of the error, in the order of the likelihood.
        criterion: there.
        searches: how many descents were made.
        slope: largest slope that is left, per unit of u; of effects at zero only a gain counts.
        converged: whether that slope is as good as none.
    """

    ratios: Floats
    criterion: float
    searches: int
    slope: float
    converged: bool


def find_ratios(likelihood: RestrictedLikelihood) -> Search:
    """The best ratios of variances that many descents find."""
    count = len(likelihood.names)
    if not count:
        empty = np.zeros(0)
        criterion = likelihood.criterion(empty)
        return Search(ratios=empty, criterion=criterion, searches=0, slope=0.0, converged=True)
    descent = _Descent(likelihood)
    starts = sorted(_starts(count), key=descent.value)
    best = min((descent.run(u) for u in starts[:CONTINUED_SEARCHES]), key=lambda end: end[1])
    improved = True
    while improved:
        improved = False
        for number in range(count):
            turned = best[0].copy()
            turned[number] = 0.0 if turned[number] > 0 else 1.0
            end = descent.run(turned)
            if end[1] < best[1] - LEAST_DEVIANCE_GAIN:
                best, improved = end, True
    u, criterion = descent.polished(*best)
    slope = descent.slope(u)
    return Search(
        ratios=descent.ratios(u),
        criterion=criterion,
        searches=descent.searches,
        slope=slope,
        converged=slope < FLAT_SLOPE,
    )


def _starts(count: int) -> Iterator[Floats]:
    """Points in u: all effects alike, one alone, all but one, and random ones."""
    for level in (0.1, 0.7, 2.0, 4.0):
        yield np.full(count, level)
    for number in range(count):
        alone = np.zeros(count)
        alone[number] = 1.5
        yield alone
        yield np.where(alone > 0, 0.0, 1.0)
    generator = np.random.default_rng(SEED)
    for _ in range(RANDOM_STARTS):
        on = generator.random(count) < 0.7
        yield np.where(on, generator.exponential(1.5, count), 0.0)


class _Descent:
    """Descents of the criterion as a function of u."""

    def __init__(self, likelihood: RestrictedLikelihood) -> None:
        self.likelihood = likelihood
        levels = np.bincount(likelihood.group_of)
        self.scale: Floats = levels / likelihood.n
        self.most = np.log1p(LARGEST_VARIANCE_RATIO / self.scale)
        self.searches = 0

    def ratios(self, u: Floats) -> Floats:
        """Ratios of variances at u."""
        ratios: Floats = self.scale * np.expm1(u)
        return ratios

    def value(self, u: Floats) -> float:
        """The criterion at u."""
        return self.likelihood.criterion(self.ratios(u))

    def value_and_slope(self, u: Floats) -> tuple[float, Floats]:
        """The criterion and its gradient by u."""
        value, gradient = self.likelihood.criterion_and_gradient(self.ratios(u))
        return value, gradient * self.scale * np.exp(u)

    def run(self, u: Floats) -> tuple[Floats, float]:
        """Where a descent from u ends."""
        from scipy.optimize import minimize

        self.searches += 1
        bounds = [(0.0, float(most)) for most in self.most]
        done = minimize(
            self.value_and_slope,
            u,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 200, "ftol": 1e-13, "gtol": 1e-6},
        )
        return np.asarray(done.x, dtype=np.float64), float(done.fun)

    def slope(self, u: Floats) -> float:
        """Largest slope that a step within the bounds could still use."""
        _, gradient = self.value_and_slope(u)
        usable = np.where(u <= 0, np.maximum(-gradient, 0.0), np.abs(gradient))
        return float(usable[u < self.most].max(initial=0.0))

    def polished(self, u: Floats, value: float) -> tuple[Floats, float]:
        """After Newton's steps in the effects that are not zero, as long as they gain."""
        for _ in range(8):
            free = np.flatnonzero((u > 0) & (u < self.most))
            _, gradient = self.value_and_slope(u)
            if not free.size or np.abs(gradient[free]).max() < 1e-9:
                break
            step = self._newton_step(u, gradient, free)
            moved = u.copy()
            moved[free] = np.clip(u[free] - step, 0.0, self.most[free])
            reached = self.value(moved)
            if not reached <= value:
                break
            u, value = moved, reached
        return u, value

    def _newton_step(self, u: Floats, gradient: Floats, free: NDArray[np.intp]) -> Floats:
        width = 1e-4
        hessian = np.empty((len(free), len(free)))
        for row, number in enumerate(free):
            moved = u.copy()
            moved[number] += width
            hessian[row] = (self.value_and_slope(moved)[1] - gradient)[free] / width
        hessian = (hessian + hessian.T) / 2
        lowest = float(np.linalg.eigvalsh(hessian)[0])
        if lowest < 1e-8:  # flat or no minimum in some direction: stay near
            hessian += np.eye(len(free)) * (1e-8 - lowest + 1e-3)
        return np.asarray(np.linalg.solve(hessian, gradient[free]), dtype=np.float64)
