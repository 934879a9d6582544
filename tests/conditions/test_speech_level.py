"""Active speech level: by hand on tones, and equal to the ITU-T's own program on speech."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench.conditions.speech_level import speech_level
from synbench.errors import ItemError

SHARED = Path(__file__).resolve().parents[3] / "shared"
# The program stops its interpolation of the active level half a decibel short.
ACTIVE_TOLERANCE_DB = 0.3
LEVEL_TOLERANCE_DB = 0.005


def tone(seconds: float, sample_rate: int = 16000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * sample_rate)) / sample_rate)


def test_a_tone_has_the_level_of_its_power() -> None:
    level = speech_level(tone(10), sample_rate=16000)
    assert level.rms_db == pytest.approx(20 * math.log10(0.5) - 10 * math.log10(2), abs=0.01)
    assert level.active_db == pytest.approx(level.rms_db, abs=0.1)
    assert level.activity > 0.97


def test_silence_around_changes_the_mean_and_not_the_active_level() -> None:
    wave = tone(8)
    padded = np.pad(wave, wave.size // 2)
    alone, inside = (speech_level(each, sample_rate=16000) for each in (wave, padded))
    # Hangover (0.2 s) and the fading envelope count some of the pause as speech: by hand
    # 10 log10(8.35 / 8) = 0.19 dB.
    assert inside.active_db == pytest.approx(alone.active_db, abs=0.2)
    assert inside.rms_db == pytest.approx(alone.rms_db - 10 * math.log10(2), abs=0.01)
    assert inside.activity == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("wave", [np.zeros(16000), np.zeros(0), np.full(16000, 1e-7)])
def test_what_has_no_level_is_an_error(wave: np.ndarray) -> None:
    with pytest.raises(ItemError, match="level"):
        speech_level(wave, sample_rate=16000)


@pytest.mark.shared("truth")
def test_levels_are_those_of_the_standard_program() -> None:
    with (SHARED / "truth" / "active_speech_level.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 50
    for row in rows:
        samples, sample_rate = soundfile.read(SHARED / row["file"], dtype="int16")
        samples = samples[: samples.size // 256 * 256]
        if row["variant"].startswith("1.5_s"):
            samples = np.pad(samples, int(1.5 * sample_rate))
            samples = samples[: samples.size // 256 * 256]
        if row["variant"].startswith("divided"):
            samples = np.trunc(samples / 10)
        level = speech_level(samples / 32768, sample_rate=sample_rate)
        rms_tolerance = 0.015 if row["variant"].startswith("1.5_s") else LEVEL_TOLERANCE_DB
        assert level.rms_db == pytest.approx(float(row["rms_dbov"]), abs=rms_tolerance), row
        assert level.active_db == pytest.approx(
            float(row["active_dbov"]), abs=ACTIVE_TOLERANCE_DB
        ), row
