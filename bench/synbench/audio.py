"""Reading, resampling and writing audio: one way for everything in a run.

A wave is mono, shape ``(samples,)``, full scale at -1 and 1. Several channels are averaged, and
whoever reads is told how many there were. There is one resampler: soxr at its best setting.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.errors import ItemError, UsageError
from synbench_base.files import printable, write_bytes

SUFFIXES = frozenset({".aif", ".aiff", ".au", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav"})

__all__ = ["SUFFIXES", "Audio", "read_audio", "resample", "resampler_name", "write_audio"]


@dataclass(frozen=True)
class Audio:
    """What a file held.

    Attributes:
        wave: float64, shape ``(samples,)``, the mean of the channels.
        sample_rate: Hz.
        channels: how many there were.
        sha256: digest of rate, channels and samples; equal for the same samples in WAV and FLAC.
    """

    wave: NDArray[np.float64]
    sample_rate: int
    channels: int
    sha256: str


def read_audio(path: Path) -> Audio:
    """Read a whole file.

    Raises:
        ItemError: the file is absent or no audio; the message names it.
    """
    import soundfile

    if not path.is_file():
        raise ItemError(f"no such file: {printable(path)}")
    try:
        # As bytes, for a name need not be valid text.
        samples, sample_rate = soundfile.read(os.fsencode(path), dtype="float64", always_2d=True)
    except soundfile.SoundFileError as error:
        reason = getattr(error, "error_string", error)
        raise ItemError(f"cannot read {printable(path)}: {reason}") from error
    digest = hashlib.sha256(f"{sample_rate} {samples.shape[1]} ".encode())
    digest.update(np.ascontiguousarray(samples, dtype="<f8").data)
    # The mean of one channel is the channel itself, bit for bit.
    wave = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    return Audio(np.ascontiguousarray(wave), int(sample_rate), samples.shape[1], digest.hexdigest())


def resample(wave: NDArray[Any], *, sample_rate: int, to: int) -> NDArray[Any]:
    """The wave at another rate, same dtype; unchanged when the rates agree.

    Length is ``round(samples * to / sample_rate)`` as soxr gives it.
    """
    if sample_rate == to:
        return wave
    import soxr

    return np.asarray(soxr.resample(wave, sample_rate, to, quality="VHQ"))


@functools.cache
def resampler_name() -> str:
    """What resampled, for the record: ``soxr 1.1.0 VHQ``."""
    return f"soxr {version('soxr')} VHQ"


def write_audio(path: Path, wave: NDArray[Any], *, sample_rate: int) -> None:
    """Write WAV or FLAC by the suffix, 24 bits; no reader ever sees half a file.

    24 bits keep 16-bit material exactly and round anything else by at most 6e-8 of full scale.

    Raises:
        UsageError: another suffix.
    """
    import soundfile

    container = path.suffix.lower().lstrip(".").upper()
    if container not in ("FLAC", "WAV"):
        raise UsageError(f"expected a name that ends in .wav or .flac, got {path.name}")
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, sample_rate, format=container, subtype="PCM_24")
    write_bytes(path, buffer.getbuffer())
