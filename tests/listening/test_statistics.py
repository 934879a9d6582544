"""Statistics against R, other packages, published numbers and formulas."""

from __future__ import annotations

import csv
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synbench.statistics.equivalence import equivalence
from synbench.statistics.multiplicity import correct
from synbench.statistics.paired_tests import paired_t
from synbench.statistics.permutation import sign_flip
from synbench.statistics.power import paired_power, paired_sample_size, units_needed
from synbench.statistics.signed_ranks import wilcoxon
from synbench_listening.analysis.screen import screen
from synbench_listening.answers.ratings import Rating
from synbench_listening.importers.read_any import item_from_pattern, read_any
from synbench_listening.statistics.bradley_terry import bradley_terry, fit_strengths
from synbench_listening.statistics.distribution import bimodality
from synbench_listening.statistics.identification import (
    binomial_p,
    correct_needed,
    identification,
    proportion,
    two_rates_chi2,
)
from synbench_listening.statistics.intervals import bootstrap_interval, mean_interval
from synbench_listening.statistics.listener_table import Floats, listener_table
from synbench_listening.statistics.mixed_model import Structure, fit_mixed_model, search_ratios
from synbench_listening.statistics.paired import compare_pairs, median_permutation
from synbench_listening.statistics.power import trial_power, trials_needed
from synbench_listening.statistics.preference import (
    Counts,
    counts_from_percentages,
    judgement_t,
    preference,
    sign_test,
    sign_test_ties_split,
)
from synbench_listening.statistics.reliability import concordance, krippendorff_alpha, repeats
from synbench_listening.statistics.repeated_measures import friedman, repeated_measures

SHARED = Path(__file__).resolve().parents[3] / "shared" / "listening"
needs_shared = pytest.mark.shared("listening")


def expected(part: str) -> Any:
    return json.loads((SHARED / "expected.json").read_text(encoding="utf-8"))[part]


