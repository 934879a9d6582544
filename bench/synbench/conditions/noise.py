"""Noise to add to speech, and adding it at a stated ratio.

The ratio is that of the active speech level (ITU-T P.56, see :mod:`.speech_level`) to the noise's
mean power over the whole item, both in the band up to half the item's rate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from synbench.conditions.speech_level import speech_level
from synbench.errors import ItemError

Wave = NDArray[np.float64]
# Voices in the babble of a corpus's other speakers, as many as hide single words.
BABBLE_VOICES = 6
# Bands of the spectrum of speech-shaped noise; more would copy single harmonics.
SHAPE_SECONDS = 0.064

__all__ = ["BABBLE_VOICES", "MADE_NOISES", "add_noise", "babble", "cut_noise"]


def white(n_samples: int, *, sample_rate: int, speech: Wave, draw: np.random.Generator) -> Wave:
    """Equal power in every hertz."""
    return draw.standard_normal(n_samples)


def pink(n_samples: int, *, sample_rate: int, speech: Wave, draw: np.random.Generator) -> Wave:
    """Equal power in every octave above 20 Hz."""
    spectrum = np.fft.rfft(draw.standard_normal(n_samples))
    frequency = np.fft.rfftfreq(n_samples, 1 / sample_rate)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency, 20.0)), n_samples)


def speech_shaped(
    n_samples: int, *, sample_rate: int, speech: Wave, draw: np.random.Generator
) -> Wave:
    """Stationary, with the long-term spectrum of the item's own speech."""
    window = np.hanning(max(8, round(SHAPE_SECONDS * sample_rate)))
    padded = np.pad(speech, (0, max(0, window.size - speech.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window.size)[:: window.size // 2]
    power = np.mean(np.abs(np.fft.rfft(frames * window)) ** 2, axis=0)
    spectrum = np.fft.rfft(draw.standard_normal(n_samples))
    coarse = np.linspace(0, 1, power.size)
    fine = np.linspace(0, 1, spectrum.size)
    shaped: Wave = np.fft.irfft(spectrum * np.sqrt(np.interp(fine, coarse, power)), n_samples)
    return shaped


MADE_NOISES: dict[str, Callable[..., Wave]] = {
    "white": white,
    "pink": pink,
    "speech-shaped": speech_shaped,
}


def babble(voices: Sequence[Wave], n_samples: int, *, draw: np.random.Generator) -> Wave:
    """Several voices at one level each, every one from a random point on and repeated.

    Raises:
        ItemError: there is no voice, or one is silent.
    """
    if not voices:
        raise ItemError("babble needs utterances of other speakers, and the corpus has none")
    total = np.zeros(n_samples)
    for voice in voices:
        total += _unit_power(cut_noise(voice, n_samples, draw=draw))
    return total


def cut_noise(noise: Wave, n_samples: int, *, draw: np.random.Generator) -> Wave:
    """A stretch of a recording from a random point on, repeated where it is too short.

    Raises:
        ItemError: the recording is empty.
    """
    if noise.size == 0:
        raise ItemError("the noise recording is empty")
    start = int(draw.integers(noise.size))
    repeated: Wave = np.resize(np.roll(noise, -start), n_samples)
    return repeated


def add_noise(speech: Wave, noise: Wave, *, sample_rate: int, snr_db: float) -> Wave:
    """Speech with noise ``snr_db`` below its active level; the speech itself is unchanged.

    Raises:
        ItemError: speech or noise is silent.
    """
    level = speech_level(speech, sample_rate=sample_rate).active_db
    return speech + 10 ** ((level - snr_db) / 20) * _unit_power(noise)


def _unit_power(wave: Wave) -> Wave:
    power = float(np.mean(wave**2))
    if power == 0.0:
        raise ItemError("the noise is silent: no ratio to the speech can be set")
    scaled: Wave = wave / np.sqrt(power)
    return scaled
