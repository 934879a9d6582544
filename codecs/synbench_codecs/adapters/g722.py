"""G.722 (ITU-T, 1988) at 64 kbit/s through FFmpeg's own coder inside PyAV.

Sub-band ADPCM at 16 kHz: one byte per two samples, no frames beyond that.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import ClassVar

from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_encoded, check_wave
from synbench_codecs._spec import Options
from synbench_codecs.errors import BitstreamError
from synbench_codecs.support.adapting import pad_to, to_pcm
from synbench_codecs.support.ffmpeg import decode_packets, encode_packets, libavcodec_name, require

SAMPLE_RATE = 16000
BITRATE_BPS = 64000
HOP = 2

# Samples per call of the encoder; its state runs on, so the bytes do not depend on it.
CHUNK_SAMPLES = 320

# Samples at 16 kHz, median over twelve LibriSpeech utterances, by cross-correlation.
DELAY_SAMPLES = 22

__all__ = ["CODECS", "G722"]


class G722:
    """G.722 at its full rate."""

    points: ClassVar[tuple[Options, ...]] = ({},)
    local_options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        require("g722")
        self.info = CodecInfo(
            spec="g722",
            label="G.722 64 kbps",
            kind="classical",
            adapter_version=1,
            implementation=libavcodec_name(),
            sample_rate=SAMPLE_RATE,
            output_sample_rate=SAMPLE_RATE,
            nominal_bitrate_bps=Fraction(BITRATE_BPS),
            hop_length=HOP,
            frame_rate_hz=Fraction(SAMPLE_RATE, HOP),
            bits_per_frame=8,
            bandwidth_hz=7000.0,
            causal=True,
            lookahead_samples=DELAY_SAMPLES,
            output_delay_samples=DELAY_SAMPLES,
            code_licence="LGPL-2.1-or-later",
            source="ITU-T G.722 (1988)",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``, at 16000 Hz; it is rounded to 16 bits.

        Raises:
            EncodeError: what :func:`check_wave` refuses.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        n_bytes = _payload_bytes(checked.size)
        packets = encode_packets(
            pad_to(to_pcm(checked), CHUNK_SAMPLES * math.ceil(n_bytes * HOP / CHUNK_SAMPLES)),
            encoder="g722",
            sample_rate=SAMPLE_RATE,
            frame_length=CHUNK_SAMPLES,
            bitrate_bps=BITRATE_BPS,
        )
        return Encoded(
            spec=self.info.published_spec,
            payload=b"".join(packets)[:n_bytes],
            payload_bits=8 * n_bytes,
            n_samples=checked.size,
            sample_rate=sample_rate,
            model_digest=self.info.model_digest,
        )

    def decode(self, encoded: Encoded) -> Wave:
        """The wave at 16000 Hz, delay included.

        Raises:
            BitstreamError: not as many bytes as the number of samples asks for.
        """
        check_encoded(encoded, info=self.info)
        n_bytes = _payload_bytes(encoded.n_samples)
        if len(encoded.payload) != n_bytes:
            raise BitstreamError(f"g722: expected {n_bytes} bytes, got {len(encoded.payload)}")
        return decode_packets([encoded.payload], decoder="g722", sample_rate=SAMPLE_RATE)


def _payload_bytes(n_samples: int) -> int:
    """Bytes that push the last sample through the delay."""
    return math.ceil((n_samples + DELAY_SAMPLES) / HOP)


CODECS = {"g722": G722}