def made_panel(
    listeners: int = 12, items: int = 6, seed: int = 3, means: tuple[float, ...] = (70, 60, 52)
) -> list[Rating]:
    """A panel with effects of listener, item and both; whole numbers, so that ties occur."""
    generator = np.random.default_rng(seed)
    people, things = generator.normal(0, 8, listeners), generator.normal(0, 5, items)
    both = generator.normal(0, 4, (listeners, items))
    return [
        Rating(
            session=f"L{who}", listener=f"L{who}", test="mushra", item=f"i{item}",
            condition="ABCDEFG"[system],
            score=float(np.round(mean + people[who] + things[item] + both[who, item]
                                 + generator.normal(0, 9))),
        )
        for who in range(listeners) for item in range(items) for system, mean in enumerate(means)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def codec_test() -> list[Rating]:
    """The real test of seven neural codecs, screened."""
    if not SHARED.is_dir():
        pytest.skip("rating sets (../shared/listening) are not at hand")
    raw = read_any(SHARED / "stahl2024" / "ratings_formated.csv").ratings
    return list(screen(raw).kept)


def systems(ratings: list[Rating]) -> list[str]:
    return sorted({r.condition for r in ratings} - {"Reference", "Anchor"})


class TestCodecTest:
    """The published MUSHRA set against R (lme4, emmeans, car) and pandas."""

    def test_means_medians_and_both_intervals(self, codec_test: list[Rating]) -> None:
        for name, numbers in expected("stahl2024")["screened"].items():
            scores = np.array([r.score for r in codec_test if r.condition == name])
            means = listener_table(codec_test, [name]).values[:, 0]
            assert len(scores) == numbers["n"]
            assert np.median(scores) == numbers["median"]
            interval = mean_interval(means)
            assert interval.mean == pytest.approx(numbers["mean"], abs=5e-5)
            assert interval.half_width == pytest.approx(numbers["half_width_listeners"], abs=5e-5)
            pooled = mean_interval(scores).half_width
            assert pooled == pytest.approx(numbers["half_width_pooled_ratings"], abs=5e-5)

    def test_analysis_of_variance_and_friedman(self, codec_test: list[Rating]) -> None:
        values = listener_table(codec_test, systems(codec_test)).values
        anova, numbers = repeated_measures(values), expected("stahl2024")["rm_anova"]
        assert list(anova.df) == numbers["df"]
        assert anova.f == pytest.approx(numbers["F"], abs=5e-4)
        assert anova.gg_epsilon == pytest.approx(numbers["gg_epsilon"], abs=5e-5)
        assert anova.hf_epsilon == pytest.approx(numbers["hf_epsilon"], abs=5e-8)
        assert anova.p_gg == pytest.approx(numbers["p_gg"], rel=1e-3)
        assert anova.p_hf == pytest.approx(numbers["p_hf"], rel=1e-6)
        assert anova.mauchly_w == pytest.approx(numbers["mauchly_w"], abs=1e-6)
        assert anova.mauchly_p == pytest.approx(numbers["mauchly_p"], rel=2e-3)
        assert anova.generalised_eta2 == pytest.approx(numbers["ng2"], abs=5e-6)
        ranks, numbers = friedman(values), expected("stahl2024")["friedman"]
        assert (ranks.df, ranks.statistic) == (numbers["df"], pytest.approx(62.139, abs=5e-4))
        assert ranks.p == pytest.approx(numbers["p"], rel=1e-3)

    def test_mixed_model_with_kenward_roger(self, codec_test: list[Rating]) -> None:
        numbers = expected("stahl2024")["lmer"]
        model = fit_mixed_model(codec_test, systems(codec_test), structure="intercepts")
        names = {"listener": "who", "item": "item", "listener:item": "who:item"}
        for ours, theirs in {**names, "residual": "residual"}.items():
            assert model.deviations[ours] == pytest.approx(numbers["sd"][theirs], abs=2e-4)
        first = model.means[0]
        assert first.first == "AudioDec"
        assert first.estimate == pytest.approx(numbers["intercept"], abs=1e-5)
        assert first.standard_error == pytest.approx(numbers["intercept_se"], rel=1e-4)
        # emmeans prints 33.2 here, lmerTest 33.35: the one has the widened covariance, as we do.
        assert first.df == pytest.approx(33.2, abs=0.05)
        for pair in model.pairs:
            if pair.first == "AudioDec":
                contrast = numbers["contrasts_vs_AudioDec"][pair.second]
                assert pair.estimate == pytest.approx(-contrast, abs=1e-5)
            assert pair.standard_error == pytest.approx(numbers["contrast_se"], rel=1e-5)
            assert pair.df == pytest.approx(numbers["contrast_df_kr"], abs=1e-3)
        assert model.f == pytest.approx(numbers["F_kr"], abs=1e-3)
        assert model.df == (6, pytest.approx(906, abs=1e-3))

    @pytest.mark.parametrize("method", ["holm", "hochberg"])
    def test_all_21_pairs_by_three_tests(self, codec_test: list[Rating], method: Any) -> None:
        names = systems(codec_test)
        with (SHARED / "stahl2024" / "oracle_pairs.csv").open(encoding="utf-8") as file:
            oracle = {(r["condition_a"], r["condition_b"]): r for r in csv.DictReader(file)}
        pairs = compare_pairs(listener_table(codec_test, names), correction=method)
        mixed = fit_mixed_model(codec_test, names, structure="intercepts").pairs
        corrected = correct([pair.p for pair in mixed], method)
        assert len(pairs) == len(oracle) == 21
        for pair, model, p_model in zip(pairs, mixed, corrected, strict=True):
            row = oracle[pair.first, pair.second]
            assert pair.p == pytest.approx(float(row["paired_t_p"]), rel=1e-4)
            assert pair.p_corrected == pytest.approx(float(row[f"paired_t_p_{method}"]), rel=1e-4)
            assert model.t == pytest.approx(float(row["lmer_t"]), rel=1e-4)
            assert model.p == pytest.approx(float(row["lmer_p"]), rel=1e-3)
            assert p_model == pytest.approx(float(row[f"lmer_p_{method}"]), rel=1e-3)
            if not pair.ties:
                assert pair.p_wilcoxon == pytest.approx(float(row["wilcoxon_p"]), rel=1e-4)

    def test_wilcoxon_with_ties_has_no_correction_for_continuity(
        self, codec_test: list[Rating]
    ) -> None:
        values = listener_table(codec_test, ["AudioDec", "Lyra 6"]).values
        assert wilcoxon(values[:, 0] - values[:, 1]) == pytest.approx(0.0014755, abs=5e-8)

    def test_the_standard_permutation_of_medians(self, codec_test: list[Rating]) -> None:
        for names, numbers in expected("stahl2024")["median_permutation_pooled"].items():
            if names == "note":
                continue
            first, second = (
                np.array([r.score for r in codec_test if r.condition == name])
                for name in names.split("|")
            )
            difference, p = median_permutation(first, second)
            assert difference == numbers["difference"]
            assert p == pytest.approx(numbers["p"], abs=0.01)

    def test_planning_from_its_spread(self, codec_test: list[Rating]) -> None:
        values = listener_table(codec_test, systems(codec_test)).values
        count = values.shape[1]
        spreads = sorted(
            float(np.std(values[:, a] - values[:, b], ddof=1))
            for a in range(count) for b in range(a)
        )  # fmt: skip
        chosen = spreads[0], spreads[len(spreads) // 2], spreads[-1]
        numbers = expected("stahl2024")["paired_sd_of_listener_means"]
        assert [round(s, 1) for s in chosen] == [numbers[k] for k in ("min", "median", "max")]
        table = expected("mushra_power_listeners_80_percent")
        rows = [row for name, row in table.items() if name.startswith("sd")]
        for sd, row in zip(chosen, rows, strict=True):
            assert [units_needed(points, sd) for points in table["points"]] == row


@needs_shared
class TestIdentificationTest:
    def test_every_treatment(self) -> None:
        path = SHARED / "abx_constant_phase" / "abx_constant_phase_shift.csv"
        ratings = item_from_pattern(read_any(path).ratings, r"(.+)_\d_\d\d")
        numbers = expected("abx_constant_phase")
        by_treatment = {
            name: identification(name, [r for r in ratings if r.item == name])
            for name in numbers["stimuli"]
        }
        for name, row in numbers["stimuli"].items():
            pooled, people = by_treatment[name].pooled, by_treatment[name].listeners
            assert (pooled.n, pooled.correct) == (row["n"], row["correct"])
            assert pooled.p == pytest.approx(row["p_binomial_one_sided"], rel=1e-6)
            assert [pooled.low, pooled.high] == pytest.approx(row["clopper_pearson_95"], abs=5e-7)
            assert pooled.chi2 == pytest.approx(row["chi2"], abs=5e-5)
            ordered = [people[who].correct for who in sorted(people, key=int)]
            assert ordered == row["correct_per_listener"]
            assert sum(c >= 19 for c in ordered) == row["listeners_at_least_19_of_25"]
            level = row["listener_level_t_two_sided"]
            assert by_treatment[name].t == pytest.approx(level["t"], abs=5e-5)
            assert by_treatment[name].p_listeners == pytest.approx(level["p"], rel=1e-4)
        statistic, p = two_rates_chi2(
            by_treatment["square_a"].pooled, by_treatment["square_b"].pooled
        )
        assert statistic == pytest.approx(numbers["square_a_vs_square_b"]["chi2"], abs=5e-5)
        assert p == pytest.approx(numbers["square_a_vs_square_b"]["p"], abs=5e-5)


class TestPaperPreference:
    @pytest.mark.parametrize(
        ("shares", "p"),
        [
            ((36.67, 22.59, 40.74), 0.2823),
            ((42.41, 14.63, 42.96), 0.8890),
            ((40.19, 16.11, 43.70), 0.3725),
            ((44.63, 14.63, 40.74), 0.3285),
        ],
    )
    def test_the_four_published_p_values_from_their_percentages(
        self, shares: tuple[float, float, float], p: float
    ) -> None:
        counts = counts_from_percentages(*shares, n=540)
        assert round(judgement_t(counts)[1], 4) == p

    def test_the_worked_example(self) -> None:
        counts = Counts(a=173, none=116, b=111)
        t, p = judgement_t(counts)
        assert (t, p) == (pytest.approx(3.73821, abs=5e-6), pytest.approx(0.000212416, rel=1e-5))
        assert sign_test(counts) == pytest.approx(0.000280409, rel=1e-5)
        assert sign_test_ties_split(counts) == pytest.approx(0.00224821, rel=1e-5)

    def test_percentages_that_are_no_counts_are_refused(self) -> None:
        for shares, n in (((36.67, 22.59, 40.74), 100), ((50, 20, 20), 10)):
            with pytest.raises(ValueError):
                counts_from_percentages(*shares, n=n)

    @given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
    def test_counts_give_the_paired_test_of_the_judgements(self, a: int, none: int, b: int) -> None:
        first = np.array([1] * a + [0] * none + [0] * b)
        second = np.array([0] * a + [0] * none + [1] * b)
        t, p = judgement_t(Counts(a=a, none=none, b=b))
        if len(first) < 2 or np.ptp(first - second) == 0:
            assert math.isnan(p)
        else:
            result = stats.ttest_rel(first, second)
            assert (t, p) == pytest.approx((result.statistic, result.pvalue), abs=1e-9)

    def test_the_listener_level_stands_beside_it(self) -> None:
        # One listener of six answers half of all trials, always A: judgements alone are misled.
        ratings = [
            Rating(session=str(who), listener=str(who), test="ab", item=f"i{n}", condition="A",
                   versus="B", score=1 if who == 0 or n % 2 else -1)
            for who in range(6) for n in range(50 if who == 0 else 10)
        ]  # fmt: skip
        result = preference("A", "B", ratings)
        assert result.counts == Counts(a=75, none=0, b=25)
        assert result.p_judgements < 1e-6
        assert result.p_listeners == pytest.approx(stats.ttest_1samp([1, 0, 0, 0, 0, 0], 0).pvalue)
        turned = preference("B", "A", ratings)
        assert turned.difference.mean == -result.difference.mean


class TestAgainstOtherPackages:
    def test_friedman_and_paired_t_against_scipy(self) -> None:
        values = listener_table(made_panel(), "ABC").values
        mine, theirs = friedman(values), stats.friedmanchisquare(*values.T)
        assert (mine.statistic, mine.p) == pytest.approx((theirs.statistic, theirs.pvalue))
        t, p = paired_t(values[:, 0] - values[:, 1])
        result = stats.ttest_rel(values[:, 0], values[:, 1])
        assert (t, p) == pytest.approx((result.statistic, result.pvalue))

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
    def test_corrections_by_their_definitions(self, values: list[float]) -> None:
        m, ordered = len(values), sorted(values)
        for p, step_down, step_up in zip(
            values, correct(values), correct(values, "hochberg"), strict=True
        ):
            # Every test up to p has to be rejected for p to be; or some test from p on.
            first = ordered.index(p)
            last = m - 1 - ordered[::-1].index(p)
            down = max((m - i) * ordered[i] for i in range(first + 1))
            up = min((m - i) * ordered[i] for i in range(last, m))
            assert step_down == min(1.0, max(down, p))
            assert step_up == min(1.0, up)
            assert p <= step_up <= step_down

    def test_a_missing_p_is_no_member_of_the_family(self) -> None:
        assert correct([0.01, math.nan, 0.02])[0::2] == [0.02, 0.02]

    @pytest.mark.parametrize("n", [102, 201, 1000, 99_999])
    def test_power_of_many_units_against_scipy(self, n: int) -> None:
        for alpha in (0.05, 0.05 / 190):
            limit = stats.t.isf(alpha / 2, n - 1)
            for shift in (0.0, 0.3, 2.5, 4.0, 7.0):
                beyond = stats.nct.sf(limit, n - 1, shift) + stats.nct.sf(limit, n - 1, -shift)
                power = paired_power(shift / n**0.5, n, alpha=alpha)
                assert power == pytest.approx(beyond, abs=1e-11)

    def test_the_fewest_units_are_the_fewest(self) -> None:
        for effect in (0.9, 0.31, 0.12, 0.05, 0.011):
            needed = units_needed(effect, 1.0)
            assert paired_power(effect, needed) >= 0.8 > paired_power(effect, needed - 1)

    @pytest.mark.slow
    def test_power_against_statsmodels(self) -> None:
        from statsmodels.stats.power import TTestPower

        for effect, n in ((0.1, 5), (0.5, 20), (0.8, 14), (2.0, 6)):
            wanted = TTestPower().power(effect, n, 0.05)
            assert paired_power(effect, n) == pytest.approx(wanted, abs=1e-9)

    @pytest.mark.slow
    def test_mixed_model_against_statsmodels(self) -> None:
        import pandas
        from statsmodels.regression.mixed_linear_model import MixedLM

        ratings = made_panel(listeners=10, items=8)
        frame = pandas.DataFrame([vars(r) for r in ratings])
        frame["both"] = frame.listener + frame.item
        parts = {name: f"0 + C({name})" for name in ("listener", "item", "both")}
        theirs = MixedLM.from_formula(
            "score ~ 0 + C(condition)", groups=np.ones(len(frame)), vc_formula=parts, data=frame
        ).fit(reml=True)
        mine = fit_mixed_model(ratings, "ABC", structure="intercepts")
        assert [m.estimate for m in mine.means] == pytest.approx(list(theirs.fe_params), rel=1e-6)
        names = {"both": "listener:item", "item": "item", "listener": "listener"}
        for name, variance in zip(theirs.model.exog_vc.names, theirs.vcomp, strict=True):
            assert mine.deviations[names[name]] ** 2 == pytest.approx(variance, rel=2e-3)
        assert mine.deviations["residual"] ** 2 == pytest.approx(theirs.scale, rel=2e-3)

    def test_balanced_contrasts_are_exact_f_tests(self) -> None:
        # With all effects of listeners and items the same for all conditions, Kenward and Roger's
        # degrees of freedom are those of the error of a balanced design.
        model = fit_mixed_model(made_panel(listeners=9, items=4), "ABC", structure="intercepts")
        assert model.df == (2, pytest.approx(9 * 4 * 2 - 2, rel=1e-6))

    def test_alpha_against_the_package(self) -> None:
        krippendorff = pytest.importorskip("krippendorff")
        generator = np.random.default_rng(5)
        values = generator.normal(size=30) + generator.normal(0, 0.5, (6, 30))
        values[generator.random((6, 30)) < 0.2] = np.nan
        wanted = krippendorff.alpha(reliability_data=values, level_of_measurement="interval")
        assert krippendorff_alpha(values) == pytest.approx(wanted)

    def test_bimodality_against_scipy(self) -> None:
        values = np.random.default_rng(2).beta(0.5, 0.7, 50)
        n = len(values)
        g, k = stats.skew(values, bias=False), stats.kurtosis(values, bias=False)
        wanted = (g**2 + 1) / (k + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)))
        assert bimodality(values) == pytest.approx(wanted)
        assert bimodality([0, 1] * 30) > 5 / 9 > bimodality(stats.norm.ppf(np.linspace(0.01, 0.99)))
        assert math.isnan(bimodality([3, 3, 3, 3, 3]))

    @given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_binomial_and_its_interval_against_scipy(self, counts: tuple[int, int]) -> None:
        k, n = counts
        ours = proportion(k, n)
        result = stats.binomtest(k, n, 0.5, alternative="greater")
        assert ours.p == pytest.approx(float(result.pvalue), abs=1e-12)
        ends = stats.binomtest(k, n).proportion_ci(method="exact")
        assert (ours.low, ours.high) == pytest.approx((ends.low, ends.high), abs=1e-9)

    def test_sign_flip_against_scipy(self) -> None:
        differences = np.array([1.0, 2, 2, -1, 3, 0, 4, -2, 5])
        result = stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
        )
        assert sign_flip(differences) == pytest.approx(float(result.pvalue), abs=1e-12)

    def test_equivalence_against_two_one_sided_tests(self) -> None:
        differences = np.random.default_rng(4).normal(0.5, 2, 20)
        ours = equivalence(differences, margin=2.0)
        sides = [
            stats.ttest_1samp(differences, -2.0, alternative="greater").pvalue,
            stats.ttest_1samp(differences, 2.0, alternative="less").pvalue,
        ]
        assert ours.p == pytest.approx(max(sides))


