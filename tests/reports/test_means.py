"""Means, their intervals and tests: against formulas written out here, and against the truth."""

from __future__ import annotations

import gc
import math
from itertools import pairwise

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.multitest import multipletests

from synbench.statistics import student
from synbench.statistics.equivalence import equivalence, equivalences
from synbench.statistics.means import estimate_differences, estimate_means
from synbench.statistics.multiplicity import correct, correct_each
from synbench.statistics.paired_tests import compare_all, paired_t, paired_t_each
from synbench.statistics.permutation import sign_flip, sign_flip_each
from synbench.statistics.signed_ranks import (
    rank_directions,
    wilcoxon,
    wilcoxon_each,
)
from synbench.statistics.skewed_t import corrected_t


@pytest.fixture(scope="module", autouse=True)
def small_heap() -> None:
    """statsmodels collects garbage after every correction: that of this file, not of all others."""
    gc.collect()
    gc.freeze()


def hall_p(values: np.ndarray, hypothesis: float = 0.0) -> float:
    """The corrected test once more, value by value, with scipy's distribution and skewness."""
    n, df = len(values), len(values) - 1
    t = (values.mean() - hypothesis) / scipy.stats.sem(values)
    skew = scipy.stats.skew(values, bias=False) / math.sqrt(n)

    last = scipy.stats.t.isf(0.001, df)
    inner = min(max(t, -last), last)
    growing = skew * inner**2 / 3 + skew**2 * inner**3 / 27
    corrected = t + skew / 6 + growing
    if (skew > 0) == (t > 0):
        limit = max(abs(t), scipy.stats.t.isf(0.005, df))
        corrected = min(max(t + skew / 6 + growing / 2, -limit), limit)
    return float(2 * scipy.stats.t.sf(abs(corrected), df))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("count", [5, 8, 30])
def test_the_p_is_that_of_the_formula_written_out(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).exponential(size=count) - 0.6
    estimates = estimate_means(values[:, None])
    assert estimates.p()[0] == pytest.approx(hall_p(values), rel=1e-9)
    assert estimates.without_skewness().p()[0] == pytest.approx(
        scipy.stats.ttest_1samp(values, 0).pvalue, rel=1e-9
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_ends_of_the_interval_are_where_the_formula_gives_five_percent(seed: int) -> None:
    values = np.random.default_rng(seed).lognormal(0, 0.8, 10)
    estimates = estimate_means(values[:, None])
    for end in (estimates.low[0], estimates.high[0]):
        assert hall_p(values, end) == pytest.approx(0.05, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, (9, 2), elements=st.floats(-5, 5, width=32)))
def test_a_verdict_never_contradicts_the_printed_difference(values: np.ndarray) -> None:
    """Where p is below 5 % the interval lies on the side of the mean, and else holds zero."""
    estimates = estimate_differences(values, [(0, 1)])
    low, high, mean = estimates.low[0], estimates.high[0], estimates.mean[0]
    assert low <= mean <= high
    p = float(estimates.p()[0])
    if abs(p - 0.05) > 1e-9 and estimates.error[0] > 0:
        assert (p < 0.05) == (low > 0 or high < 0)


def test_the_correction_is_monotone_and_bounded() -> None:
    t = np.linspace(-15, 15, 3001)
    for df in (4.0, 7.0, 39.0):
        for skewness in (-1.0, -0.3, 0.0, 0.5, 0.9):
            corrected = corrected_t(t, skewness=np.full_like(t, skewness), df=np.full_like(t, df))
            assert (np.diff(corrected) >= -1e-12).all()
            if skewness == 0:
                assert corrected == pytest.approx(t, abs=1e-12)


@pytest.mark.parametrize("df", [0.7, 1.0, 2.5, 7.0, 60.0, 900.0])
def test_the_distribution_of_t_is_that_of_scipy(df: float) -> None:
    t = np.concatenate([np.linspace(-40, 40, 81), [-1e4, -1e8]])
    freedom = np.full_like(t, df)
    assert student.cumulative(t, freedom) == pytest.approx(scipy.stats.t.cdf(t, df), rel=1e-11)
    for level in (0.025, 0.9, 0.975, 0.9995):
        quantiles = student.quantile(level, np.array([df, np.nan]))
        assert quantiles[0] == pytest.approx(scipy.stats.t.ppf(level, df), rel=1e-10)
        assert np.isnan(quantiles[1])


