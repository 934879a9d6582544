"""Sounds that are no speech: the antiphase headphone check and the beeps of attention checks."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TONE_HZ = 200.0
TONE_SECONDS = 1.0
RAMP_SECONDS = 0.1
GAP_SECONDS = 0.5
QUIETER_DB = -6.0
LEVEL = 0.1
BEEP_HZ = 1000.0
# Of high beeps: this part of the sample rate, but no more than most adults hear.
BAND_SHARE, HIGHEST_HZ = 0.42, 10_000.0

__all__ = ["BEEP_HZ", "LEVEL", "CheckSound", "attention_sounds", "bandwidth_sounds"]
__all__ += ["headphone_sounds", "tone"]


@dataclass(frozen=True, kw_only=True)
class CheckSound:
    """A wave, shape ``(samples, channels)``, and the answer that is right."""

    wave: NDArray[np.float64]
    answer: int


def headphone_sounds(count: int, *, sample_rate: int, seed: int) -> list[CheckSound]:
    """Three tones each; which one is the quietest (0, 1, 2)?

    One tone is 6 dB down and one, of full level, has its channels in opposite phase. Loudspeakers
    cancel that one and make it seem the quietest; headphones do not (Woods et al. 2017,
    doi:10.3758/s13414-017-1361-2). Answers are balanced, their order is drawn by the seed.
    """
    generator = random.Random(f"headphones {seed}")
    answers = [k % 3 for k in range(count)]
    generator.shuffle(answers)
    sounds = []
    for answer in answers:
        antiphase = generator.choice([k for k in range(3) if k != answer])
        tones = []
        for index in range(3):
            one = tone(TONE_HZ, TONE_SECONDS, sample_rate)
            level = LEVEL * (10 ** (QUIETER_DB / 20) if index == answer else 1.0)
            other = -1.0 if index == antiphase else 1.0
            tones.append(np.stack([level * one, other * level * one], axis=1))
        sounds.append(CheckSound(wave=_joined(tones, sample_rate), answer=answer))
    return sounds


def attention_sounds(count: int, *, sample_rate: int, seed: int) -> list[CheckSound]:
    """Two to five beeps each; the answer is their number. No two neighbours have the same one."""
    generator = random.Random(f"attention {seed}")
    sounds = []
    last = 0
    for _ in range(count):
        last = generator.choice([k for k in range(2, 6) if k != last])
        beeps = [LEVEL * tone(BEEP_HZ, 0.3, sample_rate)[:, None] for _ in range(last)]
        sounds.append(CheckSound(wave=_joined(beeps, sample_rate), answer=last))
    return sounds


def bandwidth_sounds(count: int, *, sample_rate: int, seed: int) -> list[CheckSound]:
    """Low and high beeps; the answer is how many there are in all.

    The high ones lie near the upper end of the recordings' band: who does not count them has a
    device, or ears, on which systems cannot differ there.
    """
    generator = random.Random(f"bandwidth {seed}")
    high_hz = min(BAND_SHARE * sample_rate, HIGHEST_HZ)
    sounds = []
    for _ in range(count):
        beeps = [BEEP_HZ] * generator.randint(1, 2) + [high_hz] * generator.randint(1, 3)
        generator.shuffle(beeps)
        waves = [LEVEL * tone(hz, 0.3, sample_rate)[:, None] for hz in beeps]
        sounds.append(CheckSound(wave=_joined(waves, sample_rate), answer=len(beeps)))
    return sounds


def tone(frequency: float, seconds: float, sample_rate: int) -> NDArray[np.float64]:
    """A sine of level 1 that fades in and out, so that it does not click."""
    samples = round(seconds * sample_rate)
    time = np.arange(samples) / sample_rate
    edge = np.minimum(np.arange(samples), np.arange(samples)[::-1]) / (RAMP_SECONDS * sample_rate)
    envelope = 0.5 * (1 - np.cos(np.pi * np.minimum(edge, 1.0)))
    return np.asarray(envelope * np.sin(2 * np.pi * frequency * time))


def _joined(tones: list[NDArray[np.float64]], sample_rate: int) -> NDArray[np.float64]:
    gap = np.zeros((round(GAP_SECONDS * sample_rate), tones[0].shape[1]))
    pieces = [gap]
    for tone in tones:
        pieces += [tone, gap]
    return np.concatenate(pieces)
