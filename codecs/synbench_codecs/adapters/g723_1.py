"""ITU-T G.723.1 at 6.3 kbit/s, the encoder and decoder of FFmpeg inside PyAV.

Frames of 30 ms at 8 kHz, 189 bits each. In whole bytes a frame also holds two bits that name the
rate and one without a use: they are the same in every frame, and are neither kept nor counted.
FFmpeg has no encoder for the lower rate of 5.3 kbit/s.
"""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_wave
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import pad_to, to_pcm
from synbench_codecs.support.ffmpeg import (
    decode_packets,
    encode_packets,
    libavcodec_name,
    require,
)
from synbench_codecs.support.speech_frames import join_frames, n_frames, split_frames

SAMPLE_RATE = 8000
HOP = 240
BITRATE_BPS = 6300
FRAME_BYTES = 24
FRAME_BITS = 189
# Counted from the lowest bit of a frame read as one little-endian number.
HEADER_BITS = 2
UNUSED_BIT = 96
LOW_BITS = UNUSED_BIT - HEADER_BITS
SPARE_BITS = 8 * FRAME_BYTES - FRAME_BITS
# The frame is coded with 7.5 ms of what follows it.
LOOKAHEAD_SAMPLES = 60
# Samples: median over twelve LibriSpeech utterances, by cross-correlation.
DELAY_SAMPLES = 60

__all__ = ["CODECS", "G7231"]


class G7231:
    """G.723.1 at 6.3 kbit/s."""

    points: ClassVar[tuple[Options, ...]] = ({},)
    local_options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        require("g723_1")
        self.info = CodecInfo(
            spec="g723-1",
            label="G.723.1 6.3 kbps",
            kind="classical",
            adapter_version=1,
            implementation=libavcodec_name(),
            sample_rate=SAMPLE_RATE,
            output_sample_rate=SAMPLE_RATE,
            nominal_bitrate_bps=Fraction(BITRATE_BPS),
            hop_length=HOP,
            frame_rate_hz=Fraction(SAMPLE_RATE, HOP),
            bits_per_frame=FRAME_BITS,
            bandwidth_hz=3400.0,
            causal=True,
            lookahead_samples=LOOKAHEAD_SAMPLES,
            output_delay_samples=DELAY_SAMPLES,
            code_licence="LGPL-2.1-or-later",
            source="ITU-T G.723.1 (2006)",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``, at 8000 Hz; it is rounded to 16 bits.

        Raises:
            EncodeError: what :func:`check_wave` refuses.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        packets = encode_packets(
            pad_to(to_pcm(checked), HOP * n_frames(checked.size, info=self.info)),
            encoder="g723_1",
            sample_rate=SAMPLE_RATE,
            frame_length=HOP,
            bitrate_bps=BITRATE_BPS,
        )
        return join_frames(
            [_kept(packet) for packet in packets],
            bits_per_frame=FRAME_BITS,
            n_samples=checked.size,
            info=self.info,
        )

    def decode(self, encoded: Encoded) -> Wave:
        """The wave at 8000 Hz, delay included."""
        frames = split_frames(encoded, bits_per_frame=FRAME_BITS, info=self.info)
        packets = [_whole(frame) for frame in frames]
        return decode_packets(packets, decoder="g723_1", sample_rate=SAMPLE_RATE)


def _kept(packet: bytes) -> bytes:
    """The bits that differ from frame to frame, highest first."""
    bits = int.from_bytes(packet, "little")
    low = bits >> HEADER_BITS & (1 << LOW_BITS) - 1
    high = bits >> UNUSED_BIT + 1
    return ((high << LOW_BITS | low) << SPARE_BITS).to_bytes(FRAME_BYTES, "big")


def _whole(frame: bytes) -> bytes:
    """The frame in whole bytes; the header of the higher rate is zero."""
    bits = int.from_bytes(frame, "big") >> SPARE_BITS
    low = bits & (1 << LOW_BITS) - 1
    high = bits >> LOW_BITS
    return (high << UNUSED_BIT + 1 | low << HEADER_BITS).to_bytes(FRAME_BYTES, "little")


CODECS = {"g723-1": G7231}
