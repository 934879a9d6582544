"""What was applied to a wave, measured from the wave, is what was asked for."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench.conditions import noise, room
from synbench.conditions.condition import Condition, read_conditions
from synbench.conditions.damage import damaged_input
from synbench.conditions.speech_level import speech_level
from synbench.errors import ItemError, UsageError

RATE = 16000
PINNED = [0.01053311785134975, -0.0027066369148939793, 0.0027519059211087147]


def syllables(seconds: float = 6.0, seed: int = 0) -> np.ndarray:
    """Harmonics of a gliding voice in bursts with pauses between."""
    draw = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.5 * time)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 20))
    gate = np.repeat(draw.random(round(seconds * 4)) < 0.6, RATE // 4)
    wave = voice * np.convolve(gate, np.hanning(400) / 200, "same")
    return 0.3 * wave / np.max(np.abs(wave))


def one(settings: object, folder: Path = Path()) -> Condition:
    (condition,) = read_conditions([settings], folder=folder)
    return condition


def damaged(settings: object, wave: np.ndarray, **more: object) -> np.ndarray:
    return damaged_input(wave, one(settings), sample_rate=RATE, corpus="c", item="a", **more).wave  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["white", "pink", "speech-shaped"])
@pytest.mark.parametrize("snr_db", [20.0, 5.0, -5.0])
def test_the_ratio_is_that_of_active_speech_to_noise(name: str, snr_db: float) -> None:
    speech = 0.2 * syllables()
    added = damaged({"noise": name, "snr_db": snr_db}, speech) - speech
    level = speech_level(speech, sample_rate=RATE).active_db
    noise_db = 10 * np.log10(np.mean(added**2))
    assert level - noise_db == pytest.approx(snr_db, abs=0.05)


def test_white_is_flat_and_pink_falls_by_three_decibels_an_octave() -> None:
    draw = np.random.default_rng(1)
    for name, slope in (("white", 0.0), ("pink", -3.01)):
        wave = noise.MADE_NOISES[name](60 * RATE, sample_rate=RATE, speech=np.ones(1), draw=draw)
        power = np.abs(np.fft.rfft(wave)) ** 2
        edges = np.array([125, 250, 500, 1000, 2000, 4000, 8000]) * 60
        bands = [np.mean(power[low:high]) for low, high in itertools.pairwise(edges)]
        steps = np.diff(10 * np.log10(bands))
        assert steps == pytest.approx(np.full(5, slope), abs=0.3)


def test_speech_shaped_noise_has_the_spectrum_of_the_speech() -> None:
    speech = syllables(20)
    draw = np.random.default_rng(2)
    made = noise.speech_shaped(speech.size, sample_rate=RATE, speech=speech, draw=draw)
    edges = np.geomspace(200, 2500, 6)

    def bands(wave: np.ndarray) -> np.ndarray:
        power = np.abs(np.fft.rfft(wave / np.std(wave))) ** 2
        frequency = np.fft.rfftfreq(wave.size, 1 / RATE)
        inside = [(frequency >= a) & (frequency < b) for a, b in itertools.pairwise(edges)]
        return np.array([10 * np.log10(power[each].sum()) for each in inside])

    assert bands(made) == pytest.approx(bands(speech), abs=1.5)


def test_babble_is_made_of_all_voices_at_one_level() -> None:
    # Levels that differ by 40 dB must not decide who is heard.
    voices = [syllables(seed=seed) * 10 ** (-seed) for seed in range(3)]
    speech = 0.2 * syllables(seed=9)
    added = damaged({"noise": "babble", "snr_db": 10}, speech, voices=voices) - speech
    for voice in voices:
        size = 1 << (2 * added.size).bit_length()
        spectrum = np.fft.rfft(added, size) * np.conj(np.fft.rfft(np.tile(voice, 2), size))
        peak = np.max(np.abs(np.fft.irfft(spectrum, size)))
        assert peak / (np.linalg.norm(added) * np.linalg.norm(voice)) > 0.35


def test_babble_without_other_speakers_is_said() -> None:
    with pytest.raises(ItemError, match="other speakers"):
        damaged({"noise": "babble", "snr_db": 10}, syllables())


@pytest.mark.parametrize("rt60", [0.2, 0.6, 1.2])
def test_the_room_decays_in_the_time_that_was_asked(rt60: float) -> None:
    response = room.image_response(rt60, sample_rate=RATE, draw=np.random.default_rng(3))
    assert room.measured_rt60(response, sample_rate=RATE) == pytest.approx(rt60, rel=0.02)


def test_reverberation_keeps_time_and_level_of_the_direct_sound() -> None:
    click = np.zeros(RATE)
    click[1000] = 0.5
    response = np.zeros(2000)
    response[300], response[900] = 0.25, 0.1
    wet = room.reverberate(click, response)
    assert np.argmax(np.abs(wet)) == 1000
    assert wet[1000] == pytest.approx(0.5)
    assert wet[1600] == pytest.approx(0.2)


def test_level_clipping_band_and_rate() -> None:
    speech = 0.2 * syllables()
    louder = damaged({"level_db": 6}, speech)
    assert louder == pytest.approx(speech * 10 ** (6 / 20))
    clipped = damaged({"clip": 0.1}, speech)
    at_the_limit = np.abs(clipped) >= np.max(np.abs(clipped)) - 1e-12
    assert np.mean(at_the_limit) == pytest.approx(0.1, abs=0.005)
    tones = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE) * 0.3
    high = np.sin(2 * np.pi * 5000 * np.arange(RATE) / RATE) * 0.3
    inner = slice(1000, -1000)
    for settings in ({"lowpass_hz": 3400}, {"resampled_from": 8000}):
        narrow = damaged(settings, tones + high)
        assert narrow[inner] == pytest.approx(tones[inner], abs=2e-3)


def test_the_same_item_and_condition_give_the_same_wave_and_others_another() -> None:
    speech, settings = 0.2 * syllables(), {"noise": "white", "snr_db": 10}
    first, again = damaged(settings, speech), damaged(settings, speech)
    assert np.array_equal(first, again)
    # Fixed for all machines: another number here breaks the comparison of stored runs.
    assert first[[0, 1, 95999]] - speech[[0, 1, 95999]] == pytest.approx(PINNED, abs=1e-9)
    other = damaged_input(speech, one(settings), sample_rate=RATE, corpus="c", item="b").wave
    assert not np.allclose(first, other)


def test_silence_and_what_empties_a_wave_are_errors(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    settings = {"noise": str(tmp_path / "silent.wav"), "snr_db": 10}
    with pytest.raises(ItemError, match="noise is silent"):
        damaged(settings, syllables())
    with pytest.raises(ItemError, match="silent"):
        damaged({"noise": "white", "snr_db": 10}, np.zeros(RATE))
    high = 0.3 * np.sin(2 * np.pi * 7000 * np.arange(RATE) / RATE)
    quiet = damaged({"lowpass_hz": 300}, high)
    assert np.max(np.abs(quiet[1000:-1000])) < 1e-3
    with pytest.raises(UsageError, match="below 16000 Hz"):
        damaged({"resampled_from": 22050}, syllables())


def test_noise_that_changed_after_planning_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "noises"
    folder.mkdir()
    draw = np.random.default_rng(4)
    soundfile.write(folder / "a.wav", 0.1 * draw.standard_normal(RATE), RATE)
    (folder / "._a.wav").write_bytes(b"what a Mac leaves beside a file")
    condition = one({"noise": "noises", "snr_db": 10}, tmp_path)
    made = damaged_input(syllables(), condition, sample_rate=RATE, corpus="c", item="a")
    assert not np.allclose(made.wave, syllables())
    soundfile.write(folder / "a.wav", 0.1 * draw.standard_normal(RATE), RATE)
    with pytest.raises(ItemError, match="noises changed after the run was planned"):
        damaged_input(syllables(), condition, sample_rate=RATE, corpus="c", item="a")