class TestPublishedTables:
    def test_correct_answers_needed(self) -> None:
        needed = {5: 5, 8: 7, 10: 9, 12: 10, 16: 12, 20: 15, 24: 17, 25: 18, 30: 20, 40: 26}
        needed |= {50: 32, 100: 59}
        assert {n: correct_needed(n) for n in needed} == needed
        assert correct_needed(4) is None

    def test_trials_for_power(self) -> None:
        wanted = {0.65: (76, 126), 0.7: (42, 69), 0.75: (28, 44), 0.8: (18, 28), 0.9: (11, 16)}
        for rate, numbers in wanted.items():
            assert (trials_needed(rate), trials_needed(rate, power=0.95)) == numbers

    @pytest.mark.parametrize(
        ("n", "critical", "alpha", "rate", "power"),
        [
            (25, 19, 0.007316649, 0.9, 0.9905236),
            (119, 69, 0.0492618, 0.65, 0.9540704),
            (26, 18, 0.0377593, 0.81, 0.9554834),
            (25, 18, 0.0216426, 0.8, 0.8908772),
        ],
    )
    def test_exact_binomial_planning(
        self, n: int, critical: int, alpha: float, rate: float, power: float
    ) -> None:
        assert binomial_p(critical, n) == pytest.approx(alpha, abs=5e-8)
        assert binomial_p(critical, n, rate) == pytest.approx(power, abs=5e-8)
        assert trial_power(n, rate, alpha=alpha * 1.0001) == pytest.approx(power, abs=5e-8)

    def test_paired_t_in_effect_sizes(self) -> None:
        sizes = [round(paired_sample_size(d), 1) for d in (0.3, 0.5, 0.8)]
        assert sizes == [89.1, 33.4, 14.3]

    def test_listeners_for_points(self) -> None:
        assert [units_needed(p, 10.9) for p in (3, 5, 8, 10)] == [106, 40, 17, 12]
        assert [units_needed(p, 5.6) for p in (3, 5, 8, 10)] == [30, 12, 7, 5]


