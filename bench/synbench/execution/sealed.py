"""Reconstructions that say whose they are: FLAC files with a digest and a name inside.

A file that was replaced, mixed up with another or damaged after it was written is noticed when it
is read. The seal is an application block of FLAC right behind the stream's own description, which
every player skips: four letters, the SHA-256 of the file's other bytes after the name of the cell.
"""

from __future__ import annotations

import hashlib
import io
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import ItemError
from synbench_base.files import printable, write_bytes

APPLICATION_BLOCK_TYPE = 2
APPLICATION_ID = b"synb"
# The marker of FLAC and the stream's description, which every file begins with.
START_BYTES = 4 + 4 + 34
DIGEST_BYTES = 32
SEAL_BYTES = 4 + len(APPLICATION_ID) + DIGEST_BYTES

__all__ = ["is_sealed", "read_sealed", "sealed", "write_sealed"]


def sealed(data: bytes, name: str) -> bytes:
    """The bytes of a FLAC file with a seal for the cell called ``name``."""
    if data[:4] != b"fLaC" or len(data) < START_BYTES:
        raise ValueError("expected the bytes of a FLAC file")
    last = data[4] & 0x80
    start = data[:4] + bytes([data[4] & 0x7F]) + data[5:START_BYTES]
    block = (
        struct.pack(
            ">I", (last | APPLICATION_BLOCK_TYPE) << 24 | (len(APPLICATION_ID) + DIGEST_BYTES)
        )
        + APPLICATION_ID
    )
    return start + block + _digest(start + block, data[START_BYTES:], name) + data[START_BYTES:]


def write_sealed(path: Path, data: bytes, *, name: str) -> None:
    """Write a FLAC file with its seal.

    Raises:
        OSError: as :func:`synbench_base.files.write_bytes`.
    """
    write_bytes(path, sealed(data, name))


def is_sealed(data: bytes, name: str) -> bool:
    """Whether the bytes are those that were written for this cell."""
    start, block, rest = _parts(data)
    head, digest = block[:-DIGEST_BYTES], block[-DIGEST_BYTES:]
    return head.endswith(APPLICATION_ID) and digest == _digest(start + head, rest, name)


def read_sealed(path: Path, *, name: str) -> tuple[NDArray[np.float64], int]:
    """The wave ``(samples,)`` and rate of a reconstruction that was written for this cell.

    Raises:
        ItemError: absent, damaged, or another file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ItemError(f"cannot read {printable(path)}: {error.strerror}") from error
    if not is_sealed(data, name):
        raise ItemError(f"{printable(path)} is not the file that was written there")
    import soundfile

    try:
        wave, rate = soundfile.read(io.BytesIO(data), dtype="float64")
    except soundfile.SoundFileError as error:
        raise ItemError(f"cannot read {printable(path)}: {error}") from error
    return wave, int(rate)


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    end = START_BYTES + SEAL_BYTES
    return data[:START_BYTES], data[START_BYTES:end], data[end:]


def _digest(start: bytes, rest: bytes, name: str) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + start + rest).digest()
