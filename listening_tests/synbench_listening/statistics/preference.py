"""Preference of A or B, with a third answer for none.

Papers often test this by a paired t-test over judgements: A counts 1 or 0, B likewise, none counts
0 for both. That is a one-sample t-test of +1, 0 and -1, so a published p can be computed again
from the three counts. It takes judgements as independent, which those of one listener are not; the
paired t-test over listeners is the one to trust.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synbench.statistics.paired_tests import paired_t
from synbench.statistics.permutation import sign_flip
from synbench.statistics.signed_ranks import wilcoxon
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.identification import binomial_p
from synbench_listening.statistics.intervals import Interval, mean_interval
from synbench_listening.statistics.listener_table import Floats

__all__ = [
    "Counts",
    "Preference",
    "counts_from_percentages",
    "judgement_t",
    "preference",
    "sign_test",
    "sign_test_ties_split",
]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Judgements for A, for neither, for B."""

    a: int
    none: int
    b: int

    @property
    def n(self) -> int:
        """All judgements."""
        return self.a + self.none + self.b


@dataclass(frozen=True, kw_only=True)
class Preference:
    """A pair of systems.

    Attributes:
        difference: share of A minus share of B, by listeners, with its interval.
        by_items: the same interval with items as the unit, for generalising over items.
        p_judgements: the paper's way: judgements as independent.
        p_listeners, p_wilcoxon, p_sign_flip: over listener differences.
        p_sign: judgements without the undecided ones; ``p_sign_split`` halves those instead.
    """

    first: str
    second: str
    counts: Counts
    t_judgements: float
    p_judgements: float
    listeners: int
    difference: Interval
    by_items: Interval
    t_listeners: float
    p_listeners: float
    p_wilcoxon: float
    p_sign_flip: float
    p_sign: float
    p_sign_split: float


def counts_from_percentages(a: float, none: float, b: float, *, n: int) -> Counts:
    """Counts behind published percentages.

    Raises:
        ValueError: they do not sum to 100, or are no whole counts of ``n`` judgements within the
            rounding of two digits.
    """
    if abs(a + none + b - 100) > 0.15:
        raise ValueError(f"percentages sum to {a + none + b:g}, expected 100")
    counts = [round(share * n / 100) for share in (a, none, b)]
    worst = max(
        abs(count * 100 / n - share) for count, share in zip(counts, (a, none, b), strict=True)
    )
    if sum(counts) != n or worst > 0.051:
        raise ValueError(f"{a:g}, {none:g}, {b:g} % are no whole counts of {n} judgements")
    return Counts(a=counts[0], none=counts[1], b=counts[2])


def judgement_t(counts: Counts) -> tuple[float, float]:
    """t and two-sided p over judgements, from the counts alone (df = n - 1)."""
    from scipy.special import stdtr

    n = counts.n
    if n < 2:
        return float("nan"), float("nan")
    mean = (counts.a - counts.b) / n
    variance = (counts.a + counts.b - n * mean**2) / (n - 1)
    if variance <= 1e-15:
        return float("nan"), float("nan")
    t = mean * (n / variance) ** 0.5
    return t, 2 * float(stdtr(n - 1, -abs(t)))


def sign_test(counts: Counts) -> float:
    """Two-sided exact p among those who preferred one."""
    return _two_sided(max(counts.a, counts.b), counts.a + counts.b)


def sign_test_ties_split(counts: Counts) -> float:
    """The same with undecided judgements given to both sides in halves, an odd one left out."""
    half = counts.none // 2
    return _two_sided(max(counts.a, counts.b) + half, counts.a + counts.b + 2 * half)


def preference(first: str, second: str, ratings: Sequence[Rating]) -> Preference:
    """Analyse the ab answers of one pair; scores are 1 for ``first``, -1 for ``second``, 0."""
    signs = [
        (rating, rating.score if rating.condition == first else -rating.score) for rating in ratings
    ]
    counts = Counts(
        a=sum(sign > 0 for _, sign in signs),
        none=sum(sign == 0 for _, sign in signs),
        b=sum(sign < 0 for _, sign in signs),
    )
    people = _means([(rating.listener, sign) for rating, sign in signs])
    items = _means([(rating.item, sign) for rating, sign in signs])
    t_judgements, p_judgements = judgement_t(counts)
    t, p = paired_t(people)
    return Preference(
        first=first,
        second=second,
        counts=counts,
        t_judgements=t_judgements,
        p_judgements=p_judgements,
        listeners=len(people),
        difference=mean_interval(people),
        by_items=mean_interval(items),
        t_listeners=t,
        p_listeners=p,
        p_wilcoxon=wilcoxon(people),
        p_sign_flip=sign_flip(people),
        p_sign=sign_test(counts),
        p_sign_split=sign_test_ties_split(counts),
    )


def _means(values: Sequence[tuple[str, float]]) -> Floats:
    groups: dict[str, list[float]] = {}
    for name, value in values:
        groups.setdefault(name, []).append(value)
    return np.array([np.mean(groups[name]) for name in sorted(groups)])


def _two_sided(larger: int, n: int) -> float:
    return min(1.0, 2 * binomial_p(larger, n)) if n else 1.0
