"""AMR narrowband (3GPP TS 26.071) through the opencore library inside PyAV.

Frames of 20 ms at 8 kHz, all eight modes, no discontinuous transmission. The library writes the
storage format of RFC 4867, a table-of-contents byte and then the frame in whole bytes; only the
frame's own bits are kept and counted.
"""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_wave
from synbench_codecs._spec import Options
from synbench_codecs.support.adapting import check_choice, opencore_name, pad_to, to_pcm
from synbench_codecs.support.amr import AmrCodec
from synbench_codecs.support.ffmpeg import encode_packets, require
from synbench_codecs.support.speech_frames import n_frames

SAMPLE_RATE = 8000
HOP = 160

# Bits per frame by bit rate, in the order of the modes' frame types 0 to 7 (TS 26.101, table 1a).
MODES = {
    4750: 95,
    5150: 103,
    5900: 118,
    6700: 134,
    7400: 148,
    7950: 159,
    10200: 204,
    12200: 244,
}

# Samples at 8 kHz in all modes: median over twelve LibriSpeech utterances, by cross-correlation.
DELAY_SAMPLES = 39

__all__ = ["CODECS", "AmrNb"]


class AmrNb(AmrCodec):
    """AMR-NB at one of its eight bit rates.

    Args:
        bitrate_bps: 4750, 5150, 5900, 6700, 7400, 7950, 10200 or 12200.
    """

    points: ClassVar[tuple[Options, ...]] = tuple({"bitrate_bps": rate} for rate in MODES)
    local_options: ClassVar[frozenset[str]] = frozenset()
    decoder: ClassVar[str] = "libopencore_amrnb"
    lost_frame_type: ClassVar[int] = 15  # "no data" in the storage format

    def __init__(self, *, bitrate_bps: int = 12200) -> None:
        check_choice("amr-nb", "bitrate_bps", bitrate_bps, MODES)
        require("libopencore_amrnb")
        self.bits_per_frame = MODES[bitrate_bps]
        self.frame_type = list(MODES).index(bitrate_bps)
        self.info = CodecInfo(
            spec=f"amr-nb:bitrate_bps={bitrate_bps}",
            label=f"AMR-NB {bitrate_bps / 1000:g} kbps",
            kind="classical",
            adapter_version=1,
            implementation=opencore_name("libopencore-amrnb"),
            sample_rate=SAMPLE_RATE,
            output_sample_rate=SAMPLE_RATE,
            nominal_bitrate_bps=Fraction(bitrate_bps),
            hop_length=HOP,
            frame_rate_hz=Fraction(SAMPLE_RATE, HOP),
            bits_per_frame=self.bits_per_frame,
            bandwidth_hz=3400.0,
            causal=True,
            lookahead_samples=40,
            output_delay_samples=DELAY_SAMPLES,
            code_licence="Apache-2.0",
            conceals=True,
            source="3GPP TS 26.071, TS 26.090; RFC 4867 (2007)",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``, at 8000 Hz; it is rounded to 16 bits.

        Raises:
            EncodeError: what :func:`check_wave` refuses.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        packets = encode_packets(
            pad_to(to_pcm(checked), HOP * n_frames(checked.size, info=self.info)),
            encoder="libopencore_amrnb",
            sample_rate=SAMPLE_RATE,
            frame_length=HOP,
            bitrate_bps=int(self.info.nominal_bitrate_bps or 0),
            options={"dtx": "0"},
        )
        return self._joined(packets, checked.size)


CODECS = {"amr-nb": AmrNb}
