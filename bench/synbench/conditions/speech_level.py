"""Active speech level after ITU-T P.56 (12/2011), method B.

Levels are in dB relative to full scale (dBov): a square wave at 1.0 has 0 dBov.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench.errors import ItemError

TIME_CONSTANT_SECONDS = 0.03
HANGOVER_SECONDS = 0.2
MARGIN_DB = 15.9
# One threshold a factor of two, from one step of a 16-bit sample to half of full scale.
THRESHOLDS = 2.0 ** np.arange(-15, 0)

__all__ = ["SpeechLevel", "speech_level"]


@dataclass(frozen=True, kw_only=True)
class SpeechLevel:
    """Level of one wave.

    Attributes:
        active_db: mean power while speech is active, in dBov.
        rms_db: mean power over the whole wave, in dBov.
        activity: share of the time that counts as active, 0 to 1.
    """

    active_db: float
    rms_db: float
    activity: float


def speech_level(wave: NDArray[np.floating], *, sample_rate: int) -> SpeechLevel:
    """Active level, long-term level and activity of a mono wave, shape ``(samples,)``.

    The envelope is smoothed twice with a time constant of 30 ms; a sample is active at a threshold
    for 200 ms after the envelope was at or above it. The active level is the one that lies 15.9 dB
    above its own threshold, by linear interpolation between thresholds of 6 dB.

    Raises:
        ItemError: the wave holds nothing above the lowest threshold, so that it has no level.
    """
    energy = float(np.dot(wave, wave))
    if wave.size == 0 or energy == 0.0:
        raise ItemError("the wave is silent: it has no speech level")
    counts = _active_samples(wave, sample_rate)
    if counts[0] == 0:
        raise ItemError("the wave never reaches the lowest threshold of P.56: it has no level")
    rms_db = 10 * math.log10(energy / wave.size)
    active_db = _level_at_margin(counts[counts > 0], energy)
    activity = 10 ** ((rms_db - active_db) / 10)
    return SpeechLevel(active_db=active_db, rms_db=rms_db, activity=min(activity, 1.0))


def _active_samples(wave: NDArray[np.floating], sample_rate: int) -> NDArray[np.int64]:
    """For each threshold, how many samples are active."""
    from scipy.signal import lfilter  # costs more than all the rest of a plan

    keep = math.exp(-1.0 / (TIME_CONSTANT_SECONDS * sample_rate))
    numerator, denominator = [1.0 - keep], [1.0, -keep]
    envelope = np.abs(wave)
    for _ in range(2):
        envelope = lfilter(numerator, denominator, envelope)
    hangover = math.ceil(HANGOVER_SECONDS * sample_rate)
    index = np.arange(envelope.size)
    counts = np.empty(THRESHOLDS.size, dtype=np.int64)
    for position, threshold in enumerate(THRESHOLDS):
        last_above = np.maximum.accumulate(np.where(envelope >= threshold, index, -1))
        active = (last_above >= 0) & (index - last_above <= hangover)
        counts[position] = np.count_nonzero(active)
    return counts


def _level_at_margin(counts: NDArray[np.int64], energy: float) -> float:
    """The level that lies the margin above its threshold.

    Below the lowest threshold, and above the highest that was reached, the nearest one is taken,
    as the standard's own software does.
    """
    levels = 10 * np.log10(energy / counts)
    excess = levels - 20 * np.log10(THRESHOLDS[: counts.size]) - MARGIN_DB
    if excess[0] <= 0:
        return float(levels[0])
    below = np.flatnonzero(excess <= 0)
    if not below.size:
        return float(levels[-1])
    high = int(below[0])
    share = excess[high - 1] / (excess[high - 1] - excess[high])
    return float(levels[high - 1] + share * (levels[high] - levels[high - 1]))
