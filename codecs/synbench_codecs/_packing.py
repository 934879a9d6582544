"""Packing codebook indices and fixed-size frames into bytes without a wasted bit.

Conventions
    tokens          integers, shape ``(codebooks, frames)``, 0 <= token < size of its codebook
    codebook_sizes  one size per codebook, any integer from 1
    order           frame after frame, inside a frame codebook after codebook, first token first

All tokens of a stream are the digits of one number in a mixed radix, most significant first, so
the stream takes ``ceil(frames * sum(log2(sizes)))`` bits for any sizes. For powers of two this is
plain bit packing, most significant bit first; :mod:`numpy` then does it without big integers, and
the bytes are the same. The last byte is filled up with zero bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.arrays import as_array
from synbench_codecs.errors import BitstreamError

Tokens = NDArray[np.int64]

__all__ = ["pack_bits", "pack_tokens", "token_bits", "unpack_bits", "unpack_tokens"]


def token_bits(codebook_sizes: Sequence[int], n_frames: int) -> int:
    """Exact number of bits that ``n_frames`` frames of these codebooks take."""
    _check_sizes(codebook_sizes)
    # Integers, because a float sum of logarithms is off by one bit on long streams.
    return int((math.prod(codebook_sizes) ** n_frames - 1).bit_length())


def pack_tokens(tokens: Any, codebook_sizes: Sequence[int]) -> tuple[bytes, int]:
    """Pack tokens of shape ``(codebooks, frames)``, an array or a tensor on any device.

    Returns:
        The bytes, and the number of bits in them that carry tokens.

    Raises:
        ValueError: wrong shape or type, or a token outside its codebook.
    """
    checked = _check_tokens(as_array(tokens), codebook_sizes)
    n_bits = token_bits(codebook_sizes, checked.shape[1])
    pack = _pack_powers_of_two if _powers_of_two(codebook_sizes) else _pack_mixed_radix
    return pack(checked, codebook_sizes), n_bits


def unpack_tokens(data: bytes, codebook_sizes: Sequence[int], n_frames: int) -> Tokens:
    """The tokens, shape ``(codebooks, n_frames)``, that :func:`pack_tokens` packed.

    Raises:
        BitstreamError: too few or too many bytes, or bytes that no tokens pack to.
    """
    n_bits = token_bits(codebook_sizes, n_frames)
    _check_padding(data, n_bits)
    if _powers_of_two(codebook_sizes):
        return _unpack_powers_of_two(data, codebook_sizes, n_frames)
    return _unpack_mixed_radix(data, codebook_sizes, n_frames)


def pack_bits(frames: Sequence[bytes], bits_per_frame: int) -> bytes:
    """Put frames of ``bits_per_frame`` bits back to back, without the zero bits that end each.

    Raises:
        ValueError: a frame has another size, or bits set in its padding.
    """
    n_bytes = math.ceil(bits_per_frame / 8)
    if any(len(frame) != n_bytes for frame in frames):
        raise ValueError(f"expected frames of {n_bytes} bytes for {bits_per_frame} bits")
    rows = np.frombuffer(b"".join(frames), dtype=np.uint8).reshape(len(frames), n_bytes)
    bits = np.unpackbits(rows, axis=1)
    if bits[:, bits_per_frame:].any():
        raise ValueError(f"a frame has bits set beyond its {bits_per_frame} bits")
    return np.packbits(bits[:, :bits_per_frame]).tobytes()


def unpack_bits(data: bytes, bits_per_frame: int, n_frames: int) -> list[bytes]:
    """The frames that :func:`pack_bits` joined, each filled up to whole bytes with zero bits.

    Raises:
        BitstreamError: the data are not ``n_frames`` frames of ``bits_per_frame`` bits.
    """
    _check_padding(data, bits_per_frame * n_frames)
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=bits_per_frame * n_frames)
    rows = np.packbits(bits.reshape(n_frames, bits_per_frame), axis=1)
    return [row.tobytes() for row in rows]


def _check_sizes(codebook_sizes: Sequence[int]) -> None:
    if not codebook_sizes or min(codebook_sizes) < 1:
        raise ValueError(f"expected codebook sizes from 1, got {list(codebook_sizes)}")


def _check_tokens(tokens: NDArray[np.integer], codebook_sizes: Sequence[int]) -> Tokens:
    _check_sizes(codebook_sizes)
    if not np.issubdtype(tokens.dtype, np.integer):
        raise ValueError(f"expected integer tokens, got {tokens.dtype}")
    if tokens.ndim != 2 or tokens.shape[0] != len(codebook_sizes):
        raise ValueError(
            f"expected tokens of shape ({len(codebook_sizes)}, frames), got {tokens.shape}"
        )
    for book, (row, size) in enumerate(zip(tokens, codebook_sizes, strict=True)):
        if row.size and not 0 <= int(row.min()) <= int(row.max()) < size:
            raise ValueError(
                f"codebook {book} holds 0 to {size - 1}, got {int(row.min())} to {int(row.max())}"
            )
    return tokens.astype(np.int64)


def _check_padding(data: bytes, n_bits: int) -> None:
    expected = math.ceil(n_bits / 8)
    if len(data) != expected:
        raise BitstreamError(f"expected {expected} payload bytes, got {len(data)}")
    if n_bits % 8 and data[-1] & (0xFF >> n_bits % 8):
        raise BitstreamError("the padding bits at the end of the payload are not zero")


def _powers_of_two(codebook_sizes: Sequence[int]) -> bool:
    return all(size & (size - 1) == 0 for size in codebook_sizes)


def _pack_powers_of_two(tokens: Tokens, codebook_sizes: Sequence[int]) -> bytes:
    columns = [
        row[:, None] >> np.arange(size.bit_length() - 2, -1, -1) & 1
        for row, size in zip(tokens, codebook_sizes, strict=True)
    ]
    return np.packbits(np.concatenate(columns, axis=1).astype(np.uint8)).tobytes()


def _unpack_powers_of_two(data: bytes, codebook_sizes: Sequence[int], n_frames: int) -> Tokens:
    widths = [size.bit_length() - 1 for size in codebook_sizes]
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=n_frames * sum(widths))
    columns = np.split(bits.reshape(n_frames, sum(widths)), np.cumsum(widths)[:-1], axis=1)
    weights = [1 << np.arange(width - 1, -1, -1, dtype=np.int64) for width in widths]
    return np.stack([bits @ weight for bits, weight in zip(columns, weights, strict=True)])


def _pack_mixed_radix(tokens: Tokens, codebook_sizes: Sequence[int]) -> bytes:
    n_frames = tokens.shape[1]
    digits = [0] * n_frames
    for row, size in zip(tokens.tolist(), codebook_sizes, strict=True):
        digits = [digit * size + token for digit, token in zip(digits, row, strict=True)]
    number = _join_digits(digits, math.prod(codebook_sizes))
    n_bits = token_bits(codebook_sizes, n_frames)
    return (number << -n_bits % 8).to_bytes(math.ceil(n_bits / 8), "big")


def _unpack_mixed_radix(data: bytes, codebook_sizes: Sequence[int], n_frames: int) -> Tokens:
    n_bits = token_bits(codebook_sizes, n_frames)
    number = int.from_bytes(data, "big") >> -n_bits % 8
    frame_size = math.prod(codebook_sizes)
    if number >= frame_size**n_frames:
        raise BitstreamError(f"the payload is not {n_frames} frames of these codebooks")
    digits = _split_digits(number, frame_size, n_frames)
    tokens = np.empty((len(codebook_sizes), n_frames), dtype=np.int64)
    for book in reversed(range(len(codebook_sizes))):
        tokens[book] = [digit % codebook_sizes[book] for digit in digits]
        digits = [digit // codebook_sizes[book] for digit in digits]
    return tokens


def _join_digits(digits: list[int], base: int) -> int:
    """One number from digits, most significant first, by pairs: far fewer long products."""
    # Leading zeros leave the number as it is, and give every pair a partner.
    numbers = [0] * (_tree_size(len(digits)) - len(digits)) + digits
    while len(numbers) > 1:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        numbers = [high * base + low for high, low in pairs]
        base *= base
    return numbers[0]


def _split_digits(number: int, base: int, n_digits: int) -> list[int]:
    size = _tree_size(n_digits)
    bases = [base]
    while 2 ** len(bases) < size:
        bases.append(bases[-1] ** 2)
    numbers = [number]
    while len(numbers) < size:
        base = bases[(size // len(numbers)).bit_length() - 2]
        numbers = [part for number in numbers for part in divmod(number, base)]
    return numbers[size - n_digits :]


def _tree_size(n_digits: int) -> int:
    return 1 << max(n_digits - 1, 0).bit_length()
