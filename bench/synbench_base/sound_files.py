"""Reading audio files whole, or not at all: one way for corpora, decoded files and training speech.

A file whose decoder was killed, or that was written on a full disk, holds less than its header
promises; decoders read what is there and say nothing. Here that is an error, found by

WAV, RF64, W64, AIFF, AU   the size of the samples in the header against the size of the file
FLAC, MP3                  the number of samples in the header against those that could be decoded
Ogg (Vorbis, Opus)         the last page, which is complete and marked as the end of the stream

A header that promises nothing (size 0 or the largest, as programs write that stream to a pipe) is
believed. Pipes, devices and links to nowhere are named as such, and none is opened.

A file of hours is read some samples at a time, and its wave stays on the disk.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import ItemError
from synbench_base.files import printable
from synbench_base.long_wave import LongWave
from synbench_base.sample_rates import HIGHEST_RATE_HZ, LOWEST_RATE_HZ

# Files of more are long: 35 minutes at 16 kHz, a quarter of a gigabyte in memory.
LONG_SAMPLES = 2**25
MOST_SAMPLES_PER_BYTE = 256  # that speech is ever packed to; Opus reaches 64
# Sizes from here on are what SoX (0x7FFFF000) and FFmpeg (all ones) write when they know none.
NO_SIZE = 0x7FFFF000
PAGE_BYTES = 65307  # the largest page of Ogg
KINDS = {
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISDIR: "a folder",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}

__all__ = [
    "SampleStream",
    "check_regular",
    "is_long",
    "missing_part",
    "read_decoded",
    "read_samples",
]


def check_regular(path: Path) -> os.stat_result:
    """The status of a file that can be read without waiting for anybody.

    Raises:
        ItemError: it is absent, or a pipe, a device, a folder or a link to nowhere.
    """
    try:
        status = path.stat()
    except OSError as error:
        if path.is_symlink():
            raise ItemError(
                f"no such file: {printable(path)} is a link to "
                f"{printable(path.readlink())}, which cannot be read"
            ) from error
        raise ItemError(f"no such file: {printable(path)}") from error
    for is_kind, kind in KINDS.items():
        if is_kind(status.st_mode):
            raise ItemError(f"{printable(path)} is {kind}, expected an audio file")
    return status


def read_samples(
    path: Path, *, dtype: Literal["float32", "float64"] = "float64"
) -> tuple[NDArray[Any], int]:
    """All samples of a file, shape ``(samples, channels)``, and its rate in Hz.

    Raises:
        ItemError: absent, no regular file, no audio, or less of it than its header promises, or it
            states a rate that no speech has.
    """
    import soundfile

    check_regular(path)
    # As bytes, for a name need not be valid text.
    with _readable(path), soundfile.SoundFile(os.fsencode(path)) as file:
        promised, rate = file.frames, int(file.samplerate)
        samples = file.read(dtype=dtype, always_2d=True)
    _check_rate(path, rate)
    _check_count(path, len(samples), promised)
    if missing := missing_part(path):
        raise ItemError(f"{printable(path)} is truncated: {missing}")
    return samples, rate


def is_long(path: Path) -> bool:
    """Whether a file says that it is long; one that cannot be read is not.

    Raises:
        ItemError: absent, or no regular file.
    """
    import soundfile

    if check_regular(path).st_size < LONG_SAMPLES / MOST_SAMPLES_PER_BYTE:
        return False  # most files, and opening each twice takes its time
    try:
        frames = soundfile.info(os.fsencode(path)).frames
    except (soundfile.SoundFileError, OSError, UnicodeError, TypeError):
        return False  # reading it will say what is wrong
    return bool(LONG_SAMPLES < frames < 2**62)


class SampleStream:
    """The samples of a file of hours, some at a time, each ``(samples, channels)``, float64.

    Attributes:
        sample_rate: Hz.
        channels: how many there are.
        is_exact: whether float32 holds their samples exactly.

    Raises:
        ItemError: as :func:`read_samples`, at once or on the way.
    """

    def __init__(self, path: Path, *, at_once: int = 2**20) -> None:
        import soundfile

        check_regular(path)
        self._path, self._at_once = path, at_once
        with _readable(path):
            header = soundfile.info(os.fsencode(path))
        self.sample_rate = int(header.samplerate)
        self._promised = int(header.frames)
        exact = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "FLOAT")
        self.channels = int(header.channels)
        self.is_exact = header.subtype in exact
        _check_rate(path, self.sample_rate)
        if missing := missing_part(path):
            raise ItemError(f"{printable(path)} is truncated: {missing}")

    def __iter__(self) -> Iterator[NDArray[Any]]:
        import soundfile

        count = 0
        with _readable(self._path), soundfile.SoundFile(os.fsencode(self._path)) as file:
            while len(samples := file.read(self._at_once, dtype="float64", always_2d=True)):
                count += len(samples)
                yield samples
        _check_count(self._path, count, self._promised)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what the library says of a file into one sentence."""
    import soundfile

    try:
        yield
    except soundfile.SoundFileError as error:
        reason = getattr(error, "error_string", error)
        raise ItemError(f"cannot read {printable(path)}: {reason}{_cut(path)}") from error


