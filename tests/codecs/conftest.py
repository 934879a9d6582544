"""Waves that the codec tests share: real speech where it is present, and a synthetic twin.

Codecs with trained weights are tested on small networks with random ones, see ``untrained.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

# Tests are imported from their files, so their folder is no place to import from by itself.
sys.path.insert(0, str(Path(__file__).parent))

SPEECH = Path(__file__).parents[3] / "shared" / "speech16"
SPEECH_FILES = 3
NATIVE_RATE = 16000

Wave = NDArray[np.float32]


def resample(wave: Wave, *, sample_rate: int, to: int) -> Wave:
    if sample_rate == to:
        return wave
    return np.asarray(soxr.resample(wave, sample_rate, to, quality="VHQ"), dtype=np.float32)


def _resonance(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain of a vocal tract with formants at 500, 1500, 2500 and 3500 Hz."""
    formants = ((500, 1.0), (1500, 0.4), (2500, 0.2), (3500, 0.1))
    gain = sum(peak / (1 + ((frequency - centre) / 120) ** 2) for centre, peak in formants)
    return np.where(frequency < 7000, gain, 0.0)


def synthetic_speech(seconds: float = 3.0, seed: int = 7) -> Wave:
    """Gliding harmonics of 90 to 210 Hz in syllables, with noise bursts between, at 16 kHz."""
    generator = np.random.default_rng(seed)
    time = np.arange(int(seconds * NATIVE_RATE)) / NATIVE_RATE
    pitch = 150 + 50 * np.sin(2 * np.pi * 0.7 * time) + 10 * np.sin(2 * np.pi * 3.1 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / NATIVE_RATE
    # As in speech, most energy lies near 500 Hz: high-pass filters shift the fundamental's phase.
    voice = sum(_resonance(k * pitch) * np.sin(k * phase + k * k) for k in range(1, 80))
    # Irregular syllables, so that an envelope correlates with itself at one lag only.
    edges = np.cumsum(generator.uniform(0.08, 0.3, 40))
    syllable = np.searchsorted(edges, time)
    level = generator.uniform(0.1, 1.0, 41)[syllable]
    voiced = (generator.random(41) < 0.7)[syllable]
    fade = np.hanning(321) / np.hanning(321).sum()
    noise = generator.standard_normal(time.size)
    shape = np.convolve(level * voiced, fade, "same"), np.convolve(level * ~voiced, fade, "same")
    wave = voice * shape[0] + 0.5 * noise * shape[1]
    return np.asarray(0.3 * wave / np.abs(wave).max(), dtype=np.float32)


@pytest.fixture(scope="session")
def synthetic() -> Callable[[int], Wave]:
    """The synthetic twin at any rate."""
    wave = synthetic_speech()
    return lambda sample_rate: resample(wave, sample_rate=NATIVE_RATE, to=sample_rate)


@pytest.fixture(scope="session")
def twins() -> Callable[[int], list[Wave]]:
    """Three different synthetic waves at any rate."""
    waves = [synthetic_speech(seed=seed) for seed in (7, 8, 9)]
    return lambda rate: [resample(wave, sample_rate=NATIVE_RATE, to=rate) for wave in waves]


@pytest.fixture(scope="session")
def speech() -> Callable[[int], list[Wave]]:
    """Some real utterances at any rate."""
    files = sorted(SPEECH.glob("codec_bigcodec__*.flac"))[:SPEECH_FILES]
    if not files:
        pytest.skip("no speech in ../shared/speech16; the synthetic twin was tested")
    waves = [soundfile.read(file, dtype="float32")[0][: 6 * NATIVE_RATE] for file in files]
    return lambda rate: [resample(wave, sample_rate=NATIVE_RATE, to=rate) for wave in waves]
