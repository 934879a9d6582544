"""Paired tests: against scipy and statsmodels, against the truth by simulation, and by hand."""

from __future__ import annotations

import csv
import warnings
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from synbench.statistics.bootstrap import bootstrap_means
from synbench.statistics.clusters import cluster_means
from synbench.statistics.equivalence import equivalence
from synbench.statistics.multiplicity import correct, tie_letters
from synbench.statistics.paired_tests import compare_all
from synbench.statistics.permutation import sign_flip
from synbench.statistics.power import smallest_detectable
from synbench.statistics.signed_ranks import wilcoxon


def differences(count: int, *, mean: float = 0.2, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, count)


@pytest.mark.parametrize("count", [2, 6, 25, 50, 80, 400])
def test_wilcoxon_is_that_of_scipy(count: int) -> None:
    sample = differences(count)
    assert wilcoxon(sample) == pytest.approx(scipy.stats.wilcoxon(sample).pvalue, rel=1e-9)


@pytest.mark.parametrize("count", [8, 12, 90])
def test_wilcoxon_with_equal_differences_is_that_of_scipy(count: int) -> None:
    sample = np.round(differences(count, seed=count) * 2)
    sample = sample[sample != 0]
    assert wilcoxon(sample) == pytest.approx(scipy.stats.wilcoxon(sample).pvalue, rel=1e-9)
    assert wilcoxon(np.append(sample, 0.0)) == wilcoxon(sample)


@pytest.mark.parametrize(("count", "slack"), [(5, 1e-12), (12, 1e-12), (40, 0.012)])
def test_sign_flips_agree_with_the_permutation_test_of_scipy(count: int, slack: float) -> None:
    sample = differences(count, mean=0.3, seed=count)
    theirs = scipy.stats.permutation_test(
        (sample, np.zeros(count)),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=2,
    )
    assert sign_flip(sample) == pytest.approx(theirs.pvalue, abs=slack)


def test_holm_agrees_with_statsmodels() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        multitest = pytest.importorskip("statsmodels.stats.multitest")
    values = np.random.default_rng(3).random(20) ** 3
    assert correct(values.tolist()) == pytest.approx(
        multitest.multipletests(values, method="holm")[1]
    )


def test_holm_by_hand_with_an_absent_value() -> None:
    corrected = correct([0.01, float("nan"), 0.04, 0.03])
    assert corrected[0] == pytest.approx(0.03)
    assert np.isnan(corrected[1])
    assert corrected[2:] == pytest.approx([0.06, 0.06])


@pytest.mark.parametrize("mean", [-0.4, 0.0, 0.1])
def test_equivalence_agrees_with_one_sided_t_tests(mean: float) -> None:
    sample = differences(30, mean=mean, seed=4)
    ours = equivalence(sample, margin=0.5)
    lower = scipy.stats.ttest_1samp(sample, -0.5, alternative="greater").pvalue
    upper = scipy.stats.ttest_1samp(sample, 0.5, alternative="less").pvalue
    interval = scipy.stats.ttest_1samp(sample, 0).confidence_interval(0.9)
    assert ours.p == pytest.approx(max(lower, upper))
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high))
    assert ours.equivalent == (ours.low > -0.5 and ours.high < 0.5)


def test_no_difference_found_is_not_equivalence() -> None:
    few = differences(5, mean=0.0, seed=6)
    assert wilcoxon(few) > 0.05
    assert not equivalence(few, margin=0.2).equivalent


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
def test_equivalence_refuses_a_margin_that_is_none(margin: float) -> None:
    with pytest.raises(ValueError, match="margin above 0"):
        equivalence(differences(5), margin=margin)


def test_a_speaker_counts_once() -> None:
    values = np.array([1.0, 3.0, np.nan, -1.0, 5.0])
    assert cluster_means(values, np.array([0, 0, 1, 2, 2])).tolist() == [2.0, 2.0]
    assert cluster_means(values).tolist() == [1.0, 3.0, -1.0, 5.0]


@pytest.mark.slow
def test_false_alarms_of_a_family_stay_below_five_percent_with_speakers() -> None:
    """Two codecs that do not differ, with speakers who like one or the other."""
    generator = np.random.default_rng(7)
    speakers = np.repeat(np.arange(12), 5)
    alarms = naive = 0
    for _ in range(300):
        taste = generator.normal(0, 1, (12, 2))[speakers]
        values = taste + generator.normal(0, 0.5, (60, 2))
        alarms += compare_all(values, clusters=speakers)[0].differs
        naive += compare_all(values)[0].differs
    assert alarms <= 0.08 * 300
    assert naive > 0.25 * 300  # what taking items for independent would do


