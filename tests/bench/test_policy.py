"""Delay, rate and length are settled once, exactly, and what was done is counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synbench import policy
from synbench.errors import ItemError

RATE = 16000


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(samples).clip(-3, 3)


@given(samples=st.integers(200, 4000), delay=st.integers(0, 300), extra=st.integers(-150, 400))
def test_a_delayed_copy_comes_back_exactly(samples: int, delay: int, extra: int) -> None:
    reference = noise(samples, seed=samples)
    decoded = np.concatenate([np.zeros(delay), reference, np.zeros(400)])[: samples + delay + extra]
    aligned = policy.align(
        decoded,
        sample_rate=RATE,
        delay_samples=delay,
        reference=reference,
        reference_rate=RATE,
    )
    kept = samples + min(extra, 0)
    assert aligned.wave.shape == reference.shape
    assert np.array_equal(aligned.wave[:kept], reference[:kept])
    assert not aligned.wave[kept:].any()
    assert aligned.filled_samples == max(0, -extra)
    assert aligned.lag_seconds == 0.0
    assert aligned.clipped_samples == 0


@given(lag=st.integers(-400, 400))
def test_an_undeclared_delay_is_measured_not_removed(lag: int) -> None:
    long = noise(6000)
    reference, decoded = long[1000:5000], long[1000 - lag : 5000 - lag]
    aligned = policy.align(
        decoded, sample_rate=RATE, delay_samples=0, reference=reference, reference_rate=RATE
    )
    assert aligned.lag_seconds == pytest.approx(lag / RATE, abs=1e-12)
    assert np.array_equal(aligned.wave, decoded)
    assert aligned.correlation > 0.8


def test_levels_stay_and_overshoot_is_clipped_and_counted() -> None:
    reference = noise(1000)
    decoded = 0.5 * reference
    decoded[[10, 20, 30]] = [1.5, -1.2, 1.0]
    aligned = policy.align(
        decoded, sample_rate=RATE, delay_samples=0, reference=reference, reference_rate=RATE
    )
    assert aligned.clipped_samples == 2
    assert aligned.wave[10] == 1.0
    assert aligned.wave[20] == -1.0
    assert np.array_equal(aligned.wave[40:], 0.5 * reference[40:])


def test_a_sine_at_another_rate_lands_on_its_reference() -> None:
    reference = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    decoded = 0.5 * np.sin(2 * np.pi * 440 * (np.arange(48000 + 96) - 96) / 48000)
    aligned = policy.align(
        decoded, sample_rate=48000, delay_samples=96, reference=reference, reference_rate=RATE
    )
    middle = slice(500, -500)
    assert np.max(np.abs(aligned.wave[middle] - reference[middle])) < 1e-4
    assert aligned.lag_seconds == 0.0


@pytest.mark.parametrize(
    ("decoded", "said"),
    [
        (np.zeros((2, 100)), "expected (samples,)"),
        (np.full(100, np.nan), "NaN"),
        (np.full(100, 20000.0), "wrong scale"),
    ],
)
def test_what_no_decoder_may_return(decoded: np.ndarray, said: str) -> None:
    with pytest.raises(ItemError) as caught:
        policy.align(
            decoded, sample_rate=RATE, delay_samples=0, reference=noise(100), reference_rate=RATE
        )
    assert said in str(caught.value)


def test_an_overloaded_input_is_not_hidden_by_resampling() -> None:
    loud = 1.7 * np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)
    assert np.max(np.abs(policy.at_rate(loud, sample_rate=RATE, to=48000))) > 1.5
    assert np.max(np.abs(policy.at_rate(loud / 1.7, sample_rate=RATE, to=48000))) <= 1.0
