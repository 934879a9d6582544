"""Reading, resampling and writing audio: one way for everything in a run.

A wave is mono, shape ``(samples,)``, full scale at -1 and 1. Several channels are averaged, and
the reader learns how many there were. There is one resampler: soxr at its best setting.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from synbench.errors import ItemError, UsageError
from synbench_base.files import printable, write_bytes
from synbench_base.long_wave import LongWave, stretches
from synbench_base.sound_files import SampleStream, is_long, read_samples

# Channels whose mean is so far below them in power cancel each other.
CANCELLED_DB = -40.0

Wave = NDArray[np.float64]

__all__ = [
    "Audio",
    "audio_bytes",
    "read_audio",
    "resample",
    "resampled_parts",
    "resampler_name",
    "write_audio",
    "write_samples",
]


@dataclass(frozen=True)
class Audio:
    """What a file held.

    Attributes:
        wave: float64, shape ``(samples,)``, the mean of the channels; or a
            :class:`~synbench_base.long_wave.LongWave`, see :func:`read_audio`.
        sample_rate: Hz.
        channels: how many there were.
        sha256: digest of rate, channels and samples; equal for the same samples in WAV and FLAC.
    """

    wave: Wave
    sample_rate: int
    channels: int
    sha256: str


def read_audio(path: Path, *, by_stretches: bool = False, digest: bool = True) -> Audio:
    """Read a whole file.

    Args:
        by_stretches: the wave of a long file is left on the disk, as a
            :class:`~synbench_base.long_wave.LongWave`.
        digest: whether ``sha256`` is wanted; it is empty where it is not.

    Raises:
        ItemError: the file is absent, no audio, cut off, or its channels cancel each other.
    """
    if by_stretches and is_long(path):
        stream = SampleStream(path)
        reading = _Reading(stream.sample_rate, stream.channels, digest=digest)
        stored = np.float32 if stream.is_exact and stream.channels == 1 else np.float64
        wave = cast(Wave, LongWave(map(reading.mono, stream), stored=stored))
    else:
        samples, sample_rate = read_samples(path)
        reading = _Reading(sample_rate, samples.shape[1], digest=digest)
        wave = np.ascontiguousarray(reading.mono(samples))
    if reading.channels > 1 and reading.cancels:
        raise ItemError(
            f"{printable(path)}: its {reading.channels} channels cancel each other (opposite "
            f"phase), their mean is silent; turn one of them round, or keep one"
        )
    return Audio(wave, reading.sample_rate, reading.channels, reading.sha256)


class _Reading:
    """What is known of a file whose samples go by, all at once or some at a time."""

    def __init__(self, sample_rate: int, channels: int, *, digest: bool) -> None:
        self.sample_rate, self.channels = sample_rate, channels
        head = f"{sample_rate} {channels} ".encode()
        self._digest = hashlib.sha256(head) if digest else None
        self._energy = self._mean_energy = 0.0

    def mono(self, samples: NDArray[np.float64]) -> Wave:
        """The mean ``(samples,)`` of the channels ``(samples, channels)``."""
        if self._digest is not None:
            self._digest.update(np.ascontiguousarray(samples, dtype="<f8").data)
        if self.channels == 1:  # the channel itself, bit for bit
            return samples[:, 0]
        wave = samples.mean(axis=1)
        self._energy += float(np.sum(samples**2)) / self.channels
        self._mean_energy += float(np.sum(wave**2))
        return np.asarray(wave)

    @property
    def sha256(self) -> str:
        """Of rate, channels and samples; empty where it was not wanted."""
        return "" if self._digest is None else self._digest.hexdigest()

    @property
    def cancels(self) -> bool:
        """Whether the mean of the channels has lost what they hold."""
        return self._mean_energy < self._energy * 10 ** (CANCELLED_DB / 10)


def resample(wave: NDArray[Any], *, sample_rate: int, to: int) -> NDArray[Any]:
    """The wave at another rate, same dtype; unchanged when the rates agree.

    Length is ``round(samples * to / sample_rate)`` as soxr gives it.
    """
    if sample_rate == to:
        return wave
    import soxr

    return np.asarray(soxr.resample(wave, sample_rate, to, quality="VHQ"))


def resampled_parts(
    parts: Iterable[NDArray[Any]], *, sample_rate: int, to: int
) -> Iterator[NDArray[Any]]:
    """The same for the parts of a wave of hours, float64."""
    if sample_rate == to:
        yield from parts
        return
    import soxr

    stream = soxr.ResampleStream(sample_rate, to, 1, dtype="float64", quality="VHQ")
    for part in parts:
        yield np.asarray(stream.resample_chunk(np.ascontiguousarray(part, dtype=np.float64)))
    yield np.asarray(stream.resample_chunk(np.zeros(0), last=True))


@functools.cache
def resampler_name() -> str:
    """What resampled, for the record: ``soxr 1.1.0 VHQ``."""
    from importlib.metadata import version

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
    buffer = io.BytesIO()
    write_samples(buffer, wave, sample_rate=sample_rate, suffix=suffix)
    return buffer.getbuffer()


def write_samples(file: IO[bytes], wave: NDArray[Any], *, sample_rate: int, suffix: str) -> None:
    """Write a wave, of any length, as a WAV or FLAC file into an open one.

    Raises:
        UsageError: another suffix.
    """
    import soundfile

    container = suffix.lower().lstrip(".").upper()
    if container not in ("FLAC", "WAV"):
        raise UsageError(f"expected a name that ends in .wav or .flac, got {suffix or 'no ending'}")
    with soundfile.SoundFile(
        file, "w", sample_rate, 1, subtype="PCM_24", format=container
    ) as target:
        for part in stretches(wave):
            target.write(part)
