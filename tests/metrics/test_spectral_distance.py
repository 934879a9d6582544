"""Spectral distances against scipy's transform and against cases that can be done by hand."""

import math

import numpy as np
import pytest
from scipy.signal import stft

from synbench_metrics import NotApplicable
from synbench_metrics.spectral_distance import log_spectral_distance, mel_distance, mel_filters


def noise(seed: int, samples: int = 16000, level: float = 0.3) -> np.ndarray:
    return level * np.random.default_rng(seed).uniform(-1, 1, samples)


def magnitudes(wave, sample_rate, frame, hop):
    """Frames by bins, scaled so that a bin's sine of amplitude 1 has magnitude 1/2."""
    _, _, spectrum = stft(
        wave, sample_rate, "hann", frame, frame - hop, boundary=None, padded=False
    )
    return np.abs(spectrum).T


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100, 48000])
def test_log_spectral_distance_equals_the_formula_over_scipys_transform(sample_rate):
    first, second = noise(1), noise(2, level=0.2)
    frame, hop = round(0.032 * sample_rate), round(0.008 * sample_rate)
    levels = [
        10 * np.log10(np.maximum((2 * magnitudes(wave, sample_rate, frame, hop)) ** 2, 1e-10))
        for wave in (first, second)
    ]
    expected = np.mean(np.sqrt(np.mean((levels[0] - levels[1]) ** 2, axis=1)))
    value = log_spectral_distance(reference=first, degraded=second, sample_rate=sample_rate)
    assert value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("decibels", [-20.0, -6.0, 6.0])
def test_a_gain_is_its_own_log_spectral_distance(decibels):
    wave = noise(1)
    value = log_spectral_distance(
        reference=wave, degraded=wave * 10 ** (decibels / 20), sample_rate=16000
    )
    # A few bins of noise are so quiet that the floor touches them.
    assert value == pytest.approx(abs(decibels), abs=2e-3)


def test_a_full_scale_sine_against_silence_is_bounded_by_the_floor():
    sine = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    value = log_spectral_distance(reference=sine, degraded=np.zeros(16000), sample_rate=16000)
    # 1000 Hz is bin 32 of 257. A Hann window spreads it over that bin (0 dB) and its two
    # neighbours (-6 dB); all else lies below the floor of -100 dB.
    bins = [100.0, 100 - 20 * math.log10(2), 100 - 20 * math.log10(2)]
    assert value == pytest.approx(math.sqrt(sum(each**2 for each in bins) / 257), rel=1e-6)


def test_mel_distance_equals_the_formula_over_scipys_transform():
    first, second = noise(1), noise(2, level=0.2)
    filters = mel_filters(16000, 1024, 80)
    window_sum = 512.0  # of a periodic Hann window of 1024; scipy divides by it
    levels = [
        np.log(np.maximum(magnitudes(wave, 16000, 1024, 256) * window_sum @ filters, 1e-5))
        for wave in (first, second)
    ]
    expected = np.mean(np.abs(levels[0] - levels[1]))
    value = mel_distance(reference=first, degraded=second, sample_rate=16000)
    assert value == pytest.approx(expected, abs=1e-12)


def test_a_gain_of_ten_is_a_mel_distance_of_its_logarithm():
    wave = noise(1)
    value = mel_distance(reference=wave, degraded=wave / 10, sample_rate=16000)
    assert value == pytest.approx(math.log(10), abs=1e-9)


def test_mel_filters_have_unit_area_and_slaneys_centres():
    points = 2**16
    filters = mel_filters(16000, points, 80)
    assert filters.shape == (points // 2 + 1, 80)
    assert np.allclose(filters.sum(axis=0) * 16000 / points, 1.0, atol=1e-3)
    centres = np.argmax(filters, axis=0) * 16000 / points
    # 8000 Hz is 15 + 27 ln 8 / ln 6.4 = 45.2453 mel, so the bands are 0.558584 mel apart:
    # linear (66.667 Hz per mel) up to 1000 Hz, then by a constant factor.
    assert centres[0] == pytest.approx(0.558584 * 200 / 3, abs=0.2)
    assert np.diff(centres[:26]) == pytest.approx(37.2389, abs=0.3)
    assert centres[-1] / centres[-2] == pytest.approx(6.4 ** (0.558584 / 27), rel=1e-3)


@pytest.mark.parametrize("distance", [log_spectral_distance, mel_distance])
def test_roles_are_symmetric_and_silence_is_finite(distance):
    loud, silent = noise(1), np.zeros(16000)
    forth = distance(reference=loud, degraded=silent, sample_rate=16000)
    back = distance(reference=silent, degraded=loud, sample_rate=16000)
    assert forth == back > 0


@pytest.mark.parametrize("distance", [log_spectral_distance, mel_distance])
def test_less_than_a_frame_has_no_distance(distance):
    short = noise(1, samples=511)
    with pytest.raises(NotApplicable, match="frame"):
        distance(reference=short, degraded=short, sample_rate=16000)