def test_equal_speakers_are_a_t_test_over_their_means() -> None:
    generator = np.random.default_rng(3)
    speakers = np.repeat(np.arange(9), 4)
    values = generator.normal(size=(36, 1)) + generator.normal(size=(9, 1))[speakers]
    estimates = estimate_means(values, clusters=speakers)
    means = values[:, 0].reshape(9, 4).mean(axis=1)
    assert estimates.error[0] == pytest.approx(scipy.stats.sem(means))
    assert estimates.df[0] == pytest.approx(8)
    assert estimates.mean[0] == pytest.approx(values.mean())
    assert estimates.p()[0] == pytest.approx(hall_p(means), rel=1e-9)


def test_unequal_speakers_have_the_error_and_the_freedom_of_bell_and_mccaffrey() -> None:
    """By matrices: the variance is a quadratic form of the speakers' means."""
    generator = np.random.default_rng(4)
    sizes = np.array([1, 2, 3, 5, 8, 8])
    speakers = np.repeat(np.arange(6), sizes)
    values = generator.normal(size=(27, 1))
    means = np.array([values[speakers == number, 0].mean() for number in range(6)])
    shares = sizes / 27
    residual = np.eye(6) - np.outer(np.ones(6), shares)
    loss = (residual @ residual.T).diagonal()
    form = residual.T @ np.diag(shares**2 / loss) @ residual
    estimates = estimate_means(values, clusters=speakers)
    assert estimates.error[0] ** 2 == pytest.approx(means @ form @ means)
    # Unbiased where all speakers' means have the same variance.
    assert np.trace(form) == pytest.approx((shares**2).sum())
    assert estimates.df[0] == pytest.approx(np.trace(form) ** 2 / np.trace(form @ form))


def test_with_skewed_differences_ranks_and_plain_t_reject_the_truth_too_often() -> None:
    """Eight speakers, exponential differences of mean zero, 4000 times (errors of 0.35 %)."""
    values = np.random.default_rng(5).exponential(size=(8, 4000)) - 1
    estimates = estimate_means(values)
    assert np.mean(estimates.p() < 0.05) < 0.075
    assert np.mean(estimates.without_skewness().p() < 0.05) > 0.09
    normal = estimate_means(np.random.default_rng(6).normal(size=(8, 4000)))
    assert 0.035 < np.mean(normal.p() < 0.05) < 0.065
    ranks = np.mean([wilcoxon(column) < 0.05 for column in values[:, :1000].T])
    assert ranks > 0.06


def test_ranks_may_point_the_other_way_and_that_is_seen() -> None:
    """A little better for nine speakers of ten, much worse for the tenth."""
    gaps = np.concatenate([np.full(36, 0.06), np.full(4, -1.14)])
    gaps += np.random.default_rng(7).normal(0, 0.01, 40)
    assert wilcoxon(gaps) < 0.05
    assert rank_directions(gaps[:, None])[0] == 1
    assert gaps.mean() < 0
    values = np.stack([gaps, np.zeros(40)], axis=1)
    (mean,) = compare_all(values)
    assert not mean.differs


def test_one_name_of_a_test_is_one_p_in_both_halves() -> None:
    """Twenty differences with ties, as of listeners and as of speakers."""
    from synbench_listening.statistics.listener_table import ListenerTable
    from synbench_listening.statistics.paired import compare_pairs

    generator = np.random.default_rng(8)
    for count in (9, 16, 20):
        values = np.round(generator.normal([0.8, 0.0], 1, (count, 2)))
        table = ListenerTable(
            listeners=tuple(map(str, range(count))), conditions=("a", "b"), values=values
        )
        (listened,) = compare_pairs(table)
        for test, p in (
            ("t", listened.p),
            ("wilcoxon", listened.p_wilcoxon),
            ("sign_flip", listened.p_sign_flip),
        ):
            assert compare_all(values, test=test)[0].p == p  # type: ignore[arg-type]


