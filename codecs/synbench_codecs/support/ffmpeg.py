"""Coding with the libraries inside PyAV (https://pyav.org): packets in, packets out, no container.

Samples are one-dimensional, int16 or float32; packets are bytes. Frames are always full, so that
no packet carries padding that only FFmpeg's own metadata describes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import import_extra
from synbench_codecs.errors import BitstreamError, EncodeError, Unavailable

FORMATS = {np.dtype(np.int16): "s16", np.dtype(np.float32): "flt"}

__all__ = ["decode_packets", "encode_packets", "libavcodec_name", "require"]


def require(codec: str, *, mode: str = "rw") -> None:
    """Check that PyAV is there and can read and write (``"rw"``), or only read, a codec.

    Raises:
        Unavailable: what is absent.
    """
    av = import_extra("av", extra="classical")
    for letter in mode:
        try:
            av.Codec(codec, letter)
        except av.codec.codec.UnknownCodecError as error:
            raise Unavailable(f"this build of PyAV has no {codec}, mode {letter!r}") from error


def libavcodec_name() -> str:
    """What codes where FFmpeg does it itself: ``libavcodec 62.28.102``."""
    versions = import_extra("av", extra="classical").library_versions["libavcodec"]
    return "libavcodec " + ".".join(str(part) for part in versions)


def encode_packets(
    samples: NDArray[Any],
    *,
    encoder: str,
    sample_rate: int,
    frame_length: int,
    bitrate_bps: int,
    options: Mapping[str, str] | None = None,
) -> list[bytes]:
    """One packet per frame of ``frame_length`` samples; ``samples`` must be whole frames.

    Raises:
        EncodeError: the library refuses, or gives more or fewer packets than frames.
    """
    av = import_extra("av", extra="classical")
    context = av.CodecContext.create(encoder, "w")
    context.sample_rate = sample_rate
    context.layout = "mono"
    context.format = FORMATS[samples.dtype]
    context.bit_rate = bitrate_bps
    context.options = dict(options or {})
    packets: list[bytes] = []
    try:
        for start in range(0, samples.size, frame_length):
            frame = av.AudioFrame.from_ndarray(
                samples[None, start : start + frame_length],
                format=context.format.name,
                layout="mono",
            )
            frame.sample_rate = sample_rate
            frame.pts = start
            packets += [bytes(packet) for packet in context.encode(frame)]
    except av.error.FFmpegError as error:
        raise EncodeError(f"{encoder} cannot encode this wave: {error}") from error
    # What the encoder still holds covers only zeros that the caller put behind the wave.
    n_frames = samples.size // frame_length
    if len(packets) != n_frames:
        raise EncodeError(f"{encoder} gave {len(packets)} packets for {n_frames} frames")
    return packets


def decode_packets(
    packets: Iterable[bytes], *, decoder: str, sample_rate: int
) -> NDArray[np.float32]:
    """The decoder's whole wave with its delay, full scale at -1 and 1.

    Raises:
        BitstreamError: a packet is not one of this codec.
    """
    av = import_extra("av", extra="classical")
    context = av.CodecContext.create(decoder, "r")
    context.sample_rate = sample_rate
    context.layout = "mono"
    parts: list[NDArray[np.float32]] = []
    try:
        for packet in packets:
            parts += [_samples(frame) for frame in context.decode(av.Packet(packet))]
        parts += [_samples(frame) for frame in context.decode(None)]
    except av.error.FFmpegError as error:
        raise BitstreamError(f"{decoder} cannot decode the payload: {error}") from error
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def _samples(frame: Any) -> NDArray[np.float32]:
    samples: NDArray[Any] = frame.to_ndarray().reshape(-1)
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / np.float32(32768)
    return samples.astype(np.float32)
