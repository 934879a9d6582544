"""What every registered metric must do, whatever it measures."""

import functools
import inspect

import numpy as np
import pytest

import synbench_metrics
from synbench_metrics import Metric, Outcome, score

# What is wrong with a wave, and the status that follows.
UNFIT = {
    "silence": (np.zeros_like, "failed", "silent"),
    "nan": (lambda wave: np.where(np.arange(wave.size) == 7, np.nan, wave), "failed", "NaN"),
    "infinity": (lambda wave: np.where(np.arange(wave.size) == 7, np.inf, wave), "failed", "inf"),
    "beyond full scale": (lambda wave: wave * 3.0, "failed", "full scale"),
    "sixteen-bit scale": (lambda wave: wave * 32768.0, "failed", "32768"),
    "integers": (lambda wave: (wave * 32767).astype(np.int16), "failed", "int16"),
    "empty": (lambda wave: wave[:0], "failed", "empty"),
    "stereo": (lambda wave: np.stack([wave, wave], axis=1), "failed", "mono"),
}

# A recogniser hears no word in synthetic vowels.
hears_vowels = pytest.mark.columns(lambda metric: not metric.info.column.startswith("dwer"))
compares = pytest.mark.columns(lambda metric: "reference" in metric.info.needs)


def scored(metric: Metric, reference, degraded, sample_rate: int) -> Outcome:
    """Score with whatever the metric needs."""
    return score(
        metric,
        reference=reference if "reference" in metric.info.needs else None,
        degraded=degraded,
        sample_rate=sample_rate,
        transcript="some words" if "transcript" in metric.info.needs else None,
    )


@pytest.fixture
def metric(column, available) -> Metric:
    return available(column)


@pytest.fixture
def pair(metric, synthetic):
    return shortened(synthetic, metric.info.rate_for(16000))


@functools.cache
def shortened(synthetic, sample_rate: int):
    """A second and a half of the synthetic pair: enough for every column."""
    whole = synthetic(sample_rate)
    size = 3 * sample_rate // 2
    return type(whole)(whole.reference[:size], whole.degraded[:size], sample_rate)


@pytest.fixture
def usual(column, metric, synthetic) -> Outcome:
    """What the column gives the pair: computed once for all tests that compare with it."""
    return usual_outcome(column, synthetic)


@functools.cache
def usual_outcome(column: str, synthetic) -> Outcome:
    metric = synbench_metrics.load(column)
    pair = shortened(synthetic, metric.info.rate_for(16000))
    return scored(metric, pair.reference, pair.degraded, pair.sample_rate)


def assert_in_range(metric: Metric, outcome: Outcome) -> None:
    assert outcome.status == "ok", outcome.reason
    info = metric.info
    assert isinstance(outcome.value, float)
    assert info.minimum is None or outcome.value >= info.minimum
    assert info.maximum is None or outcome.value <= info.maximum


def test_every_column_can_be_scored(lack):
    assert lack is None, f"not skipped: {lack}"


@hears_vowels
def test_synthetic_speech_scores_within_range(metric, usual):
    assert_in_range(metric, usual)


@pytest.mark.columns(lambda metric: metric.info.rate_for(16000) == 16000)
@pytest.mark.families
def test_real_speech_scores_within_range(metric, real):
    assert_in_range(metric, scored(metric, real.reference, real.degraded, real.sample_rate))


@pytest.mark.families
def test_the_same_twice_and_in_any_order(metric, pair, usual):
    scored(metric, pair.degraded, pair.reference, pair.sample_rate)
    np.random.random(3)  # must not matter to a library that draws from the global generator
    assert scored(metric, pair.reference, pair.degraded, pair.sample_rate) == usual


@hears_vowels
@pytest.mark.families
def test_single_precision_scores_alike(metric, pair, usual):
    single = scored(
        metric,
        pair.reference.astype(np.float32),
        pair.degraded.astype(np.float32),
        pair.sample_rate,
    )
    assert single.status == usual.status == "ok"
    assert single.value == pytest.approx(usual.value, abs=1e-3)