def test_twenty_differences_with_ties_by_other_means() -> None:
    gaps = np.round(np.random.default_rng(9).normal(0.7, 1, 20))
    gaps[gaps == 0] = 1
    assert wilcoxon(gaps) == pytest.approx(scipy.stats.wilcoxon(gaps, method="approx").pvalue)
    assert paired_t(gaps)[1] == pytest.approx(scipy.stats.ttest_1samp(gaps, 0).pvalue)
    sixteen = gaps[:16]
    theirs = scipy.stats.permutation_test(
        (sixteen,), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip(sixteen) == pytest.approx(theirs.pvalue, abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 9, 13, 14, 20])
def test_many_sets_at_once_are_each_as_alone(count: int) -> None:
    """With and without ties and zeros; Wilcoxon and Holm against other programs."""
    generator = np.random.default_rng(count)
    smooth, tied = generator.normal(size=(count, 40)), generator.integers(-3, 4, (count, 40)) * 0.1
    for sets in (smooth, tied, np.zeros((count, 2))):
        for each, alone in (
            (wilcoxon_each, wilcoxon),
            (sign_flip_each, sign_flip),
            (rank_directions, lambda one: rank_directions(one[:, None])[0]),
            (lambda many: paired_t_each(many)[1], lambda one: paired_t(one)[1]),
        ):
            together = each(sets)
            assert together == pytest.approx([alone(one) for one in sets.T], rel=1e-12, nan_ok=True)
    if count > 13:
        for one, p in zip(tied.T, wilcoxon_each(tied), strict=True):
            theirs = scipy.stats.wilcoxon(one, method="approx").pvalue
            assert p == pytest.approx(theirs, rel=1e-9)
    families = generator.random((count, 30)) ** 3
    for method, theirs in (("holm", "holm"), ("hochberg", "simes-hochberg")):
        together = correct_each(families, method)  # type: ignore[arg-type]
        for one, corrected in zip(families.T, together.T, strict=True):
            assert corrected == pytest.approx(multipletests(one, method=theirs)[1])
    families[0] = np.nan
    alone = [correct(one.tolist()) for one in families.T]
    assert pytest.approx(np.array(alone), nan_ok=True) == correct_each(families).T


def test_equality_of_a_family_is_corrected_and_alone_it_is_the_plain_test() -> None:
    generator = np.random.default_rng(10)
    values = 3 + generator.normal(0, 0.05, (12, 4))
    family = equivalences(values, [(0, 1), (0, 2), (0, 3)], margin=0.06)
    assert all(one.p_holm >= one.p for one in family)
    smallest = min(family, key=lambda one: one.p)
    assert smallest.p_holm == pytest.approx(min(1.0, 3 * smallest.p))
    alone = equivalence(values[:, 0] - values[:, 1], margin=0.06)
    assert alone.p_holm == alone.p


def test_more_speakers_make_intervals_narrower() -> None:
    generator = np.random.default_rng(11)
    widths = []
    for count in (5, 10, 20, 40):
        estimates = estimate_means(generator.normal(size=(count, 300)))
        widths.append(float(np.median(estimates.high - estimates.low)))
    assert all(second < first for first, second in pairwise(widths))


@pytest.mark.parametrize("speakers", [0, 12])
def test_nothing_missing_is_a_shorter_way_to_the_same_answer(speakers: int) -> None:
    generator = np.random.default_rng(speakers)
    values = generator.normal(3, 1, (60, 5)) ** 2
    words = np.repeat(generator.integers(1, 30, (60, 1)), 5, axis=1).astype(np.float64)
    clusters = np.arange(60) % speakers if speakers else None
    pairs = [(0, 1), (3, 2), (4, 0)]
    # An item without any value changes nothing, and is something missing.
    longer = [np.vstack([one, np.full((1, 5), np.nan)]) for one in (values, words)]
    of_longer = None if clusters is None else np.append(clusters, 0)
    for sizes, longer_sizes in ((None, None), (words, longer[1])):
        short = estimate_differences(values, pairs, clusters=clusters, sizes=sizes)
        whole = estimate_differences(longer[0], pairs, clusters=of_longer, sizes=longer_sizes)
        for name in ("mean", "error", "df", "skewness", "low", "high", "count", "clusters"):
            one, other = getattr(short, name), getattr(whole, name)
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
            assert one.shape == (3,)
