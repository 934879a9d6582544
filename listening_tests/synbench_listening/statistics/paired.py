"""Conditions in pairs, by the differences of listener means.

The paired t-test has no pooled variance, as BS.1534-3 wants it. The signed-rank test of scipy has
no correction for continuity (R has one), and its exact form is not valid with ties or zeros: where
those occur the sign-flip permutation stands beside it and is the one to read.

References
    F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (6), 1945.
    D. Schuirmann, "A comparison of the two one-sided tests procedure ...", J. Pharmacokinet.
        Biopharm. 15 (6), 1987.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from synbench_listening.statistics.correction import Correction, correct
from synbench_listening.statistics.intervals import mean_interval
from synbench_listening.statistics.listener_table import Floats, ListenerTable

# All sign patterns are tried up to so many listeners, a fixed sample of them beyond.
EXACT_SIGNS = 16
RANDOM_SIGNS = 20_000
SEED = 20240518

__all__ = [
    "ListenerEquivalence",
    "Pair",
    "compare_pairs",
    "equivalence",
    "median_permutation",
    "paired_t",
    "sign_flip",
    "wilcoxon",
]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """``first`` minus ``second`` over the listeners who rated both.

    Attributes:
        effect: Cohen's d of paired differences: their mean over their standard deviation.
        ties: a difference is zero or two have the same size, so that ``p_wilcoxon`` is doubtful.
        p_corrected: of the t-test, over all pairs.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    listeners: int
    t: float
    p: float
    p_corrected: float
    effect: float
    p_wilcoxon: float
    p_wilcoxon_corrected: float
    p_sign_flip: float
    ties: bool


@dataclass(frozen=True, kw_only=True)
class ListenerEquivalence:
    """Two one-sided tests against a margin: p below 0.05 shows that the difference is smaller."""

    margin: float
    p: float
    low: float
    high: float


def paired_t(differences: Floats) -> tuple[float, float]:
    """t and two-sided p that the mean is zero; NaN below two, or where all are equal."""
    from scipy.special import stdtr

    n = len(differences)
    spread = float(differences.std(ddof=1)) if n > 1 else 0.0
    if spread <= 1e-12 * max(1.0, float(np.abs(differences).max(initial=0.0))):
        return float("nan"), float("nan")
    t = float(differences.mean()) / spread * n**0.5
    return t, 2 * float(stdtr(n - 1, -abs(t)))


def wilcoxon(differences: Floats) -> float:
    """Two-sided p of the signed-rank test by scipy: exact where valid, else by normal shares."""
    from scipy.stats import wilcoxon as scipy_wilcoxon

    found = differences[differences != 0]
    if len(differences) < 2:
        return float("nan")
    if not len(found):
        return 1.0
    if _has_ties(differences) or len(found) > 50:
        return float(scipy_wilcoxon(found, method="approx").pvalue)
    return float(scipy_wilcoxon(found, method="exact").pvalue)


def sign_flip(differences: Floats, *, seed: int = SEED) -> float:
    """Two-sided p that the mean is zero, over sign patterns; valid with ties and zeros.

    A sample of patterns counts the observed one too, so that p is never zero.
    """
    n = len(differences)
    if n < 2:
        return float("nan")
    observed = abs(float(differences.sum()))
    slack = 1e-12 * float(np.abs(differences).sum())
    if n <= EXACT_SIGNS:
        patterns = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        sums = np.abs((2 * patterns - 1) @ differences)
        return float(np.mean(sums >= observed - slack))
    generator = np.random.default_rng(seed)
    signs = 2.0 * generator.integers(0, 2, size=(RANDOM_SIGNS, n), dtype=np.int8) - 1
    reached = int(np.count_nonzero(np.abs(signs @ differences) >= observed - slack))
    return (reached + 1) / (RANDOM_SIGNS + 1)


def compare_pairs(table: ListenerTable, *, correction: Correction = "holm") -> list[Pair]:
    """All pairs of conditions, as one family for the correction."""
    pairs = list(combinations(range(len(table.conditions)), 2))
    differences = []
    for first, second in pairs:
        found = table.values[:, first] - table.values[:, second]
        differences.append(found[np.isfinite(found)])
    tests = [paired_t(found) for found in differences]
    ranks = [wilcoxon(found) for found in differences]
    corrected = correct([p for _, p in tests], correction)
    ranks_corrected = correct(ranks, correction)
    result = []
    for number, ((first, second), found) in enumerate(zip(pairs, differences, strict=True)):
        interval = mean_interval(found)
        spread = float(found.std(ddof=1)) if len(found) > 1 else float("nan")
        result.append(
            Pair(
                first=table.conditions[first],
                second=table.conditions[second],
                difference=interval.mean,
                low=interval.low,
                high=interval.high,
                listeners=len(found),
                t=tests[number][0],
                p=tests[number][1],
                p_corrected=corrected[number],
                effect=interval.mean / spread if spread else float("nan"),
                p_wilcoxon=ranks[number],
                p_wilcoxon_corrected=ranks_corrected[number],
                p_sign_flip=sign_flip(found),
                ties=_has_ties(found),
            )
        )
    return result


def equivalence(differences: Floats, *, margin: float) -> ListenerEquivalence:
    """Whether a mean difference is shown to be smaller than ``margin``, in points of the scale.

    Raises:
        ValueError: the margin is not positive, or there are fewer than two differences.
    """
    if not margin > 0 or len(differences) < 2:
        raise ValueError("expected a margin above 0 and at least two listeners")
    from scipy.special import stdtr

    interval = mean_interval(differences, confidence=0.9)
    error = float(differences.std(ddof=1)) / len(differences) ** 0.5
    if error == 0:
        p = 0.0 if abs(interval.mean) < margin else 1.0
    else:
        p = float(stdtr(len(differences) - 1, (abs(interval.mean) - margin) / error))
    return ListenerEquivalence(margin=margin, p=p, low=interval.low, high=interval.high)


def median_permutation(
    first: Floats, second: Floats, *, resplits: int = 10_000, seed: int = SEED
) -> tuple[float, float]:
    """Difference of medians of pooled ratings, and the share of random re-splits above it.

    This is the test of attachment 3 of BS.1534-3. It ignores that the same listeners gave both
    sets of ratings: :func:`sign_flip` on listener means is the better one.
    """
    observed = abs(float(np.median(first)) - float(np.median(second)))
    pool = np.concatenate([first, second])
    generator = np.random.default_rng(seed)
    above = 0
    for _ in range(10):
        order = generator.permuted(np.tile(pool, (resplits // 10, 1)), axis=1)
        medians = np.median(order[:, : len(first)], axis=1)
        others = np.median(order[:, len(first) :], axis=1)
        above += int(np.count_nonzero(np.abs(medians - others) > observed + 1e-9))
    return observed, above / (resplits // 10 * 10)


def _has_ties(differences: Floats) -> bool:
    sizes = np.round(np.abs(differences), 9)
    return bool((sizes == 0).any()) or len(np.unique(sizes)) < len(sizes)
