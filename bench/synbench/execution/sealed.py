"""Reconstructions that say whose they are: FLAC files with a digest and a name inside.

A file that was replaced, mixed up with another or damaged after it was written is noticed when it
is read. The seal is an application block of FLAC right behind the stream's own description, which
every player skips: four letters, the SHA-256 of the file's other bytes after the name of the cell.
"""

from __future__ import annotations

import hashlib
import io
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from synbench.audio import write_samples
from synbench_base import sound_files
from synbench_base.errors import ItemError
from synbench_base.files import printable, write_parts

APPLICATION_BLOCK_TYPE = 2
APPLICATION_ID = b"synb"
# The marker of FLAC and the stream's description, which every file begins with.
START_BYTES = 4 + 4 + 34
DIGEST_BYTES = 32
SEAL_BYTES = 4 + len(APPLICATION_ID) + DIGEST_BYTES
# The last 36 bits of these tell how many samples there are.
COUNT_BYTES = slice(18, 26)
# Files up to this size are made in memory.
LARGEST_HELD_BYTES = 2**26
AT_ONCE_BYTES = 2**20

__all__ = ["is_sealed", "read_sealed", "sealed", "write_sealed"]


def sealed(data: bytes, name: str) -> bytes:
    """The bytes of a FLAC file with a seal for the cell called ``name``."""
    return b"".join(_sealed_parts(io.BytesIO(data), name))


def write_sealed(path: Path, wave: NDArray[np.float64], *, sample_rate: int, name: str) -> None:
    """Write a wave, of any length, as a FLAC file with its seal.

    Raises:
        OSError: as :func:`synbench_base.files.write_bytes`.
    """
    with tempfile.SpooledTemporaryFile(max_size=LARGEST_HELD_BYTES) as file:
        write_samples(file, wave, sample_rate=sample_rate, suffix=".flac")
        write_parts(path, lambda: _sealed_parts(file, name))


def is_sealed(data: bytes, name: str) -> bool:
    """Whether the bytes are those that were written for this cell."""
    return _is_sealed(io.BytesIO(data), name)


def read_sealed(path: Path, *, name: str) -> tuple[NDArray[np.float64], int]:
    """The wave ``(samples,)`` and rate of a reconstruction that was written for this cell.

    That of a long file is a :class:`~synbench_base.long_wave.LongWave`.

    Raises:
        ItemError: absent, damaged, or another file.
    """
    import soundfile

    try:
        with path.open("rb") as stored:
            is_long = _samples(stored.read(START_BYTES)) > sound_files.LONG_SAMPLES
            stored.seek(0)
            file: IO[bytes] = stored if is_long else io.BytesIO(stored.read())
            if not _is_sealed(file, name):
                raise ItemError(f"{printable(path)} is not the file that was written there")
    except OSError as error:
        raise ItemError(f"cannot read {printable(path)}: {error.strerror}") from error
    if is_long:
        return sound_files.read_decoded(path)
    file.seek(0)
    try:
        wave, rate = soundfile.read(file, dtype="float64")
    except soundfile.SoundFileError as error:
        raise ItemError(f"cannot read {printable(path)}: {error}") from error
    return wave, int(rate)


def _samples(start: bytes) -> int:
    """How many samples a stream's description promises."""
    return int.from_bytes(start[COUNT_BYTES], "big") & 2**36 - 1


def _sealed_parts(file: IO[bytes], name: str) -> Iterator[bytes]:
    """The sealed file, some bytes at a time, of one without a seal."""
    file.seek(0)
    data = file.read(START_BYTES)
    if data[:4] != b"fLaC" or len(data) < START_BYTES:
        raise ValueError("expected the bytes of a FLAC file")
    last = data[4] & 0x80
    start = data[:4] + bytes([data[4] & 0x7F]) + data[5:]
    block = (
        struct.pack(
            ">I", (last | APPLICATION_BLOCK_TYPE) << 24 | (len(APPLICATION_ID) + DIGEST_BYTES)
        )
        + APPLICATION_ID
    )
    digest = _digest(start + block, file, name)
    yield start + block + digest
    file.seek(START_BYTES)
    yield from _rest(file)


def _is_sealed(file: IO[bytes], name: str) -> bool:
    start, block = file.read(START_BYTES), file.read(SEAL_BYTES)
    head, digest = block[:-DIGEST_BYTES], block[-DIGEST_BYTES:]
    return head.endswith(APPLICATION_ID) and digest == _digest(start + head, file, name)


def _digest(start: bytes, file: IO[bytes], name: str) -> bytes:
    """Of a name, the bytes in front of the seal, and what is left of the file."""
    digest = hashlib.sha256(name.encode() + b"\0" + start)
    for part in _rest(file):
        digest.update(part)
    return digest.digest()


def _rest(file: IO[bytes]) -> Iterator[bytes]:
    while part := file.read(AT_ONCE_BYTES):
        yield part
