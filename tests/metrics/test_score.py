"""The one door: order of the checks, guarded calls, honest outcomes."""

import numpy as np
import pytest

from synbench_metrics import Metric, MetricInfo, NotApplicable, Outcome, score
from synbench_metrics.errors import UsageError

INFO = MetricInfo(
    column="answer",
    label="Answer",
    unit="",
    direction="up",
    minimum=0.0,
    maximum=1.0,
    sample_rates=(16000, 8000),
    implementation="test",
    version="1",
    cpu_seconds_per_audio_second=0.1,
    source="none",
)
WAVE = np.array([0.5, -0.5, 0.25])


def outcome_of(compute) -> Outcome:
    return score(Metric(INFO, compute), reference=WAVE, degraded=WAVE, sample_rate=8000)


def raises(error: Exception):
    def compute(**_):
        raise error

    return compute


def test_a_value_is_ok():
    assert outcome_of(lambda **_: np.float32(0.5)) == Outcome.ok(0.5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.1])
def test_a_value_that_cannot_be_is_a_failure(value):
    outcome = outcome_of(lambda **_: value)
    assert (outcome.status, outcome.value) == ("failed", None)
    assert "answer returned" in outcome.reason


def test_not_applicable_passes_with_its_reason():
    outcome = outcome_of(raises(NotApplicable("nothing to hear")))
    assert outcome == Outcome.not_applicable("nothing to hear")


def test_any_error_of_a_library_is_a_failure_with_its_name():
    assert outcome_of(raises(ZeroDivisionError("by zero"))).reason == "ZeroDivisionError: by zero"
    assert outcome_of(raises(AssertionError())).reason == "AssertionError"


def test_a_full_memory_is_not_hidden():
    with pytest.raises(MemoryError):
        outcome_of(raises(MemoryError()))


def test_warnings_of_a_library_stay_inside():
    def compute(**_):
        np.log(np.zeros(1))
        return 0.5

    assert outcome_of(compute).status == "ok"


def test_the_metric_sees_double_precision():
    def compute(*, reference, degraded, sample_rate):
        assert reference.dtype == degraded.dtype == np.float64
        assert reference.flags.c_contiguous
        return 0.5

    single = np.linspace(-1, 1, 64, dtype=np.float32)[::2]
    outcome = score(Metric(INFO, compute), reference=single, degraded=single, sample_rate=16000)
    assert outcome == Outcome.ok(0.5)


def test_a_missing_reference_is_the_callers_mistake():
    with pytest.raises(UsageError, match="reference=wave"):
        score(Metric(INFO, lambda **_: 0.5), degraded=WAVE, sample_rate=8000)


def test_positional_waves_are_refused():
    with pytest.raises(TypeError):
        score(Metric(INFO, lambda **_: 0.5), WAVE, WAVE, 8000)


def test_the_first_of_several_faults_is_named():
    broken = np.array([np.nan, 0.0, 0.0])
    outcome = score(
        Metric(INFO, lambda **_: 0.5), reference=broken, degraded=WAVE[:2], sample_rate=44100
    )
    assert outcome.reason == "reference contains 1 samples that are NaN or infinite"


@pytest.mark.parametrize(("rate", "scored"), [(8000, 8000), (16000, 16000), (48000, 16000)])
def test_the_rate_of_scoring(rate, scored):
    assert INFO.rate_for(rate) == scored


def test_an_outcome_is_a_value_or_a_reason():
    with pytest.raises(ValueError, match="an outcome is ok"):
        Outcome(status="ok")
    with pytest.raises(ValueError, match="an outcome is ok"):
        Outcome(status="failed", value=1.0, reason="no")
