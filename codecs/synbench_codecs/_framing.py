"""The frames inside a payload: side information first, then frame after frame.

A frame is one row: its tokens where the codec has codebooks, else its bits.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from synbench_codecs._interface import CodecInfo, Encoded
from synbench_codecs._packing import Tokens, pack_tokens, unpack_tokens
from synbench_codecs.errors import BitstreamError

Frames = NDArray[np.int64]

__all__ = [
    "payload_frames",
    "payload_tokens",
    "with_payload_frames",
    "with_payload_tokens",
]


def payload_frames(encoded: Encoded, *, info: CodecInfo) -> Frames:
    """The frames, shape ``(frames, tokens or bits of a frame)``.

    Raises:
        BitstreamError: the codec declares no frames, or the payload is no whole number of them.
    """
    if info.codebook_sizes:
        return payload_tokens(encoded, info=info).T
    if info.bits_per_frame is None or info.bits_per_frame != int(info.bits_per_frame):
        raise BitstreamError(f"{info.spec} declares no frames in its payload")
    width = int(info.bits_per_frame)
    bits = _bits(encoded)[encoded.side_bits : encoded.payload_bits]
    if bits.size % width:
        raise BitstreamError(f"{info.spec}: {bits.size} bits are no whole frames of {width} bits")
    return bits.reshape(-1, width).astype(np.int64)


def with_payload_frames(encoded: Encoded, frames: Frames, *, info: CodecInfo) -> Encoded:
    """The stream with as many other frames, as :func:`payload_frames` gives them."""
    if info.codebook_sizes:
        return with_payload_tokens(encoded, frames.T, info=info)
    bits = _bits(encoded)
    bits[encoded.side_bits : encoded.payload_bits] = frames.ravel()
    return dataclasses.replace(encoded, payload=np.packbits(bits).tobytes())


def payload_tokens(encoded: Encoded, *, info: CodecInfo) -> Tokens:
    """The tokens, shape ``(codebooks, frames)``.

    Raises:
        BitstreamError: the codec has no codebooks, or the payload holds something else.
    """
    if not info.codebook_sizes:
        raise BitstreamError(f"{info.spec} has no codebooks")
    if encoded.side_bits % 8:
        raise BitstreamError(
            f"{info.spec}: expected side information in whole bytes, got {encoded.side_bits} bits"
        )
    bits_per_frame = sum(math.log2(size) for size in info.codebook_sizes)
    n_frames = math.floor((encoded.payload_bits - encoded.side_bits) / bits_per_frame + 1e-6)
    return unpack_tokens(encoded.payload[encoded.side_bits // 8 :], info.codebook_sizes, n_frames)


def with_payload_tokens(encoded: Encoded, tokens: Tokens, *, info: CodecInfo) -> Encoded:
    """The stream with other tokens, of a codec whose books are ``info.codebook_sizes``."""
    payload, bits = pack_tokens(tokens, info.codebook_sizes)
    side = encoded.payload[: encoded.side_bits // 8]
    return dataclasses.replace(
        encoded, payload=side + payload, payload_bits=encoded.side_bits + bits
    )


def _bits(encoded: Encoded) -> NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(encoded.payload, dtype=np.uint8))
