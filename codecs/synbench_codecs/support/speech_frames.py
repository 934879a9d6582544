"""What AMR-NB, AMR-WB and Codec2 share: frames of a fixed number of bits, back to back."""

from __future__ import annotations

import math
from collections.abc import Sequence

from synbench_codecs._interface import CodecInfo, Encoded, check_encoded
from synbench_codecs._packing import pack_bits, unpack_bits

__all__ = ["join_frames", "n_frames", "split_frames"]


def n_frames(n_samples: int, *, info: CodecInfo) -> int:
    """Frames that push the last of ``n_samples`` samples through the declared delay.

    For codecs whose output has the rate of their input.
    """
    assert info.hop_length is not None
    return math.ceil((n_samples + info.output_delay_samples) / info.hop_length)


def join_frames(
    frames: Sequence[bytes], *, bits_per_frame: int, n_samples: int, info: CodecInfo
) -> Encoded:
    """The coded wave from frames of ``bits_per_frame`` bits, each in whole bytes."""
    assert info.sample_rate is not None
    return Encoded(
        spec=info.published_spec,
        payload=pack_bits(frames, bits_per_frame),
        payload_bits=bits_per_frame * len(frames),
        n_samples=n_samples,
        sample_rate=info.sample_rate,
        model_digest=info.model_digest,
    )


def split_frames(encoded: Encoded, *, bits_per_frame: int, info: CodecInfo) -> list[bytes]:
    """The frames of :func:`join_frames`.

    Raises:
        BitstreamError: another codec's stream, or not as many frames as the samples ask for.
    """
    check_encoded(encoded, info=info)
    return unpack_bits(encoded.payload, bits_per_frame, n_frames(encoded.n_samples, info=info))