@pytest.mark.families
def test_the_waves_are_not_changed(metric, pair, usual):
    reference, degraded = pair.reference.copy(), pair.degraded.copy()
    outcome = scored(metric, reference, degraded, pair.sample_rate)
    assert np.array_equal(reference, pair.reference)
    assert np.array_equal(degraded, pair.degraded)
    # The shared waves are read-only: a metric must take those as well.
    assert outcome == usual


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_degraded_wave_is_a_status(metric, pair, case):
    spoil, status, reason = UNFIT[case]
    with np.errstate(over="ignore"):
        outcome = scored(metric, pair.reference, spoil(pair.degraded), pair.sample_rate)
    assert (outcome.status, outcome.value) == (status, None)
    assert "degraded" in outcome.reason
    assert reason in outcome.reason


@compares
@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_reference_is_a_status(metric, pair, case):
    spoil, status, reason = UNFIT[case]
    outcome = scored(metric, spoil(pair.reference), pair.degraded, pair.sample_rate)
    assert (outcome.status, outcome.value) == (status, None)
    assert "reference" in outcome.reason
    assert reason in outcome.reason


@compares
def test_unequal_lengths_are_a_status(metric, pair):
    outcome = scored(metric, pair.reference, pair.degraded[:-1], pair.sample_rate)
    assert outcome.status == "failed"
    assert "lengths differ" in outcome.reason


@pytest.mark.columns(lambda metric: metric.info.minimum_seconds > 0)
def test_a_clip_of_ten_milliseconds_is_a_status(metric, pair):
    short = pair.sample_rate // 100
    outcome = scored(metric, pair.reference[:short], pair.degraded[:short], pair.sample_rate)
    assert outcome.status == "not_applicable"
    assert "needs at least" in outcome.reason


@pytest.mark.families
def test_the_declared_minimum_is_enough(metric, pair):
    """At the declared minimum there is a value, or a reason; never an error of the library."""
    samples = max(1, int(np.ceil(metric.info.minimum_seconds * pair.sample_rate)))
    # From the middle of a syllable, so that there is something to hear.
    start = pair.sample_rate // 10
    cut = slice(start, start + max(samples, 64))
    outcome = scored(metric, pair.reference[cut], pair.degraded[cut], pair.sample_rate)
    assert outcome.status in {"ok", "not_applicable"}, outcome.reason


@pytest.mark.parametrize("sample_rate", [0, -16000])
def test_an_impossible_rate_is_a_status(metric, pair, sample_rate):
    outcome = scored(metric, pair.reference, pair.degraded, sample_rate)
    assert outcome.status == "failed"
    assert "rate" in outcome.reason


@pytest.mark.columns(lambda metric: bool(metric.info.sample_rates))
def test_another_rate_is_a_status(metric, pair):
    outcome = scored(metric, pair.reference, pair.degraded, 11025)
    assert outcome.status == "failed"
    assert "11025 Hz" in outcome.reason


def test_swapping_by_position_is_impossible(metric):
    parameters = inspect.signature(metric.compute).parameters
    assert all(each.kind is each.KEYWORD_ONLY for each in parameters.values())
    assert {"degraded", "sample_rate", *metric.info.needs} <= set(parameters)


@pytest.mark.parametrize("name", synbench_metrics.names())
def test_the_column_says_all_about_itself(name):
    info = synbench_metrics.load(name).info
    assert info.column == name
    assert name == name.lower()
    assert info.label
    assert info.source
    assert info.licence
    assert info.implementation
    assert info.direction in {"up", "down"}
    assert info.cpu_seconds_per_audio_second > 0
    assert all(rate > 0 for rate in info.sample_rates)
    assert info.minimum is None or info.maximum is None or info.minimum < info.maximum
    assert len(info.identity) == 64
    assert info.to_json()["column"] == name


def test_identities_differ():
    identities = [synbench_metrics.load(name).info.identity for name in synbench_metrics.names()]
    assert len(set(identities)) == len(identities)