class TestIntervals:
    def test_the_t_interval_covers_as_often_as_it_says(self) -> None:
        generator = np.random.default_rng(8)
        draws = generator.normal(50, 12, size=(2000, 12))
        hits = [low <= 50 <= high for low, high in map(ends, draws)]
        assert np.mean(hits) == pytest.approx(0.95, abs=0.015)

    def test_pooled_ratings_are_too_narrow_for_repeated_measures(self) -> None:
        generator = np.random.default_rng(9)
        pooled, people = [], []
        for _ in range(400):
            scores = 50 + generator.normal(0, 12, (12, 1)) + generator.normal(0, 8, (12, 8))
            pooled.append(ends(scores.ravel()))
            people.append(ends(scores.mean(axis=1)))
        assert np.mean([low <= 50 <= high for low, high in people]) > 0.92
        assert np.mean([low <= 50 <= high for low, high in pooled]) < 0.75

    def test_the_bootstrap_stays_on_the_scale(self) -> None:
        values = np.array([100.0] * 9 + [80.0])
        assert mean_interval(values).high > 100 >= bootstrap_interval(values).high
        assert bootstrap_interval(np.full(5, 100.0)).half_width == 0

    def test_too_little_is_no_number(self) -> None:
        assert math.isnan(mean_interval(np.array([3.0])).low)
        assert math.isnan(mean_interval(np.array([])).mean)
        assert math.isnan(paired_t(np.array([1.0, 1.0]))[1])
        for values in (np.zeros((2, 3)), np.full((4, 3), np.nan), np.zeros((4, 1))):
            with pytest.raises(ValueError):
                repeated_measures(values)
        with pytest.raises(ValueError, match="same amount"):
            repeated_measures(np.arange(4.0)[:, None] + np.arange(3.0))


