"""Third-octave envelopes of the frames in which the reference speaks, for STOI and ESTOI.

Shape letters
    N  active frames of the reference      F  frames of an envelope, N - 1      B  bands, 15

Everything happens at 10 kHz: frames of 256 samples every 128 under a Hann window, transforms of
512 points, 15 bands from 150 Hz on. A frame is active when its level is at most 40 dB below that of
the loudest frame of the reference. The active frames are overlapped and added to a wave without
pauses, and that wave is cut into frames once more.

References:
    C. H. Taal et al. 2011, section II.A (see :mod:`synbench_metrics.stoi`), and the
    authors' ``stoi.m``.
"""

from __future__ import annotations

import functools
from typing import cast

import numpy as np
from numpy.typing import NDArray

from synbench_base.long_wave import on_disk

Array = NDArray[np.float64]
Frames = NDArray[np.intp]

SAMPLE_RATE = 10000  # Hz
FRAME, HOP, POINTS = 256, 128, 512  # samples
BANDS = 15
LOWEST_CENTRE_HZ = 150.0  # Hz
DYNAMIC_RANGE_DB = 40.0  # dB
BLOCK_FRAMES = 256  # frames
LONG_BLOCK_FRAMES = 32768  # frames: 7 minutes
EPS = float(np.finfo(np.float64).eps)

__all__ = ["BANDS", "EPS", "SAMPLE_RATE", "Frames", "active_frames", "band_edges", "envelopes"]

# Hann without its zeros.
WINDOW = np.hanning(FRAME + 2)[1:-1]


def active_frames(wave: Array) -> Frames:
    """Numbers of the active frames of a reference at 10 kHz, ``(N,)``; none if it is too short."""
    if wave.size <= FRAME:
        return np.zeros(0, dtype=np.intp)
    halves = _blocks(wave)
    energy = np.concatenate(
        [
            _frame_energy(halves[at : at + LONG_BLOCK_FRAMES + 1])
            for at in range(0, len(halves) - 1, LONG_BLOCK_FRAMES)
        ]
    )
    decibels = 20 * np.log10(np.sqrt(energy) + EPS)
    return np.flatnonzero(decibels.max() - DYNAMIC_RANGE_DB - decibels < 0)


def envelopes(wave: Array, active: Frames) -> Array:
    """Root of the energy per band and frame, ``(B, F)``, of a wave at 10 kHz.

    Args:
        wave: as long as the reference.
        active: from :func:`active_frames` of the reference, at least two.
    """
    blocks = _blocks(wave)
    # The last whole frame is left out, as in the original.
    bands = np.empty((BANDS, active.size - 1))
    for at in range(0, bands.shape[1], LONG_BLOCK_FRAMES):
        stop = min(at + LONG_BLOCK_FRAMES, bands.shape[1])
        spoken = _spoken(blocks, active, at, stop + 1)
        frames = np.lib.stride_tricks.sliding_window_view(spoken.reshape(-1), FRAME)[::HOP]
        for begin in range(0, stop - at, BLOCK_FRAMES):
            levels = _band_levels(frames[begin : begin + BLOCK_FRAMES])
            bands[:, at + begin : at + begin + len(levels)] = levels.T
    return bands


def _spoken(blocks: Array, active: Frames, start: int, stop: int) -> Array:
    """Halves ``start`` to ``stop`` of the wave without pauses, ``(stop - start, HOP)``."""
    spoken = blocks[active[start:stop]] * WINDOW[:HOP]
    # Each half is the beginning of its frame, and the end of the one before.
    before = max(start, 1)
    spoken[before - start :] += blocks[active[before - 1 : stop - 1] + 1] * WINDOW[HOP:]
    return spoken


def _frame_energy(halves: Array) -> Array:
    squares = halves**2
    energy: Array = squares[:-1] @ WINDOW[:HOP] ** 2 + squares[1:] @ WINDOW[HOP:] ** 2
    return energy


class _HalvesOnDisk:
    """Halves of frames of a wave on the disk, read as they are asked for."""

    def __init__(self, wave: Array, count: int) -> None:
        self._wave, self._count = wave, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, chosen: slice | Frames) -> Array:
        if isinstance(chosen, slice):
            start, stop, _ = chosen.indices(self._count)
            return self._wave[start * HOP : stop * HOP].reshape(-1, HOP)
        first, last = int(chosen.min()), int(chosen.max())
        return self[first : last + 1][chosen - first]


def _blocks(wave: Array) -> Array:
    """Halves of frames, ``(frames + 1, HOP)``; a frame that ends with the wave is left out."""
    frames = -(-(wave.size - FRAME) // HOP)
    if on_disk(wave):
        return cast(Array, _HalvesOnDisk(wave, frames + 1))
    return wave[: (frames + 1) * HOP].reshape(-1, HOP)


def _band_levels(frames: Array) -> Array:
    """Levels of some frames ``(F, FRAME)``, ``(F, B)``."""
    edges = band_edges()
    spectrum = np.fft.rfft(frames * WINDOW, POINTS)[:, : edges[-1]]
    power = spectrum.real**2 + spectrum.imag**2
    levels: Array = np.sqrt(power @ _band_matrix())
    return levels


@functools.cache
def _band_matrix() -> Array:
    """Which bins belong to which band, ``(bins, B)``."""
    edges = band_edges()
    bins = np.arange(edges[-1])[:, None]
    return ((bins >= edges[:-1]) & (bins < edges[1:])).astype(np.float64)


@functools.cache
def band_edges() -> NDArray[np.intp]:
    """First bin of every band, and the bin after the last one, ``(B + 1,)``."""
    bins = np.linspace(0, SAMPLE_RATE, POINTS + 1)[: POINTS // 2 + 1]
    edges = LOWEST_CENTRE_HZ * 2.0 ** ((2 * np.arange(BANDS + 1) - 1) / 6)
    nearest: NDArray[np.intp] = np.argmin(np.abs(bins - edges[:, None]), axis=1)
    return nearest