def test_pairs_rest_on_common_items_and_a_pair_without_any_has_no_p() -> None:
    values = np.array([[1.0, 2.0, np.nan], [2.0, 4.0, np.nan], [3.0, np.nan, 1.0]])
    by_pair = {(one.first, one.second): one for one in compare_all(values)}
    assert by_pair[0, 1].difference == -1.5
    assert by_pair[0, 1].items == 2
    assert by_pair[1, 2].items == 0
    assert np.isnan(by_pair[1, 2].p)
    assert not by_pair[1, 2].differs


def test_letters_by_hand() -> None:
    assert tie_letters([2, 0, 1], {(0, 1), (1, 2)}) == {2: "a", 0: "a", 1: "b"}
    assert tie_letters([0, 1, 2], {(0, 2)}) == {0: "a", 1: "ab", 2: "b"}
    assert tie_letters([0, 1], set()) == {0: "a", 1: "a"}


@pytest.mark.parametrize("seed", range(20))
def test_codecs_share_a_letter_exactly_where_no_test_tells_them_apart(seed: int) -> None:
    generator = np.random.default_rng(seed)
    pairs = list(combinations(range(7), 2))
    differing = {pair for pair in pairs if generator.random() < 0.5}
    letters = tie_letters(range(7), differing)
    for first, second in pairs:
        shared = bool(set(letters[first]) & set(letters[second]))
        assert shared == ((first, second) not in differing)


@pytest.mark.parametrize(("items", "lowest", "highest"), [(50, 0.89, 0.935), (200, 0.925, 0.955)])
def test_intervals_of_lognormal_data_cover_less_than_promised(
    items: int, lowest: float, highest: float
) -> None:
    values = np.random.default_rng(8).lognormal(size=(items, 1500))
    intervals = bootstrap_means(values, replicates=1000)
    covered = float(np.mean((intervals.low <= np.exp(0.5)) & (np.exp(0.5) <= intervals.high)))
    assert lowest < covered < highest


ORACLE = Path(__file__).parents[3] / "shared" / "listening" / "stahl2024"


@pytest.mark.shared("listening/stahl2024")
def test_ratings_give_the_p_values_of_r() -> None:
    """Listener means of a published listening test: Wilcoxon and Holm as R 4.2.2 prints them."""
    with (ORACLE / "stahl_long.csv").open() as file:
        rows = list(csv.DictReader(file))
    scores: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        scores.setdefault((row["cond"], row["who"]), []).append(float(row["score"]))
    listeners = sorted({who for _, who in scores})
    with (ORACLE / "oracle_pairs.csv").open() as file:
        oracle = list(csv.DictReader(file))

    def differences(row: dict[str, str]) -> np.ndarray:
        names = row["condition_a"], row["condition_b"]
        means = [[np.mean(scores[name, who]) for who in listeners] for name in names]
        return np.round(np.subtract(*means), 9)

    p_values = [wilcoxon(differences(row)) for row in oracle]
    expected = [float(row["wilcoxon_p"]) for row in oracle]
    # With ties or zeros R falls back on a normal approximation, where ours stays exact: there only
    # the decision is the same.
    exact = [
        len(np.unique(np.abs(gaps))) == len(gaps) and bool(gaps.all())
        for gaps in map(differences, oracle)
    ]
    assert sum(exact) >= 9
    for one, other, comparable in zip(p_values, expected, exact, strict=True):
        assert (
            one == pytest.approx(other, rel=1e-4) if comparable else (one < 0.05) == (other < 0.05)
        )
    corrected = [float(row["wilcoxon_p_holm"]) for row in oracle]
    assert correct(expected) == pytest.approx(corrected, rel=1e-4)


@pytest.mark.parametrize("count", [3, 20, 26])
def test_the_smallest_detectable_difference_is_that_of_statsmodels(count: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        power = pytest.importorskip("statsmodels.stats.power")
    sample = differences(count)
    wanted = power.TTestPower().solve_power(nobs=count, alpha=0.05, power=0.8)
    sd = float(sample.std(ddof=1))
    assert smallest_detectable(sd, count) == pytest.approx(wanted * sd, rel=1e-4)


def test_a_difference_of_that_size_is_found_four_times_in_five() -> None:
    generator = np.random.default_rng(8)
    size = smallest_detectable(1.0, 12)
    trials = generator.normal(size, 1, (2000, 12))
    share = np.mean(scipy.stats.ttest_1samp(trials, 0, axis=1).pvalue < 0.05)
    assert share == pytest.approx(0.8, abs=0.06)


def test_nothing_is_detectable_with_one_difference() -> None:
    assert np.isnan(smallest_detectable(0.1, 1))
    assert smallest_detectable(0.0, 2) == 0
