"""Sounds as a user of Python has them: arrays, lists, torch tensors, paths of files."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench import policy
from synbench.errors import UsageError
from synbench_base.arrays import as_array, described, not_floats

Sound = str | Path | Sequence[float] | NDArray[Any] | Any

__all__ = ["Sound", "read_sound"]


def read_sound(sound: Sound, *, name: str, sample_rate: int | None) -> tuple[policy.Wave, int]:
    """The wave of a sound, float64, shape ``(samples,)``, and its rate in Hz.

    Args:
        sound: floats between -1 and 1, in one dimension (others of size 1 are passed over), as an
            array, a list or a tensor on any device; or the path of a file, whose channels are
            averaged.
        name: what the sound is called in messages.
        sample_rate: Hz; may be left out for a file, which knows its own.

    Raises:
        UsageError: no sound, integers, several channels, NaN, no rate, or not the file's rate.
        ItemError: the file is absent or no audio.
    """
    rate = None if sample_rate is None else _whole_rate(sample_rate)
    if isinstance(sound, str | Path):
        wave, own = policy.read_reference(Path(sound), target_rate=None)
        if rate is not None and rate != own:
            raise UsageError(
                f"{name}: {sound} has {own} Hz, got sample_rate={rate}; a file needs no rate"
            )
        return wave, own
    if rate is None:
        raise UsageError(f"{name} is {described(sound)}: say its rate, such as sample_rate=16000")
    try:
        array = as_array(sound)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name}: expected a sound or a path: {error}") from error
    return _mono(array, name), rate


def _whole_rate(sample_rate: Any) -> int:
    try:
        rate = operator.index(sample_rate)
    except TypeError:
        rate = int(sample_rate) if sample_rate == sample_rate // 1 else 0
    if rate <= 0:
        raise UsageError(f"sample_rate must be a whole number of Hz, got {sample_rate!r}")
    return rate


def _mono(array: NDArray[Any], name: str) -> policy.Wave:
    problem = not_floats(array, name)
    if problem:
        raise UsageError(problem)
    wave = array.reshape(-1) if array.size == max(array.shape, default=1) else array
    if wave.ndim != 1:
        raise UsageError(
            f"{name} must be mono (samples,), got shape {array.shape}; average its channels first"
        )
    if wave.size == 0:
        raise UsageError(f"{name} is empty")
    if not np.isfinite(wave).all():
        bad = int(np.count_nonzero(~np.isfinite(wave)))
        raise UsageError(f"{name} contains {bad} samples that are NaN or infinite")
    return np.ascontiguousarray(wave, dtype=np.float64)
