"""One-way repeated-measures analysis of variance on listener means, and Friedman's rank test.

Sphericity is tested by Mauchly's W. The p-values to read are those with the degrees of freedom
reduced by Greenhouse and Geisser's epsilon, or by Huynh and Feldt's (the standard's choice).

References
    S. Greenhouse, S. Geisser, "On methods in the analysis of profile data", Psychometrika 24, 1959.
    H. Huynh, L. Feldt, "Estimation of the Box correction ...", J. Educ. Stat. 1, 1976.
    J. Mauchly, "Significance test for sphericity ...", Ann. Math. Stat. 11, 1940.
    M. Friedman, "The use of ranks ...", J. Am. Stat. Assoc. 32, 1937.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synbench_listening.statistics.listener_table import Floats

__all__ = ["Friedman", "RepeatedMeasures", "friedman", "repeated_measures"]


@dataclass(frozen=True, kw_only=True)
class RepeatedMeasures:
    """Attributes: ``partial_eta2`` = SS(condition) / (SS(condition) + SS(error))."""

    f: float
    df: tuple[int, int]
    p: float
    gg_epsilon: float
    p_gg: float
    hf_epsilon: float
    p_hf: float
    mauchly_w: float
    mauchly_p: float
    partial_eta2: float
    generalised_eta2: float
    listeners: int
    residual_skewness: float


@dataclass(frozen=True, kw_only=True)
class Friedman:
    """Friedman's chi-square with Kendall's coefficient of concordance as effect size."""

    statistic: float
    df: int
    p: float
    kendall_w: float
    listeners: int


def repeated_measures(values: Floats) -> RepeatedMeasures:
    """Analyse listener means, shape ``(listener, condition)``, without gaps.

    Raises:
        ValueError: fewer than two conditions, fewer than three listeners, gaps, or no variance.
    """
    from scipy.special import fdtrc

    n, k = _checked(values)
    grand = values.mean()
    ss_condition = n * float(((values.mean(axis=0) - grand) ** 2).sum())
    ss_listener = k * float(((values.mean(axis=1) - grand) ** 2).sum())
    residuals = values - values.mean(axis=0) - values.mean(axis=1)[:, None] + grand
    ss_error = float((residuals**2).sum())
    if ss_error <= 1e-12 * max(1.0, float(((values - grand) ** 2).sum())):
        raise ValueError("the conditions differ by the same amount for every listener")
    first, second = k - 1, (k - 1) * (n - 1)
    f = (ss_condition / first) / (ss_error / second)
    covariance = _contrast_covariance(values)
    trace = float(np.trace(covariance))
    gg = trace**2 / (first * float((covariance**2).sum()))
    hf = min(1.0, (n * first * gg - 2) / (first * (n - 1 - first * gg)))
    w, p_w = _mauchly(covariance, n)
    return RepeatedMeasures(
        f=f,
        df=(first, second),
        p=float(fdtrc(first, second, f)),
        gg_epsilon=gg,
        p_gg=float(fdtrc(gg * first, gg * second, f)),
        hf_epsilon=hf,
        p_hf=float(fdtrc(hf * first, hf * second, f)),
        mauchly_w=w,
        mauchly_p=p_w,
        partial_eta2=ss_condition / (ss_condition + ss_error),
        generalised_eta2=ss_condition / (ss_condition + ss_listener + ss_error),
        listeners=n,
        residual_skewness=_skewness(residuals.ravel()),
    )


def friedman(values: Floats) -> Friedman:
    """Rank test over listener means, shape ``(listener, condition)``, corrected for ties.

    Raises:
        ValueError: as :func:`repeated_measures`, or every listener ties all conditions.
    """
    from scipy.special import chdtrc
    from scipy.stats import rankdata

    n, k = _checked(values)
    ranks = np.asarray(rankdata(values, axis=1), dtype=np.float64)
    spread = float(((ranks - (k + 1) / 2) ** 2).sum())
    if spread == 0:
        raise ValueError("every listener gave all conditions the same score")
    sums = ranks.sum(axis=0)
    statistic = (k - 1) * float(((sums - n * (k + 1) / 2) ** 2).sum()) / spread
    return Friedman(
        statistic=statistic,
        df=k - 1,
        p=float(chdtrc(k - 1, statistic)),
        kendall_w=statistic / (n * (k - 1)),
        listeners=n,
    )


def _checked(values: Floats) -> tuple[int, int]:
    n, k = values.shape
    if n < 3 or k < 2:
        raise ValueError(f"expected at least 3 listeners and 2 conditions, got {n} and {k}")
    if not np.isfinite(values).all():
        raise ValueError("expected a mean of every listener for every condition")
    return n, k


def _contrast_covariance(values: Floats) -> Floats:
    """Covariance of k - 1 orthonormal contrasts of the conditions."""
    k = values.shape[1]
    contrasts, _ = np.linalg.qr(np.eye(k)[:, : k - 1] - 1 / k)
    covariance: Floats = np.atleast_2d(np.cov(values @ contrasts, rowvar=False))
    return covariance


def _mauchly(covariance: Floats, n: int) -> tuple[float, float]:
    """W and its p by the chi-square approximation with Box's second term."""
    from scipy.special import chdtrc

    p = len(covariance)
    if p == 1:
        return 1.0, 1.0
    if n - 1 < p:
        return float("nan"), float("nan")
    w = float(np.linalg.det(covariance)) / (float(np.trace(covariance)) / p) ** p
    if w <= 0:
        return 0.0, 0.0
    df = p * (p + 1) // 2 - 1
    factor = 1 - (2 * p**2 + p + 2) / (6 * p * (n - 1))
    statistic = -(n - 1) * factor * float(np.log(w))
    second = float((p + 2) * (p - 1) * (p - 2) * (2 * p**3 + 6 * p**2 + 3 * p + 2))
    second /= 288 * ((n - 1) * p * factor) ** 2
    tail, next_tail = float(chdtrc(df, statistic)), float(chdtrc(df + 4, statistic))
    return w, tail + second * (next_tail - tail)


def _skewness(values: Floats) -> float:
    deviations = values - values.mean()
    variance = float((deviations**2).mean())
    return float((deviations**3).mean()) / variance**1.5 if variance else 0.0