def ends(values: Floats) -> tuple[float, float]:
    interval = mean_interval(values)
    return interval.low, interval.high


class TestBradleyTerry:
    def test_strengths_come_back_from_expected_counts(self) -> None:
        strengths, nu = np.array([0.8, 0.1, -0.9]), 0.6
        size = np.exp(strengths)
        tie = nu * np.sqrt(np.outer(size, size))
        total = size[:, None] + size + tie
        wins, ties = 1e4 * size[:, None] / total, 1e4 * tie / total
        np.fill_diagonal(wins, 0)
        np.fill_diagonal(ties, 0)
        fitted, fitted_nu = fit_strengths(wins, ties)
        assert fitted == pytest.approx(strengths, abs=1e-4)
        assert fitted_nu == pytest.approx(nu, abs=1e-4)

    def test_two_systems_without_ties_are_a_log_odds(self) -> None:
        fitted, nu = fit_strengths(np.array([[0.0, 30], [10, 0]]), np.zeros((2, 2)))
        assert (fitted[0] - fitted[1], nu) == (pytest.approx(math.log(3), abs=1e-5), 0)

    def test_a_system_that_never_lost_has_no_strength(self) -> None:
        with pytest.raises(ValueError, match="no bound"):
            fit_strengths(np.array([[0.0, 30], [0, 0]]), np.zeros((2, 2)))

    def test_order_of_a_made_panel(self) -> None:
        generator = np.random.default_rng(6)
        ratings = [
            Rating(session=str(who), listener=str(who), test="ab", item=f"i{n}", condition=a,
                   versus=b, score=float(generator.choice([1, 0, -1], p=[0.6, 0.1, 0.3])))
            for who in range(15) for n in range(6) for a, b in pairwise("ABC")
        ]  # fmt: skip
        systems = bradley_terry(ratings)
        assert [s.name for s in systems] == ["A", "B", "C"]
        assert all(s.low < s.strength < s.high for s in systems)
        assert sum(s.strength for s in systems) == pytest.approx(0, abs=1e-9)

    def test_two_systems_have_the_interval_of_a_clustered_logistic_regression(self) -> None:
        import statsmodels.api as sm

        generator = np.random.default_rng(8)
        liking = generator.normal(0.4, 0.8, 12)
        won = generator.random((12, 10)) < 1 / (1 + np.exp(-liking[:, None]))
        ratings = [
            Rating(session=str(who), listener=str(who), test="ab", item=f"i{n}", condition="A",
                   versus="B", score=1.0 if won[who, n] else -1.0)
            for who in range(12) for n in range(10)
        ]  # fmt: skip
        strong, _ = bradley_terry(ratings)
        model = sm.GLM(won.ravel().astype(float), np.ones(120), family=sm.families.Binomial())
        groups = np.repeat(np.arange(12), 10)
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
        error = fit.bse[0] / 2 * (12 / 11) ** 0.5
        assert abs(strong.strength) == pytest.approx(abs(fit.params[0]) / 2, rel=1e-5)
        half = (strong.high - strong.low) / 2
        assert half == pytest.approx(2.200985 * error, rel=1e-4)  # t of 97.5 %, df 11


