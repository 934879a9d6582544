"""PESQ: which references are too long for the reference code, and its two modes."""

import numpy as np
import pytest

from synbench_metrics import score
from synbench_metrics.pesq import count_utterances


def syllables(count: int, *, seconds_on: float, seconds_off: float) -> np.ndarray:
    """Tones of 500 Hz at 16 kHz with near silence between them."""
    tone = 0.3 * np.sin(2 * np.pi * 500 * np.arange(round(16000 * seconds_on)) / 16000)
    pause = 1e-5 * np.random.default_rng(0).standard_normal(round(16000 * seconds_off))
    return np.tile(np.concatenate([pause, tone]), count)


@pytest.mark.parametrize(
    ("count", "on", "off", "expected"),
    [
        (7, 0.4, 0.4, 7),
        (7, 0.4, 0.1, 1),  # pauses of up to 200 ms are bridged
        (7, 0.1, 0.4, 0),  # runs of less than 200 ms are no utterances
    ],
)
def test_utterances_are_counted(count, on, off, expected):
    wave = syllables(count, seconds_on=on, seconds_off=off)
    # At a threshold inside the noise nearly everything is one run, so the count is at least 1.
    assert count_utterances(wave, 16000) == max(expected, 1)


def test_silence_holds_no_utterance():
    assert count_utterances(np.zeros(16000), 16000) == 0


@pytest.mark.parametrize("name", ["pesq_wb", "pesq_nb"])
def test_a_reference_with_too_many_utterances_has_no_score(name, available):
    """The library would write beyond its own arrays, and may end the process."""
    wave = syllables(100, seconds_on=0.3, seconds_off=0.3)
    outcome = score(available(name), reference=wave, degraded=wave, sample_rate=16000)
    assert outcome.status == "not_applicable"
    assert "utterances" in outcome.reason


@pytest.mark.parametrize("name", ["pesq_wb", "pesq_nb"])
def test_a_long_reference_with_few_utterances_is_scored(name, available):
    wave = syllables(10, seconds_on=2.0, seconds_off=0.5)
    outcome = score(available(name), reference=wave, degraded=wave, sample_rate=16000)
    assert outcome.value == pytest.approx(4.6439 if name == "pesq_wb" else 4.5486, abs=1e-3)


def test_narrow_band_at_its_other_rate(available, synthetic):
    pair = synthetic(8000)
    outcome = score(
        available("pesq_nb"), reference=pair.reference, degraded=pair.degraded, sample_rate=8000
    )
    assert outcome.status == "ok"


@pytest.mark.parametrize("sample_rate", [8000, 16000])
def test_the_correction_leaves_narrow_band_alone(available, synthetic, sample_rate):
    pair = synthetic(sample_rate)
    first, second = (
        available(name).compute(
            reference=pair.reference, degraded=pair.degraded, sample_rate=sample_rate
        )
        for name in ("pesq_nb", "pesq_nb_c2")
    )
    assert first == second


def test_a_common_gain_changes_nothing(available, synthetic):
    metric, pair = available("pesq_wb"), synthetic(16000)
    loud, quiet = (
        metric.compute(
            reference=gain * pair.reference, degraded=gain * pair.degraded, sample_rate=16000
        )
        for gain in (1.0, 0.125)
    )
    assert quiet == pytest.approx(loud, abs=1e-6)
