"""Resampling by a ratio of integers, as Octave's ``resample`` does it.

Conventions
    wave        mono float64, ``(samples,)``; what lies outside is 0
    up, down    integers without a common factor; rate out = rate in x up / down

With h the filter and c its centre, output n is the sum over j of ``wave[j] h[n down - j up + c]``.
The taps repeat every ``up`` outputs, so a stretch of outputs is a stretch of the input times one
fixed matrix: the whole wave is two matrix products. The result equals a direct sum but for
rounding.

Reference:
    Octave's signal package, ``resample.m``: ideal low-pass under a Kaiser window, rejection 60 dB,
    transition a tenth of the stop-band edge.
"""

from __future__ import annotations

import functools
import math
from typing import cast

import numpy as np
from numpy.typing import NDArray

from synbench_base.long_wave import LongWave, on_disk

Array = NDArray[np.float64]

REJECTION_DB = 60.0  # dB
LARGEST_UP_TIMES_DOWN = (
    1_000_000  # up x down; beyond it the matrices would outgrow the work they save
)
BLOCK_SAMPLES = 4096  # outputs
LONGEST_COPY_SAMPLES = 2**22  # samples

__all__ = ["lowpass", "resample"]


def resample(wave: Array, rate: int, to: int) -> Array:
    """The wave at another rate in Hz, ``(ceil(samples x to / rate),)``."""
    common = math.gcd(rate, to)
    up, down = to // common, rate // common
    if up == down:
        return wave
    outputs = -(-wave.size * up // down)
    if up * down > LARGEST_UP_TIMES_DOWN:
        return _by_gathering(wave, up, down, outputs)
    return _by_blocks(wave, up, down, outputs)


@functools.lru_cache(maxsize=8)
def lowpass(up: int, down: int) -> Array:
    """The filter at ``up`` times the rate of the wave, an odd number of taps, sum ``up``."""
    edge = 1.0 / (2 * max(up, down))
    half = math.ceil((REJECTION_DB - 8) / (28.714 * edge / 10))
    sinc = np.sinc(2 * edge * np.arange(-half, half + 1))
    window: Array = np.kaiser(2 * half + 1, 0.1102 * (REJECTION_DB - 8.7)) * sinc
    taps: Array = window * (up / window.sum())
    return taps


@functools.lru_cache(maxsize=8)
def _matrix(up: int, down: int) -> tuple[Array, int]:
    """The matrix ``(inputs of a block + 2 reach, outputs of a block)``, and the reach in samples.

    A block of inputs is at least twice the reach, so the next block holds all that it needs more.
    """
    taps = lowpass(up, down)
    half = taps.size // 2
    reach = half // up + 1
    repeats = -(-2 * reach // down)
    inputs = np.arange(repeats * down + 2 * reach)[:, None] - reach
    index = np.arange(repeats * up) * down - inputs * up + half
    inside = (index >= 0) & (index < taps.size)
    return np.where(inside, taps[np.where(inside, index, 0)], 0.0), reach


def _by_blocks(wave: Array, up: int, down: int, outputs: int) -> Array:
    """All outputs as two matrix products; of a wave on the disk, on the disk."""
    matrix, reach = _matrix(up, down)
    columns = matrix.shape[1]
    blocks = -(-outputs // columns)
    # A long wave in stretches, so that no copy of the whole is needed.
    step = max(1, LONGEST_COPY_SAMPLES // (matrix.shape[0] - 2 * reach))
    spans = [(at, min(at + step, blocks)) for at in range(0, blocks, step)]
    if on_disk(wave):
        parts = (
            _products(wave, matrix, reach, *span).reshape(-1)[: outputs - span[0] * columns]
            for span in spans
        )
        return cast(Array, LongWave(parts))
    result = np.empty((blocks, columns))
    for at, stop in spans:
        _products(wave, matrix, reach, at, stop, out=result[at:stop])
    return result.reshape(-1)[:outputs]


def _products(
    wave: Array, matrix: Array, reach: int, at: int, stop: int, *, out: Array | None = None
) -> Array:
    """Some blocks of outputs, ``(stop - at, outputs of a block)``."""
    size = matrix.shape[0] - 2 * reach
    rows = _padded(wave, at * size - reach, (stop - at + 1) * size).reshape(-1, size)
    result: Array = np.matmul(rows[:-1], matrix[:size], out=out)
    result += rows[1:, : 2 * reach] @ matrix[size:]
    return result


def _padded(wave: Array, begin: int, count: int) -> Array:
    """``count`` samples of a wave from ``begin`` on, zeros where it has none."""
    padded = np.zeros(count)
    first, last = max(begin, 0), min(begin + count, wave.size)
    if last > first:
        padded[first - begin : last - begin] = wave[first:last]
    return padded


def _by_gathering(wave: Array, up: int, down: int, outputs: int) -> Array:
    """Every output from its own stretch and its own taps, for ratios such as 10000 / 22051."""
    half = lowpass(up, down).size // 2
    taps = np.pad(lowpass(up, down), up)
    reach = half // up + 1
    padded = np.pad(wave, (reach, 2 * reach))
    result = np.empty(outputs)
    for at in range(0, outputs, BLOCK_SAMPLES):
        positions = np.arange(at, min(at + BLOCK_SAMPLES, outputs))[:, None] * down
        inputs = positions // up + np.arange(-reach, reach + 1)
        index = np.clip(positions - inputs * up + half + up, 0, taps.size - 1)
        result[at : at + BLOCK_SAMPLES] = np.einsum("nt,nt->n", padded[inputs + reach], taps[index])
    return result
