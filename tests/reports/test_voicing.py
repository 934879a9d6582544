"""Voicing classes and distances: on signals whose class is known, and on real speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synbench_reports.figures.voicing import CLASSES, class_distances, classify

RATE = 16000
SPEECH = Path(__file__).parents[3] / "shared" / "speech16"


def pulses(pitch_hz: float, seconds: float = 0.5) -> np.ndarray:
    """A buzz like a vowel: harmonics that fall off."""
    time = np.arange(round(seconds * RATE)) / RATE
    numbers = np.arange(1, int(3000 / pitch_hz))[:, None]
    harmonics = np.sin(2 * np.pi * pitch_hz * numbers * time) / numbers
    return 0.2 * np.asarray(harmonics.sum(axis=0))


def hiss(seconds: float = 0.5, level: float = 0.1) -> np.ndarray:
    """Noise like a fricative, high-passed by a difference."""
    noise = np.random.default_rng(1).normal(0, level, round(seconds * RATE) + 1)
    return np.diff(noise)


@pytest.mark.parametrize("pitch_hz", [70.0, 110.0, 220.0, 380.0])
def test_a_buzz_is_voiced_and_a_hiss_is_not(pitch_hz: float) -> None:
    wave = np.concatenate([pulses(pitch_hz), hiss(), np.zeros(RATE // 2)])
    classes = classify(wave, RATE)
    # Only the frames that lie in one part entirely.
    assert (classes[:46] == 0).all()
    assert (classes[51:96] == 1).all()
    assert (classes[102:] == 2).all()


@pytest.mark.parametrize("sample_rate", [8000, 16000, 48000])
def test_silence_and_short_waves_are_one_class(sample_rate: int) -> None:
    assert set(classify(np.zeros(sample_rate // 4), sample_rate)) == {2}
    assert len(classify(np.ones(10), sample_rate)) == 1


def test_a_level_change_is_its_size_in_every_class() -> None:
    wave = np.concatenate([pulses(120.0), hiss()])
    measured = class_distances(wave, wave * 10 ** (-6 / 20), RATE)
    assert measured.distances[:2] == pytest.approx([6.0, 6.0], abs=1.5)
    assert np.isnan(measured.distances[2])
    assert measured.frames.sum() == len(classify(wave, RATE))


def test_the_class_that_is_spoiled_is_the_one_that_shows_it() -> None:
    wave = np.concatenate([pulses(120.0), hiss()])
    spoiled = wave.copy()
    spoiled[RATE // 2 :] = 0
    voiced, unvoiced, _ = class_distances(wave, spoiled, RATE).distances
    assert voiced < 3
    assert unvoiced > 20
    assert class_distances(wave, wave, RATE).distances[:2].tolist() == [0.0, 0.0]


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="equal shapes"):
        class_distances(np.zeros(100), np.zeros(99), RATE)


@pytest.mark.shared("speech16")
def test_read_speech_is_mostly_voiced_with_a_share_of_each() -> None:
    import soundfile

    counts = []
    for path in sorted(SPEECH.glob("*.flac"))[::12]:
        wave, rate = soundfile.read(path)
        counts.append(np.bincount(classify(wave, rate), minlength=len(CLASSES)))
    shares = np.sum(counts, axis=0) / np.sum(counts)
    assert 0.35 < shares[0] < 0.75
    assert 0.1 < shares[1] < 0.45
    assert 0.05 < shares[2] < 0.4
