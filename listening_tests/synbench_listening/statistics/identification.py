"""ABX identification: is X told from the other, or guessed?

The pooled binomial test takes all trials as independent, which trials of one listener are not; the
test over listener rates stands beside it.

References
    C. Clopper, E. Pearson, "The use of confidence or fiducial limits ...", Biometrika 26, 1934.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synbench.statistics.multiplicity import SIGNIFICANCE
from synbench.statistics.paired_tests import paired_t
from synbench.statistics.signed_ranks import wilcoxon
from synbench_listening.answers.ratings import Rating

CHANCE_RATE = 0.5

__all__ = [
    "Identification",
    "Proportion",
    "binomial_p",
    "clopper_pearson",
    "correct_needed",
    "identification",
    "proportion",
    "two_rates_chi2",
]


@dataclass(frozen=True, kw_only=True)
class Proportion:
    """Correct answers with their exact interval and the one-sided p against guessing."""

    correct: int
    n: int
    rate: float
    low: float
    high: float
    p: float
    chi2: float


@dataclass(frozen=True, kw_only=True)
class Identification:
    """One treatment.

    Attributes:
        pooled: all trials as if independent.
        listeners: each listener's own.
        t, p_listeners: one-sample t-test of listener rates against 0.5, two-sided.
        p_wilcoxon: signed ranks of the same.
        detecting: listeners whose own binomial test is significant at 5 %.
    """

    name: str
    pooled: Proportion
    listeners: dict[str, Proportion]
    undecided: int
    t: float
    p_listeners: float
    p_wilcoxon: float
    detecting: int


def binomial_p(correct: int, n: int, chance: float = CHANCE_RATE) -> float:
    """Chance of at least ``correct`` of ``n`` by guessing: the exact one-sided test."""
    from scipy.special import betainc

    return 1.0 if correct <= 0 else float(betainc(correct, n - correct + 1, chance))


def clopper_pearson(correct: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of a rate."""
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = float(betaincinv(correct, n - correct + 1, tail)) if correct else 0.0
    high = float(betaincinv(correct + 1, n - correct, 1 - tail)) if correct < n else 1.0
    return low, high


def proportion(correct: int, n: int) -> Proportion:
    """Everything about one count.

    Raises:
        ValueError: not 0 <= correct <= n, or no trial.
    """
    if not 0 <= correct <= n or n < 1:
        raise ValueError(f"expected 0 to n correct of at least 1, got {correct} of {n}")
    low, high = clopper_pearson(correct, n)
    return Proportion(
        correct=correct,
        n=n,
        rate=correct / n,
        low=low,
        high=high,
        p=binomial_p(correct, n),
        chi2=4 * (correct - n / 2) ** 2 / n,
    )


def identification(name: str, ratings: Sequence[Rating]) -> Identification:
    """Analyse the abx answers of one treatment."""
    people: dict[str, list[Rating]] = {}
    for rating in ratings:
        people.setdefault(rating.listener, []).append(rating)
    listeners = {
        who: proportion(sum(rating.score == 1 for rating in mine), len(mine))
        for who, mine in people.items()
    }
    above = np.array([listener_rate.rate - CHANCE_RATE for listener_rate in listeners.values()])
    t, p = paired_t(above)
    return Identification(
        name=name,
        pooled=proportion(sum(rating.score == 1 for rating in ratings), len(ratings)),
        listeners=listeners,
        undecided=sum(rating.answer == "undecided" for rating in ratings),
        t=t,
        p_listeners=p,
        p_wilcoxon=wilcoxon(above),
        detecting=sum(listener_rate.p < SIGNIFICANCE for listener_rate in listeners.values()),
    )


def two_rates_chi2(first: Proportion, second: Proportion) -> tuple[float, float]:
    """Chi-square of two rates, without correction for continuity, and its p."""
    from scipy.special import chdtrc

    n = first.n + second.n
    hits = first.correct + second.correct
    if hits in (0, n):
        return 0.0, 1.0
    expected = np.outer([first.n, second.n], [hits / n, 1 - hits / n])
    observed = np.array(
        [[first.correct, first.n - first.correct], [second.correct, second.n - second.correct]]
    )
    statistic = float(((observed - expected) ** 2 / expected).sum())
    return statistic, float(chdtrc(1, statistic))


def correct_needed(
    n: int, *, alpha: float = SIGNIFICANCE, chance: float = CHANCE_RATE
) -> int | None:
    """Fewest correct answers of ``n`` that guessing reaches with at most ``alpha``, if any."""
    return next((k for k in range(n + 1) if binomial_p(k, n, chance) <= alpha), None)
