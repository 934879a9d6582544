"""Reading, resampling and writing audio: one way for everything in a run.

A wave is mono, shape ``(samples,)``, full scale at -1 and 1. Several channels are averaged, and
the reader learns how many there were. There is one resampler: soxr at its best setting.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.errors import ItemError, UsageError
from synbench_base.files import printable, write_bytes
from synbench_base.long_wave import stretches
from synbench_base.sound_files import read_samples

# Channels whose mean is so far below them in power cancel each other.
CANCELLED_DB = -40.0

__all__ = ["Audio", "audio_bytes", "read_audio", "resample", "resampler_name", "write_audio"]


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
        ItemError: the file is absent, no audio, cut off, or its channels cancel each other.
    """
    samples, sample_rate = read_samples(path)
    digest = hashlib.sha256(f"{sample_rate} {samples.shape[1]} ".encode())
    digest.update(np.ascontiguousarray(samples, dtype="<f8").data)
    # The mean of one channel is the channel itself, bit for bit.
    wave = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if samples.shape[1] > 1 and _cancel(samples, wave):
        raise ItemError(
            f"{printable(path)}: its {samples.shape[1]} channels cancel each other (opposite "
            f"phase), their mean is silent; turn one of them round, or keep one"
        )
    return Audio(np.ascontiguousarray(wave), sample_rate, samples.shape[1], digest.hexdigest())


def _cancel(samples: NDArray[np.float64], mean: NDArray[np.float64]) -> bool:
    """Whether the mean of the channels, ``(samples,)``, has lost what they hold."""
    power = float(np.mean(samples**2)) if samples.size else 0.0
    return float(np.mean(mean**2)) < power * 10 ** (CANCELLED_DB / 10) if power else False


def resample(wave: NDArray[Any], *, sample_rate: int, to: int) -> NDArray[Any]:
    """The wave at another rate, same dtype; unchanged when the rates agree.

    Length is ``round(samples * to / sample_rate)`` as soxr gives it.
    """
    if sample_rate == to:
        return wave
    import soxr

    return np.asarray(soxr.resample(wave, sample_rate, to, quality="VHQ"))


def resampled_parts(wave: Any, *, sample_rate: int, to: int) -> Iterator[NDArray[Any]]:
    """The same for a wave of hours, part after part."""
    import soxr

    stream = soxr.ResampleStream(sample_rate, to, 1, dtype="float64", quality="VHQ")
    for part in stretches(wave):
        yield np.asarray(stream.resample_chunk(np.ascontiguousarray(part, dtype=np.float64)))
    yield np.asarray(stream.resample_chunk(np.zeros(0), last=True))


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
    write_bytes(path, audio_bytes(wave, sample_rate=sample_rate, suffix=path.suffix))


def audio_bytes(wave: NDArray[Any], *, sample_rate: int, suffix: str) -> memoryview:
    """The content of a WAV or FLAC file.

    Raises:
        UsageError: another suffix.
    """
    import soundfile

    container = suffix.lower().lstrip(".").upper()
    if container not in ("FLAC", "WAV"):
        raise UsageError(f"expected a name that ends in .wav or .flac, got {suffix or 'no ending'}")
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, sample_rate, format=container, subtype="PCM_24")
    return buffer.getbuffer()
