"""Sounds of checks: antiphase tones, beeps to count, faint noise, digits in noise."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synbench.conditions.noise import MADE_NOISES, add_noise
from synbench.errors import ItemError, UsageError
from synbench.policy import read_reference

TONE_HZ = 200.0
TONE_SECONDS = 1.0
RAMP_SECONDS = 0.1
GAP_SECONDS = 0.5
QUIETER_DB = -6.0
TONE_LEVEL = 0.1
BEEP_HZ = 1000.0
# Of high beeps: this part of the sample rate, but no more than most adults hear.
BAND_SHARE, HIGHEST_HZ = 0.42, 10_000.0
DIGIT_GAP_SECONDS = 0.25

__all__ = ["BEEP_HZ", "TONE_LEVEL", "CheckSound", "attention_sounds", "bandwidth_sounds"]
__all__ += ["digit_sounds", "environment_sounds", "headphone_sounds", "tone", "two_ear_sounds"]


@dataclass(frozen=True, kw_only=True)
class CheckSound:
    """A wave, shape ``(samples,)`` or ``(samples, channels)``, and the answer that is right."""

    wave: NDArray[np.float64]
    answer: int
    said: str = ""


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
            level = TONE_LEVEL * (10 ** (QUIETER_DB / 20) if index == answer else 1.0)
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
        beeps = [TONE_LEVEL * tone(BEEP_HZ, 0.3, sample_rate)[:, None] for _ in range(last)]
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
        waves = [TONE_LEVEL * tone(hz, 0.3, sample_rate)[:, None] for hz in beeps]
        sounds.append(CheckSound(wave=_joined(waves, sample_rate), answer=len(beeps)))
    return sounds


def two_ear_sounds(count: int, *, sample_rate: int, seed: int) -> list[CheckSound]:
    """Beeps that each come from the left or the right alone; the answer is how many there are.

    Who wears headphones on one ear, or hears with one, counts too few.
    """
    generator = random.Random(f"ears {seed}")
    sounds = []
    for _ in range(count):
        sides = [0] * generator.randint(1, 2) + [1] * generator.randint(1, 2)
        generator.shuffle(sides)
        waves = []
        for side in sides:
            beep = np.zeros((round(0.3 * sample_rate), 2))
            beep[:, side] = TONE_LEVEL * tone(BEEP_HZ, 0.3, sample_rate)
            waves.append(beep)
        sounds.append(CheckSound(wave=_joined(waves, sample_rate), answer=len(sides)))
    return sounds


def environment_sounds(
    speech: Sequence[NDArray[np.float64]], *, sample_rate: int, snr_db: float, seed: int
) -> list[CheckSound]:
    """Two sounds for each recording, one of them with faint white noise.

    The answer, on the first of the two, is which one is clean: it cannot be heard where the
    surroundings are as loud as that noise (B. Naderi, S. Möller, "Application of just-noticeable
    difference in quality as environment suitability test ...", QoMEX 2020).
    """
    generator = random.Random(f"environment {seed}")
    draw = np.random.default_rng([seed, 40])
    sounds = []
    for wave in speech:
        noise = draw.standard_normal(wave.size)
        noisy = add_noise(wave, noise, sample_rate=sample_rate, snr_db=snr_db)
        clean = generator.randrange(2)
        pair = [wave, noisy] if clean == 0 else [noisy, wave]
        sounds += [CheckSound(wave=each, answer=clean) for each in pair]
    return sounds


def digit_sounds(
    folder: Path, count: int, *, sample_rate: int, snr_db: float, seed: int
) -> list[CheckSound]:
    """Three spoken digits in noise of their own spectrum; the answer is their number, 0 to 999.

    Reference
        C. Smits, S. T. Goverts, J. Festen, "The digits-in-noise test ...", JASA 133, 2013.

    Raises:
        UsageError: a recording is absent, unreadable or silent.
    """
    spoken = {}
    for digit in range(10):
        paths = sorted(folder.glob(f"{digit}.*"))
        if not paths:
            raise UsageError(f"{folder} has no recording of the digit {digit}, such as {digit}.wav")
        try:
            spoken[digit], _ = read_reference(paths[0], target_rate=sample_rate)
        except ItemError as error:
            raise UsageError(str(error)) from error
    generator = random.Random(f"digits {seed}")
    draw = np.random.default_rng([seed, 10])
    gap = np.zeros(round(DIGIT_GAP_SECONDS * sample_rate))
    everything = np.concatenate(list(spoken.values()))
    sounds = []
    for _ in range(count):
        digits = generator.sample(range(10), 3)
        pieces = [gap, gap]
        for digit in digits:
            pieces += [spoken[digit], gap]
        triplet = np.concatenate([*pieces, gap])
        noise = MADE_NOISES["speech-shaped"](
            triplet.size, sample_rate=sample_rate, speech=everything, draw=draw
        )
        try:
            wave = add_noise(triplet, noise, sample_rate=sample_rate, snr_db=snr_db)
        except ItemError as error:
            raise UsageError(f"digits of {folder}: {error}") from error
        said = "".join(map(str, digits))
        sounds.append(CheckSound(wave=wave, answer=int(said), said=said))
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