def _check_rate(path: Path, rate: int) -> None:
    if not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
        raise ItemError(
            f"{printable(path)} states a sample rate of {rate} Hz, expected {LOWEST_RATE_HZ} to "
            f"{HIGHEST_RATE_HZ}"
        )


def _check_count(path: Path, count: int, promised: int) -> None:
    if count < promised < 2**62:
        raise ItemError(
            f"{printable(path)} is truncated: the header promises {promised} samples, "
            f"{count} could be read"
        )


def _cut(path: Path) -> str:
    missing = missing_part(path)
    return f" (truncated: {missing})" if missing else ""


def read_decoded(path: Path) -> tuple[NDArray[Any], int]:
    """The wave of a decoded file, mono float32, shape ``(samples,)``, and its rate in Hz.

    That of a long file is a :class:`~synbench_base.long_wave.LongWave`.

    Raises:
        ItemError: as :func:`read_samples`; or no samples, NaN, or channels that differ, since
            speech codecs are compared in mono and nobody said how to mix them.
    """
    if is_long(path):
        stream = SampleStream(path)
        parts = (_one_channel(path, samples) for samples in stream)
        stored = np.float32 if stream.is_exact else np.float64
        return cast(NDArray[Any], LongWave(parts, stored=stored)), stream.sample_rate
    samples, rate = read_samples(path, dtype="float32")
    if not samples.size:
        raise ItemError(f"{printable(path)}: the file holds no samples")
    return np.ascontiguousarray(_one_channel(path, samples)), rate


def _one_channel(path: Path, samples: NDArray[Any]) -> NDArray[Any]:
    """The channel ``(samples,)`` that all channels ``(samples, channels)`` are."""
    if not np.isfinite(samples).all():
        raise ItemError(f"{printable(path)}: the file contains NaN or infinity")
    if (samples != samples[:, :1]).any():
        opposite = samples.shape[1] == 2 and (samples[:, 0] == -samples[:, 1]).all()
        raise ItemError(
            f"{printable(path)}: expected mono, got {samples.shape[1]} different channels"
            f"{' of opposite phase' if opposite else ''}"
        )
    channel: NDArray[Any] = samples[:, 0]
    return channel


def missing_part(path: Path) -> str:
    """What a file lacks of what its header promises, or an empty string."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            end = _promised_end(file)
            if end is not None and end > size + 1:  # some writers count a padding byte
                return f"the header promises {end} bytes, the file has {size}"
            file.seek(0)
            if file.read(4) == b"OggS" and not _has_last_page(file, size):
                return "the stream does not end with its last page"
    except OSError:
        pass
    return ""


def _promised_end(file: BinaryIO) -> int | None:
    """Where the samples should end, in bytes from the start; ``None`` where nothing is promised."""
    start = file.read(12)
    if start[:4] in (b"RIFF", b"RF64") and start[8:] == b"WAVE":
        return _chunked_end(file, b"data", "little")
    if start[:4] == b"FORM" and start[8:] in (b"AIFF", b"AIFC"):
        return _chunked_end(file, b"SSND", "big")
    if start[:4] == b"riff":
        return _wave64_end(file)
    if start[:4] == b".snd":
        begin, size = int.from_bytes(start[4:8], "big"), int.from_bytes(start[8:12], "big")
        return begin + size if 0 < size < NO_SIZE else None
    return None


def _chunked_end(file: BinaryIO, wanted: bytes, order: Literal["little", "big"]) -> int | None:
    """End of one chunk of a file of chunks: name (4 bytes), size (4 bytes), content, padding."""
    long_size = 0
    while len(head := file.read(8)) == 8:
        name, size = head[:4], int.from_bytes(head[4:], order)
        begin = file.tell()
        if name == wanted:
            if size >= NO_SIZE and long_size:
                size = long_size
            elif size >= NO_SIZE or not size:
                return None
            return begin + size
        if name == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
        file.seek(begin + size + size % 2)
    return None


def _wave64_end(file: BinaryIO) -> int | None:
    """The same for W64: name (16 bytes), size with the head (8 bytes), padding to 8 bytes."""
    file.seek(40)
    while len(head := file.read(24)) == 24:
        begin, size = file.tell() - 24, int.from_bytes(head[16:], "little")
        if head[:4] == b"data":
            return begin + size
        if size < 24:
            return None
        file.seek(begin + size + -size % 8)
    return None


def _has_last_page(file: BinaryIO, size: int) -> bool:
    """Whether the last page of an Ogg file is complete and marked as the last."""
    file.seek(max(0, size - PAGE_BYTES))
    tail = file.read()
    begin = tail.rfind(b"OggS")
    page = tail[begin:]
    if begin < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return False
    return bool(page[5] & 4) and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