class TestReliability:
    def test_concordance_is_hurt_by_shift_and_scale(self) -> None:
        x = np.arange(10.0)
        assert concordance(x, x) == 1
        shifted = concordance(x, x + 3)
        assert shifted == pytest.approx(2 * x.var() / (2 * x.var() + 9))
        assert concordance(x, 2 * x) < 1

    def test_repeats_of_each_listener(self) -> None:
        scores = {("L1", 0): (10, 20, 30), ("L1", 1): (12, 18, 30), ("L2", 0): (5, 6, 7)}
        ratings = [
            Rating(session=who, listener=who, test="mushra", item="i", condition=name,
                   score=score, replicate=replicate)
            for (who, replicate), values in scores.items()
            for name, score in zip("ABC", values, strict=True)
        ]  # fmt: skip
        (listener,) = repeats(ratings)
        assert (listener.listener, listener.pairs) == ("L1", 3)
        assert listener.spread == pytest.approx(math.sqrt((4 + 4 + 0) / 3 / 2))


MIXED = SHARED / "mixed_model"


@pytest.mark.shared("listening/mixed_model")
@pytest.mark.parametrize("structure", ["intercepts", "maximal"])
@pytest.mark.parametrize("name", ["a_small", "b_unbal", "e_tiny"])
def test_mixed_models_have_the_values_of_r(name: str, structure: Structure) -> None:
    """lme4, pbkrtest and emmeans: variances on the edge, missing cells, hardly any freedom."""
    with (MIXED / f"{name}.csv").open(encoding="utf-8") as file:
        ratings = [
            Rating(session=row["who"], listener=row["who"], test="mushra", item=row["item"],
                   condition=row["cond"], score=float(row["score"]))
            for row in csv.DictReader(file)
        ]  # fmt: skip
    model = fit_mixed_model(ratings, sorted({r.condition for r in ratings}), structure=structure)
    text = (MIXED / "expected.txt").read_text(encoding="utf-8")
    longer = "the same + listener:condition + item:condition"
    title = longer if structure == "maximal" else "listener + item + listener:item"
    block = text.split(f"## {name}.csv | {title}")[1].split("\n##")[0]
    assert model.converged
    assert model.deviance == pytest.approx(float(block.split("REML deviance ")[1].split()[0]))
    ours = {"who": "listener", "item": "item", "who:item": "listener:item", "Residual": "residual"}
    ours |= {"who:cond": "listener:condition", "item:cond": "item:condition"}
    for part in block.split("SD: ")[1].splitlines()[0].split("; "):
        effect, deviation = part.split()
        assert model.deviations[ours[effect]] == pytest.approx(float(deviation), rel=1e-4)
    words = block.split("KR F ")[1].splitlines()[0].split()
    f, df, p, scale = (float(words[number]) for number in (0, 2, 4, 7))
    assert (model.f, model.df[1]) == (pytest.approx(f, rel=1e-5), pytest.approx(df, rel=1e-5))
    assert (model.p, model.f_scale) == (pytest.approx(p, rel=1e-4), pytest.approx(scale, rel=1e-6))
    rows = [line.split() for line in block.splitlines() if line[:1].isdigit()]
    for row, mean in zip([row for row in rows if row[2] != "-"], model.means, strict=True):
        estimates = (mean.estimate, mean.standard_error, mean.df)
        assert estimates == pytest.approx(tuple(map(float, row[2:5])), rel=1e-5)
    for row, pair in zip([row for row in rows if row[2] == "-"], model.pairs, strict=True):
        assert (pair.first, pair.second) == (row[1], row[3])
        estimates = (pair.estimate, pair.standard_error, pair.df, pair.t, pair.p)
        assert estimates == pytest.approx(tuple(map(float, row[4:9])), rel=1e-4)


