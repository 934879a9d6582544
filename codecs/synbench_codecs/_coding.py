"""The one door to every codec: what goes in and comes out is checked and brought to numpy here.

A codec of somebody else may take and give torch tensors, also on a GPU, and may get a number of
frames wrong; each is found where it happens, by name, and not as a strange stream later.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from synbench_base.arrays import as_array, described, not_floats
from synbench_base.errors import BitstreamError, EncodeError
from synbench_codecs._interface import Codec, CodecInfo, Encoded, Wave
from synbench_codecs._packing import token_bits

__all__ = ["decode", "encode"]


def encode(codec: Codec, wave: Any, sample_rate: int) -> Encoded:
    """Code a wave with any codec.

    Args:
        codec: what :func:`synbench_codecs.load` gives, or an object of one's own.
        wave: floats between -1 and 1, shape ``(samples,)``: array, list or tensor.
        sample_rate: Hz, that of the codec.

    Raises:
        EncodeError: the codec refuses the wave, gives something else than an
            :class:`~synbench_codecs.Encoded`, or another number of frames than its hop says.
    """
    name = codec.info.published_spec
    try:
        samples = as_array(wave)
    except (TypeError, ValueError) as error:
        raise EncodeError(f"{name}: expected a wave of floats: {error}") from error
    problem = not_floats(samples, "the wave")
    if problem:
        raise EncodeError(f"{name}: {problem}")
    encoded: Any = codec.encode(samples, sample_rate)
    if not isinstance(encoded, Encoded):
        raise EncodeError(
            f"{name}: encode returned {described(encoded)}, expected synbench_codecs.Encoded"
        )
    _check_frames(codec, encoded)
    return encoded


def decode(codec: Codec, encoded: Encoded) -> Wave:
    """Decode with any codec: the decoder's raw wave, float32, shape ``(samples,)``.

    Raises:
        BitstreamError: the codec refuses the stream, or gives no wave of floats.
    """
    name = codec.info.published_spec
    decoded: Any = codec.decode(encoded)
    try:
        wave = as_array(decoded)
    except (TypeError, ValueError):
        wave = np.empty(())
    if wave.ndim != 1 or wave.dtype.kind != "f":
        raise BitstreamError(
            f"{name}: decode returned {described(decoded)}, expected floats of shape (samples,)"
        )
    return np.ascontiguousarray(wave, dtype=np.float32)


def _check_frames(codec: Codec, encoded: Encoded) -> None:
    info = codec.info
    if not info.codebook_sizes or (info.hop_length is None and not hasattr(codec, "n_frames")):
        return
    expected = _n_frames(codec, encoded.n_samples)
    bits = encoded.payload_bits - encoded.side_bits
    if bits == token_bits(info.codebook_sizes, expected):
        return
    count = f"{encoded.n_samples} samples / {info.hop_length}"
    given = _frames_of(bits, info)
    if given is None:
        raise EncodeError(
            f"{info.published_spec}: encode gave {bits} bits of tokens, "
            f"{token_bits(info.codebook_sizes, expected)} expected for {expected} frames ({count})"
        )
    raise EncodeError(
        f"{info.published_spec}: encode gave {given} frames, {expected} expected ({count})"
    )


def _n_frames(codec: Codec, n_samples: int) -> int:
    """What the codec itself says where it does, else whole hops, the last one filled up."""
    if hasattr(codec, "n_frames"):
        return int(codec.n_frames(n_samples))
    return math.ceil(n_samples / (codec.info.hop_length or 1))


def _frames_of(bits: int, info: CodecInfo) -> int | None:
    """How many frames take exactly this number of bits, ``None`` where no number does."""
    per_frame = sum(math.log2(size) for size in info.codebook_sizes)
    nearest = round(bits / per_frame) if per_frame else 0
    for frames in (nearest, nearest - 1, nearest + 1):
        if frames >= 0 and token_bits(info.codebook_sizes, frames) == bits:
            return frames
    return None
