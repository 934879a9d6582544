"""Strengths of several systems from preferences in pairs, with ties (Davidson's model).

Chance that i is preferred over j: s_i / (s_i + s_j + nu sqrt(s_i s_j)); of neither: the last term
over the same sum. Strengths are given as logarithms with a mean of zero. Intervals come from
drawing listeners with all their judgements.

References
    R. Bradley, M. Terry, "Rank analysis of incomplete block designs", Biometrika 39, 1952.
    R. Davidson, "On extending the Bradley-Terry model to accommodate ties ...", J. Am. Stat. Assoc.
        65 (329), 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.listener_table import Floats

RESAMPLES = 500
SEED = 20240519

__all__ = ["Strength", "bradley_terry", "fit_strengths"]


@dataclass(frozen=True, kw_only=True)
class Strength:
    """Log strength of one system; the mean over systems is 0."""

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


def bradley_terry(
    ratings: Sequence[Rating], *, resamples: int = RESAMPLES, seed: int = SEED
) -> list[Strength]:
    """Strengths from all ab answers, strongest first, with percentile intervals over listeners.

    Resamples without a finite fit are left out.

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
    strengths, _ = fit_strengths(wins.sum(axis=0), ties.sum(axis=0))
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        rows = generator.integers(0, len(listeners), len(listeners))
        try:
            drawn.append(fit_strengths(wins[rows].sum(axis=0), ties[rows].sum(axis=0))[0])
        except ValueError:
            continue
    enough = len(drawn) > resamples / 2
    ends = (
        np.quantile(drawn, (0.025, 0.975), axis=0) if enough else np.full((2, len(names)), np.nan)
    )
    fitted = [
        Strength(name=name, strength=float(s), low=float(low), high=float(high))
        for name, s, low, high in zip(names, strengths, ends[0], ends[1], strict=True)
    ]
    return sorted(fitted, key=lambda entry: -entry.strength)


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
