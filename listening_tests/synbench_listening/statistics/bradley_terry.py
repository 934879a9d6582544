"""Strengths of several systems from preferences in pairs, with ties (Davidson's model).

Chance that i is preferred over j: s_i / (s_i + s_j + nu sqrt(s_i s_j)); of neither: the last term
over the same sum. Strengths are given as logarithms with a mean of zero. The error of a strength is
taken over listeners: each one's judgements pull the fit by their part of the gradient, so it holds
however much the judgements of one listener are alike (the sandwich with n / (n - 1), and Student's
t with n - 1 degrees of freedom).

References
    R. Bradley, M. Terry, "Rank analysis of incomplete block designs", Biometrika 39, 1952.
    R. Davidson, "On extending the Bradley-Terry model to accommodate ties ...", J. Am. Stat. Assoc.
        65 (329), 1970.
    K.-Y. Liang, S. Zeger, "Longitudinal data analysis using generalized linear models", Biometrika
        73 (1), 1986 (the sandwich).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from synbench.statistics.means import CONFIDENCE
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.listener_table import Floats

__all__ = ["Strength", "bradley_terry", "fit_strengths", "strengths_with_errors"]


@dataclass(frozen=True, kw_only=True)
class Strength:
    """Log strength of one system; the mean over systems is 0. Ends are NaN of one listener."""

    name: str
    strength: float
    low: float
    high: float


def fit_strengths(wins: Floats, ties: Floats) -> tuple[Floats, float]:
    """Log strengths and the tie parameter nu by maximum likelihood.

    Args:
        wins: shape ``(system, system)``, how often the row was preferred over the column.
        ties: same shape and symmetric, how often neither was.

    Raises:
        ValueError: some systems were never beaten by, or never beat, the rest: no finite maximum.
    """
    from scipy.optimize import minimize

    systems = len(wins)
    if not _connected(wins + ties / 2):
        raise ValueError("some system won (or lost) every comparison: its strength has no bound")
    has_ties = bool(ties.sum())
    first, second = np.triu_indices(systems, 1)
    won, lost, tied = wins[first, second], wins[second, first], ties[first, second]
    total = won + lost + tied

    def loss(parameters: Floats) -> tuple[float, Floats]:
        strengths, nu = parameters[:systems], parameters[systems] if has_ties else -np.inf
        a, b = strengths[first], strengths[second]
        parts = np.stack([a, b, (a + b) / 2 + nu])
        top = parts.max(axis=0)
        shares = np.exp(parts - top)
        normaliser = shares.sum(axis=0)
        logs = top + np.log(normaliser)
        value = float((total * logs - won * a - lost * b).sum())
        value -= float((tied * parts[2]).sum()) if has_ties else 0.0
        shares /= normaliser
        residual_a = total * (shares[0] + shares[2] / 2) - won - tied / 2
        residual_b = total * (shares[1] + shares[2] / 2) - lost - tied / 2
        gradient = np.zeros(systems + has_ties)
        np.add.at(gradient, first, residual_a)
        np.add.at(gradient, second, residual_b)
        if has_ties:
            gradient[systems] = float((total * shares[2] - tied).sum())
        return value + float(strengths.sum()) ** 2, gradient + _padded(strengths, has_ties)

    done = minimize(loss, np.zeros(systems + has_ties), jac=True, method="BFGS", tol=1e-9)
    strengths = np.asarray(done.x[:systems], dtype=np.float64)
    return strengths - strengths.mean(), float(np.exp(done.x[systems])) if has_ties else 0.0


def bradley_terry(ratings: Sequence[Rating]) -> list[Strength]:
    """Strengths from all ab answers, strongest first, with 95 % intervals over listeners.

    Raises:
        ValueError: as :func:`fit_strengths`, or fewer than two systems.
    """
    names = sorted({rating.condition for rating in ratings} | {rating.versus for rating in ratings})
    if len(names) < 2:
        raise ValueError("expected preferences between at least two systems")
    index_of = {name: number for number, name in enumerate(names)}
    listeners = sorted({rating.listener for rating in ratings})
    wins = np.zeros((len(listeners), len(names), len(names)))
    ties = np.zeros_like(wins)
    who = {name: number for number, name in enumerate(listeners)}
    for rating in ratings:
        a, b, row = index_of[rating.condition], index_of[rating.versus], who[rating.listener]
        if rating.score == 0:
            ties[row, a, b] += 1
            ties[row, b, a] += 1
        elif rating.score > 0:
            wins[row, a, b] += 1
        else:
            wins[row, b, a] += 1
    strengths, half = strengths_with_errors(wins, ties)
    fitted = [
        Strength(name=name, strength=float(s), low=float(s - h), high=float(s + h))
        for name, s, h in zip(names, strengths, half, strict=True)
    ]
    return sorted(fitted, key=lambda entry: -entry.strength)


def strengths_with_errors(wins: Floats, ties: Floats) -> tuple[Floats, Floats]:
    """Log strengths, and half the widths of their 95 % intervals; NaN of one listener.

    Args:
        wins, ties: as for :func:`fit_strengths`, of each listener: ``(listener, system, system)``.

    Raises:
        ValueError: as :func:`fit_strengths`.
    """
    from scipy.special import stdtrit

    strengths, nu = fit_strengths(wins.sum(axis=0), ties.sum(axis=0))
    count, systems = wins.shape[:2]
    if count < 2:
        return strengths, np.full(systems, np.nan)
    size = systems + (nu > 0)
    # The sum of strengths is held at zero, so that the curvature can be inverted.
    curvature = np.zeros((size, size))
    curvature[:systems, :systems] = 1.0
    pulls = np.zeros((count, size))
    for a, b in combinations(range(systems), 2):
        outcomes = np.zeros((3, size))  # a preferred, b preferred, neither
        outcomes[0, a] = outcomes[1, b] = 1.0
        outcomes[2, [a, b]] = 0.5
        outcomes[2, systems:] = 1.0
        logs = outcomes[:, :systems] @ strengths
        chances = np.exp(logs - logs.max()) * np.array([1.0, 1.0, nu])
        chances /= chances.sum()
        seen = np.stack([wins[:, a, b], wins[:, b, a], ties[:, a, b]], axis=1)
        expected = chances @ outcomes
        spread = (outcomes.T * chances) @ outcomes - np.outer(expected, expected)
        curvature += seen.sum() * spread
        pulls += seen @ outcomes - np.outer(seen.sum(axis=1), expected)
    parts = np.linalg.solve(curvature, pulls.T)[:systems]
    error = np.sqrt((parts**2).sum(axis=1) * count / (count - 1))
    return strengths, float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * error


def _padded(strengths: Floats, has_ties: bool) -> Floats:
    """Gradient of the squared sum, which pins the mean of the strengths."""
    gradient = np.full(len(strengths) + has_ties, 2 * float(strengths.sum()))
    if has_ties:
        gradient[-1] = 0
    return gradient


def _connected(beats: Floats) -> bool:
    """Whether every system beats every other through some chain (ties beat both ways)."""
    reach = beats > 0
    for _ in range(len(beats)):
        reach = reach | ((reach.astype(np.int64) @ reach.astype(np.int64)) > 0)
    np.fill_diagonal(reach, True)
    return bool(reach.all())