def random_design(seed: int) -> list[Rating]:
    """Of a few listeners, items and conditions, some variances zero, some cells missing."""
    generator = np.random.default_rng(seed)
    people, things = int(generator.integers(3, 16)), int(generator.integers(2, 11))
    names = "ABCDEFG"[: int(generator.integers(2, 7))]
    shapes = [(people, 1, 1), (1, things, 1), (people, things, 1)]
    shapes += [(people, 1, len(names)), (1, things, len(names))]
    scores = 60 + generator.normal(0, 4, (1, 1, len(names))) + np.zeros((people, things, 1))
    for shape in shapes:
        scores = scores + generator.normal(size=shape) * generator.choice([0, 1, 4, 12])
    scores = scores + generator.normal(0, generator.uniform(3, 20), scores.shape)
    missing = generator.choice([0, 0.2])
    return [
        Rating(session=f"L{who}", listener=f"L{who}", test="mushra", item=f"i{item}",
               condition=name, score=float(scores[who, item, number]))
        for who in range(people) for item in range(things) for number, name in enumerate(names)
        if generator.random() >= missing
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_search_of_500_misses_the_optimum() -> None:
    """Against bounded searches over standard deviations, from 24 starts by differences."""
    from scipy.optimize import minimize

    worst = 0.0
    for seed in range(500):
        ratings = random_design(seed)
        likelihood, search = search_ratios(ratings, "maximal" if seed % 3 else "intercepts")
        count = len(likelihood.names)

        def deviance(roots: Floats, criterion: Any = likelihood.criterion) -> float:
            return float(criterion(roots**2))

        generator = np.random.default_rng(seed)
        ends = [
            minimize(
                deviance,
                generator.exponential(1.0, count) * (generator.random(count) < 0.8),
                method="L-BFGS-B",
                bounds=[(0, 1e3)] * count,
                options={"ftol": 1e-12},
            ).fun
            for _ in range(24)
        ]
        assert search.converged
        worst = max(worst, search.criterion - min(ends))
    assert worst < 1e-4
