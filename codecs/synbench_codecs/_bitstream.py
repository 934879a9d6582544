"""The ``.syn`` file: one coded wave with all that its decoder needs.

Integers are unsigned and big-endian.

====== ===== =======================================================================
offset bytes field
====== ===== =======================================================================
0      4     magic, ``93 53 59 4E`` (``SYN`` after a byte that no text starts with)
4      2     format version, 1
6      8     model digest: adapter version and weights (``CodecInfo.model_digest``)
14     4     sample rate of the input in Hz
18     8     number of input samples
26     8     payload bits: bits of the payload that carry something
34     8     side bits: those of the payload bits that are side information
42     8     payload length P in bytes
50     2     spec length S in bytes
52     S     spec: codec name and options, UTF-8
52+S   P     payload
52+S+P 4     CRC-32 (ISO 3309, as in zlib) of everything before it
====== ===== =======================================================================

The header is for storage: bit rates are counted from the payload bits alone. What it states is
bounded, for a decoder makes as many samples as it says: a rate from 1 kHz to 768 kHz, and no more
seconds than a minute and what the payload holds at 20 bit/s, less than any codec needs.
"""

from __future__ import annotations

import struct
import zlib

from synbench_base.sample_rates import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from synbench_codecs._interface import Encoded
from synbench_codecs.errors import BitstreamError

MAGIC = b"\x93SYN"
VERSION = 1
FREE_SECONDS, LOWEST_BPS = 60.0, 20.0
_START = struct.Struct(">4sH")
_HEADER = struct.Struct(">4sH8sIQQQQH")
_CHECKSUM = struct.Struct(">I")

__all__ = ["MAGIC", "VERSION", "read_stream", "write_stream"]


def write_stream(encoded: Encoded) -> bytes:
    """The bytes of a ``.syn`` file.

    Raises:
        ValueError: a field does not fit, such as a spec of more than 65535 bytes.
    """
    spec = encoded.spec.encode()
    try:
        header = _HEADER.pack(
            MAGIC,
            VERSION,
            encoded.model_digest,
            encoded.sample_rate,
            encoded.n_samples,
            encoded.payload_bits,
            encoded.side_bits,
            len(encoded.payload),
            len(spec),
        )
    except struct.error as error:
        raise ValueError(f"a field of {encoded.spec[:80]!r} does not fit: {error}") from error
    body = header + spec + encoded.payload
    return body + _CHECKSUM.pack(zlib.crc32(body))


def read_stream(data: bytes) -> Encoded:
    """What :func:`write_stream` wrote.

    Raises:
        BitstreamError: foreign, of another version, truncated, followed by something, corrupted, or
            it states what cannot be: a rate or a duration out of bounds.
    """
    _check_start(data)
    if len(data) < _HEADER.size:
        raise BitstreamError(
            f"truncated .syn stream: {len(data)} bytes, the header alone takes {_HEADER.size}"
        )
    _, _, digest, rate, n_samples, bits, side_bits, length, spec_length = _HEADER.unpack_from(data)
    _check_length(data, _HEADER.size + spec_length + length + _CHECKSUM.size)
    body, checksum = data[: -_CHECKSUM.size], data[-_CHECKSUM.size :]
    if zlib.crc32(body) != _CHECKSUM.unpack(checksum)[0]:
        raise BitstreamError("corrupted .syn stream: the checksum does not match")
    _check_bounds(rate, n_samples, bits)
    try:
        return Encoded(
            spec=body[_HEADER.size : _HEADER.size + spec_length].decode(),
            payload=body[_HEADER.size + spec_length :],
            payload_bits=bits,
            n_samples=n_samples,
            sample_rate=rate,
            side_bits=side_bits,
            model_digest=digest,
        )
    except ValueError as error:
        raise BitstreamError(f"inconsistent .syn stream: {error}") from error


def _check_bounds(rate: int, n_samples: int, bits: int) -> None:
    if not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
        raise BitstreamError(
            f"inconsistent .syn stream: a sample rate of {rate} Hz, expected {LOWEST_RATE_HZ} to "
            f"{HIGHEST_RATE_HZ}"
        )
    if not 0 < n_samples / rate <= FREE_SECONDS + bits / LOWEST_BPS:
        raise BitstreamError(
            f"inconsistent .syn stream: {n_samples} samples at {rate} Hz from {bits} payload bits"
        )


def _check_start(data: bytes) -> None:
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise BitstreamError(f"not a .syn stream: it starts with {bytes(data[:4]).hex(' ')}")
    if len(data) < _START.size:
        raise BitstreamError(f"truncated .syn stream: only {len(data)} bytes")
    version = _START.unpack_from(data)[1]
    if version != VERSION:
        raise BitstreamError(f".syn format version {version} is not supported, only {VERSION} is")


def _check_length(data: bytes, expected: int) -> None:
    if len(data) < expected:
        raise BitstreamError(f"truncated .syn stream: {len(data)} of {expected} bytes")
    if len(data) > expected:
        raise BitstreamError(f"{len(data) - expected} bytes after the end of the .syn stream")
