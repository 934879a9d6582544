"""Pairs of hours: both files go to the disk as they are read, and are compared by stretches.

The rules are those of :mod:`synbench.policy`, and so are the numbers, but for the rounding of sums.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from synbench import policy
from synbench.audio import resampled_parts
from synbench_base.errors import ItemError
from synbench_base.files import printable
from synbench_base.long_wave import LongWave, stretches
from synbench_base.sound_files import SampleStream

# Shorter ones are read whole: 35 minutes at 16 kHz, a quarter of a gigabyte each.
LONG_SAMPLES = 2**25

__all__ = ["LONG_SAMPLES", "align_long", "is_long", "read_long"]


def is_long(*paths: Path) -> bool:
    """Whether one of the files says that it is long."""
    import soundfile

    frames = []
    for path in paths:
        try:
            frames.append(soundfile.info(str(path)).frames)
        except (soundfile.SoundFileError, OSError, UnicodeError, TypeError):
            return False  # reading it will say what is wrong
    return bool(LONG_SAMPLES < max(frames) < 2**62)


def read_long(path: Path, *, average: bool) -> tuple[LongWave, int]:
    """The wave of a file, mono, and its rate in Hz.

    Args:
        average: channels are averaged, as those of a reference; else they must be the same.

    Raises:
        ItemError: as :func:`synbench_base.sound_files.read_samples`; no samples, NaN; or channels
            that differ.
    """
    stream = SampleStream(path)
    parts = (_mono(path, samples, average=average) for samples in stream)
    wave = LongWave(parts, stored=np.float32 if stream.is_exact else np.float64)
    return wave, stream.sample_rate


def _mono(path: Path, samples: NDArray[Any], *, average: bool) -> NDArray[Any]:
    if not np.isfinite(samples).all():
        raise ItemError(f"{printable(path)}: the file contains NaN or infinity")
    if samples.shape[1] == 1:
        return samples[:, 0]
    if average:
        return np.asarray(samples.mean(axis=1))
    if (samples != samples[:, :1]).any():
        raise ItemError(
            f"{printable(path)}: expected mono, got {samples.shape[1]} different channels"
        )
    return samples[:, 0]


def align_long(
    decoded: LongWave, *, sample_rate: int, reference: LongWave, reference_rate: int
) -> policy.Aligned:
    """Bring a decoded wave onto its reference, see :func:`synbench.policy.align`.

    Raises:
        ItemError: not finite, or so loud that the scale must be wrong.
    """
    policy.check(cast(policy.Wave, decoded))
    wave = decoded
    if sample_rate != reference_rate:
        parts = resampled_parts(decoded, sample_rate=sample_rate, to=reference_rate)
        wave = LongWave(parts)
    excess = wave.size - reference.size
    if excess:
        wave = LongWave(_fitted(stretches(wave), reference.size))
    return policy.compared(
        cast(policy.Wave, wave),
        reference=cast(policy.Wave, reference),
        sample_rate=reference_rate,
        excess=excess,
    )


def _fitted(parts: Iterable[NDArray[Any]], samples: int) -> Iterator[NDArray[Any]]:
    """The parts cut, or followed by zeros, to exactly so many samples."""
    left = samples
    silence = itertools.repeat(np.zeros(2**20))
    for part in itertools.chain(parts, silence):
        if not left:
            return
        yield part[:left]
        left -= min(part.size, left)
