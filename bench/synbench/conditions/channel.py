"""Damage of the coded bytes between encoder and decoder; what is decoded are the damaged bytes.

The order inside a payload is the one of :mod:`synbench_codecs`: side information first, then frame
after frame, inside a frame codebook after codebook. Whatever a channel needs and a codec does not
declare is said as an error, which becomes the status of the cell.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.conditions.loss_pattern import Lost, lost_frames
from synbench_base.errors import NotApplicable
from synbench_codecs import (
    CodecInfo,
    Encoded,
    payload_frames,
    payload_tokens,
    with_payload_frames,
    with_payload_tokens,
)
from synbench_codecs.errors import BitstreamError

Frames = NDArray[np.int64]

__all__ = ["Received", "flip_bits", "lose_frames", "replace_tokens", "without_last_books"]


@dataclass(frozen=True)
class Received:
    """What comes out of the channel.

    Attributes:
        encoded: the damaged stream, as the decoder gets it.
        damaged: how many bits, frames or tokens were hit.
        of: out of how many.
        lost: which frames were lost, for codecs that conceal by themselves; empty elsewhere.
    """

    encoded: Encoded
    damaged: int = 0
    of: int = 0
    lost: Lost = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=bool))


def flip_bits(encoded: Encoded, *, rate: float, draw: np.random.Generator) -> Received:
    """Each bit of the payload, side information included, is turned with probability ``rate``."""
    data = np.frombuffer(encoded.payload, dtype=np.uint8)
    bits = np.unpackbits(data)
    hit = draw.random(encoded.payload_bits) < rate
    bits[: encoded.payload_bits] ^= hit
    return Received(
        encoded=dataclasses.replace(encoded, payload=np.packbits(bits).tobytes()),
        damaged=int(np.count_nonzero(hit)),
        of=encoded.payload_bits,
    )


def lose_frames(
    encoded: Encoded, slots: Lost, *, info: CodecInfo, is_concealed: bool = False
) -> Received:
    """Each lost frame is replaced by the last one that arrived, the first ones by zero bits.

    Args:
        slots: from :func:`synbench.conditions.loss_pattern.lost_slots`.
        is_concealed: the decoder bridges what is lost: the bits of lost frames become zeros.

    Raises:
        NotApplicable: the codec declares no frames.
    """
    if info.frame_rate_hz is None:
        raise NotApplicable(f"{info.spec} declares no frame rate, so no frame of it can be lost")
    if is_concealed and info.bits_per_frame is None and info.hop_length is not None:
        # An external program, which alone knows where its frames lie.
        count = math.ceil(encoded.n_samples / info.hop_length)
        lost = lost_frames(slots, n_frames=count, frame_rate_hz=info.frame_rate_hz)
        return Received(encoded, damaged=int(np.count_nonzero(lost)), of=count, lost=lost)
    frames = _declared(payload_frames, encoded, info)
    lost = lost_frames(slots, n_frames=len(frames), frame_rate_hz=info.frame_rate_hz)
    if is_concealed:
        received = np.where(lost[:, None], 0, frames)
        return Received(
            encoded=with_payload_frames(encoded, received, info=info),
            damaged=int(np.count_nonzero(lost)),
            of=len(frames),
            lost=lost,
        )
    arrived = np.where(lost, -1, np.arange(len(frames)))
    source = np.maximum.accumulate(arrived)
    received = np.where(source[:, None] >= 0, frames[source], 0)
    return Received(
        encoded=with_payload_frames(encoded, received, info=info),
        damaged=int(np.count_nonzero(lost)),
        of=len(frames),
        lost=lost,
    )


def replace_tokens(
    encoded: Encoded, *, rate: float, info: CodecInfo, draw: np.random.Generator
) -> Received:
    """Each token becomes another one of its codebook, any alike, with probability ``rate``.

    Raises:
        NotApplicable: the codec has no tokens.
    """
    tokens = _declared(payload_tokens, encoded, info)
    sizes = np.array(info.codebook_sizes)[:, None]
    hit = (draw.random(tokens.shape) < rate) & (sizes > 1)
    shift = 1 + np.floor(draw.random(tokens.shape) * (sizes - 1)).astype(np.int64)
    damaged = np.where(hit, (tokens + shift) % sizes, tokens)
    return Received(
        encoded=with_payload_tokens(encoded, damaged, info=info),
        damaged=int(np.count_nonzero(hit)),
        of=tokens.size,
    )


def without_last_books(encoded: Encoded, *, info: CodecInfo, kept: CodecInfo) -> Received:
    """The stream of the same codec with fewer books, made of the first books of this one.

    Args:
        kept: of the codec with fewer books, whose decoder gets the stream.

    Raises:
        NotApplicable: the codec has no books to drop.
    """
    tokens = _declared(payload_tokens, encoded, info)
    count = len(kept.codebook_sizes)
    if not 0 < count < len(tokens) or kept.codebook_sizes != info.codebook_sizes[:count]:
        raise NotApplicable(f"{kept.spec} does not decode the first books of {info.spec}")
    first = with_payload_tokens(encoded, tokens[:count], info=kept)
    return Received(
        encoded=dataclasses.replace(first, spec=kept.spec, model_digest=kept.model_digest),
        damaged=len(tokens) - count,
        of=len(tokens),
    )


def _declared(read: Callable[..., Any], encoded: Encoded, info: CodecInfo) -> Frames:
    """What is read from the payload; what the codec does not declare is the item's failure."""
    try:
        frames: Frames = read(encoded, info=info)
    except BitstreamError as error:
        raise NotApplicable(str(error)) from error
    return frames
