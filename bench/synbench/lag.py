"""Delays that are left between decoded waves and their references: of one item, and of many.

The correlation of one item has many peaks, a pitch period apart, and for codecs that do not keep
the waveform chance decides which is the highest. Levels, every millisecond, have one peak, within
some two milliseconds of the truth for every codec of speech. And the true lag is the one at which
the waveforms of all items have a peak. So both correlations are summed over the items, first that
of levels, then that of waveforms near it. Each item's are kept in some 280 bytes, its profile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench_base.arrays import median
from synbench_base.long_wave import on_disk, stretches

Wave = NDArray[np.float64]

WINDOW_SECONDS = 0.1
BLOCKS = 16  # transformed at once
# Levels are taken every millisecond, over about ten.
LEVEL_STEP = 1e-3
LEVELS_SMOOTHED = 11
LEVELS_AT_ONCE = 2**16
LEVEL_FLOOR = 1e-3  # of full scale
# Peaks of the waveforms' correlation that are kept: the highest so near to the lag of the levels.
PEAKS = 16
NEAR_SECONDS = 8e-3
# Of all items together the lag of the levels is surer: the peaks that are summed are nearer to it.
NEARER_SECONDS = 4e-3
# Peaks this near to each other are one lag: two samples at 16 kHz.
ONE_LAG_SECONDS = 1.25e-4
BIN_SECONDS = 1 / 48000
# From these on lags of waveforms, or of levels, mean something: mean heights of correlations, the
# first for few items, and the share of items that have a peak there.
FEW_ITEMS = 5
SURE_HEIGHT, SURE_HEIGHT_OF_MANY = 0.5, 0.3
MOST_SHARE = 2 / 3
# Waveforms as alike as this at one lag need no levels: those of a smooth sound tell little.
ALIKE_HEIGHT = 0.9
SURE_LEVELS = 0.6

_STEPS = round(WINDOW_SECONDS / LEVEL_STEP)
PROFILE = np.dtype(
    [("lags", "<f4", (PEAKS,)), ("heights", "u1", (PEAKS,)), ("levels", "i1", (2 * _STEPS + 1,))]
)

__all__ = ["PROFILE", "CommonLag", "Correlation", "common_lag", "correlate", "lag_profile"]


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """Normalised cross-correlation at lags up to a tenth of a second, the middle one zero."""

    values: Wave
    sample_rate: float

    @property
    def reach(self) -> int:
        """Samples from the middle to either end."""
        return len(self.values) // 2

    @property
    def lag(self) -> float:
        """Of the highest peak, seconds; positive when the wave is late."""
        highest = int(np.argmax(self.values)) if self.values.any() else self.reach
        return (highest - self.reach) / self.sample_rate

    @property
    def height(self) -> float:
        """Of that peak, 0 to 1."""
        return float(np.clip(self.values.max(), 0.0, 1.0))

    @property
    def depth(self) -> float:
        """The highest correlation with the wave upside down, 0 to 1."""
        return float(np.clip(-self.values.min(), 0.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class CommonLag:
    """The lag that most items of one system have.

    Attributes:
        seconds: positive when waves are late.
        is_exact: whether waveforms tell it, to a sample or two; else levels do, to 2 ms or so.
        height: mean correlation of the waveforms there, 0 to 1; 0 where they do not tell it.
        items: how many were summed.
    """

    seconds: float
    is_exact: bool
    height: float
    items: int


def correlate(reference: Wave, wave: Wave, sample_rate: float) -> Correlation:
    """The correlation of two waves of one length."""
    reach = max(0, min(int(WINDOW_SECONDS * sample_rate), reference.size - 1))
    energy = float(np.sqrt(_energy(reference) * _energy(wave)))
    if energy == 0.0:
        return Correlation(values=np.zeros(2 * reach + 1), sample_rate=sample_rate)
    spectrum = sum(_cross_spectra(reference, wave, reach))
    size = _points(reference.size, reach)
    return Correlation(
        values=np.fft.irfft(spectrum, size)[: 2 * reach + 1] / energy, sample_rate=sample_rate
    )


def _energy(wave: Wave) -> float:
    if on_disk(wave):
        return sum(float(np.dot(part, part)) for part in stretches(wave))
    return float(np.dot(wave, wave))


def _points(samples: int, reach: int) -> int:
    """Of the transform of a block and its surroundings, which are a fifth of it at most."""
    return 1 << (min(10 * reach, samples + 2 * reach - 1)).bit_length()


def _cross_spectra(reference: Wave, wave: Wave, reach: int) -> Iterator[NDArray[np.complex128]]:
    """Cross-spectra whose sum is that of the correlation, the lag ``-reach`` first.

    Only few lags are wanted, so the reference is cut into blocks, each against the stretch of the
    wave that it can meet: short transforms, whatever the length of the file, and one way back.
    """
    points = _points(reference.size, reach)
    block = points - 2 * reach
    for at in range(0, reference.size, BLOCKS * block):
        count = min(BLOCKS, -(-(reference.size - at) // block))
        begin, end = at - reach, at + count * block + reach
        around = np.pad(wave[max(0, begin) : end], (max(0, -begin), max(0, end - wave.size)))
        stretches = np.lib.stride_tricks.sliding_window_view(around, points)[::block]
        blocks = _rows(reference[at : at + count * block], count, block)
        first, second = np.fft.rfft(blocks, points), np.fft.rfft(stretches, points)
        second *= np.conj(first, out=first)
        yield second.sum(axis=0)


def _rows(wave: Wave, count: int, block: int) -> Wave:
    """A wave as ``count`` rows, its end filled with zeros."""
    return np.pad(wave, (0, count * block - wave.size)).reshape(count, block)


def lag_profile(reference: Wave, wave: Wave, waveforms: Correlation) -> bytes:
    """What :func:`common_lag` needs of one item, given the correlation of its waveforms."""
    record = np.zeros((), dtype=PROFILE)
    levels = [_levels(each, waveforms.sample_rate) for each in (reference, wave)]
    of_levels = _level_correlation(*levels)
    record["levels"] = np.round(127 * of_levels)
    coarse = (int(np.argmax(of_levels)) - _STEPS) * LEVEL_STEP
    values, reach = waveforms.values, waveforms.reach
    inner = values[1:-1]
    peaks = np.flatnonzero((inner > values[:-2]) & (inner >= values[2:]) & (inner > 0)) + 1
    near = np.abs((peaks - reach) / waveforms.sample_rate - coarse) <= NEAR_SECONDS
    peaks = peaks[near]
    highest = peaks[np.argsort(-values[peaks], kind="stable")][:PEAKS]
    record["lags"][: highest.size] = (highest - reach) / waveforms.sample_rate
    record["heights"][: highest.size] = np.round(255 * np.clip(values[highest], 0.0, 1.0))
    return record.tobytes()


def common_lag(profiles: Sequence[bytes]) -> CommonLag | None:
    """The lag of most items; ``None`` where neither waveforms nor levels tell one."""
    records = np.frombuffer(
        b"".join(one for one in profiles if len(one) == PROFILE.itemsize), dtype=PROFILE
    )
    items = len(records)
    if not items:
        return None
    levels = records["levels"].mean(axis=0, dtype=np.float64) / 127
    coarse = (int(np.argmax(levels)) - _STEPS) * LEVEL_STEP
    if levels.max() < SURE_LEVELS:
        return None
    lags = records["lags"].astype(np.float64)
    heights = records["heights"].astype(np.float64) / 255
    there = heights > 0
    near = there & (np.abs(lags - coarse) <= NEARER_SECONDS)
    if np.where(there, heights, 0.0).max(axis=1).mean() >= ALIKE_HEIGHT:
        near = there & (heights >= ALIKE_HEIGHT)
    peak_lag = _shared_peak(lags[near], heights[near], coarse)
    together = near & (np.abs(lags - peak_lag) <= ONE_LAG_SECONDS)
    height = float(np.where(together, heights, 0.0).max(axis=1).mean())
    share = float(together.any(axis=1).mean())
    sure = SURE_HEIGHT if items < FEW_ITEMS else SURE_HEIGHT_OF_MANY
    if height >= sure and share >= MOST_SHARE:
        exact = median(lags[together])
        return CommonLag(seconds=exact, is_exact=True, height=height, items=items)
    return CommonLag(seconds=coarse, is_exact=False, height=0.0, items=items)


def _shared_peak(lags: Wave, heights: Wave, coarse: float) -> float:
    """Where the heights of peaks, each widened to :data:`ONE_LAG_SECONDS`, sum to most.

    Of several such lags, as a steady tone has, the one nearest to zero.
    """
    if not lags.size:
        return coarse
    width = round(ONE_LAG_SECONDS / BIN_SECONDS)
    start = coarse - NEAR_SECONDS - WINDOW_SECONDS
    bins = np.round((lags - start) / BIN_SECONDS).astype(np.int64)
    kernel = 1 - np.abs(np.arange(-width, width + 1)) / (width + 1)
    sums = np.convolve(np.bincount(bins, weights=heights), kernel, mode="full")
    # Heights are kept in steps of 1/255: what differs by less is equal.
    highest = start + (np.flatnonzero(sums >= sums.max() * (1 - 1 / 255)) - width) * BIN_SECONDS
    return float(highest[np.argmin(np.abs(highest))])


def _level_correlation(reference: Wave, wave: Wave) -> Wave:
    """Of the middle of the reference with every stretch of the wave within the window, -1 to 1.

    Every lag compares equally many levels, so that what is silent at the ends favours none.
    """
    core = reference[_STEPS : reference.size - _STEPS]
    if core.size < _STEPS:
        return np.zeros(2 * _STEPS + 1)
    core = core - core.mean()
    sums = np.correlate(wave, core, mode="valid")
    ends = np.concatenate([np.zeros((2, 1)), np.cumsum([wave, wave**2], axis=1)], axis=1)
    total, squares = ends[:, core.size :] - ends[:, : -core.size]
    spread = np.maximum(squares - total**2 / core.size, 0.0) * float(core @ core)
    scaled = np.zeros_like(sums)
    np.divide(sums, np.sqrt(spread), out=scaled, where=spread > 0)
    return np.clip(scaled, -1.0, 1.0)


def _levels(wave: Wave, sample_rate: float) -> Wave:
    """Logarithms of the level every millisecond, smoothed."""
    hop = max(1, round(LEVEL_STEP * sample_rate))
    count = wave.size // hop
    parts = stretches(wave, samples=hop * LEVELS_AT_ONCE)
    rows = (part[: part.size // hop * hop].reshape(-1, hop) for part in parts)
    power = np.concatenate([np.zeros(0), *(np.mean(np.square(each), axis=1) for each in rows)])
    window = np.hanning(LEVELS_SMOOTHED + 2)
    if count < window.size:
        return np.zeros(count)
    return np.convolve(np.log(np.sqrt(power) + LEVEL_FLOOR), window / window.sum(), mode="same")
