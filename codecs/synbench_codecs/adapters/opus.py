"""Opus (RFC 6716) through the libopus inside PyAV.

Frames of 20 ms, mono, hard constant bit rate, application voip, complexity 10. A constant bit rate
makes all packets of a stream equally long, so the payload is the packets back to back and nothing
else. libopus chooses the audio bandwidth by itself from the bit rate (narrowband at 6 and 8 kbps,
wideband from about 10 kbps). The decoder always works at 48 kHz.

The wave that comes back starts with the encoder's pre-skip of 6.5 ms (312 samples). The declared
delay is a few samples shorter: the high-pass filter of the voip mode advances the low harmonics,
where most of the energy of speech lies.

With ``enhance=lace`` or ``enhance=nolace`` the same packets are decoded by a libopus that carries
these networks. They work on wideband speech alone, so bit rates where the encoder codes narrowband
are refused.
"""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_encoded, check_wave
from synbench_codecs._spec import Options
from synbench_codecs.errors import BitstreamError, EncodeError, UsageError
from synbench_codecs.support.adapting import (
    bundled_library,
    check_choice,
    check_range,
    full_spec,
    load_library,
    pad_to,
)
from synbench_codecs.support.ffmpeg import decode_packets, encode_packets, require
from synbench_codecs.support.libopus import (
    COMPLEXITY,
    conceals,
    decode_concealing,
    decode_enhanced,
    library_name,
)

OUTPUT_RATE = 48000
FRAMES_PER_SECOND = 50
OUTPUT_HOP = OUTPUT_RATE // FRAMES_PER_SECOND
PRE_SKIP_SAMPLES = 312
LOWEST_BPS, HIGHEST_BPS = 6000, 256000
LOWEST_WIDEBAND_BPS = 10000
STEP_BPS = 8 * FRAMES_PER_SECOND
SAMPLE_RATES = (8000, 12000, 16000, 24000, 48000)

__all__ = ["CODECS", "Opus"]


class Opus:
    """Opus at a constant bit rate.

    Args:
        bitrate_bps: 6000 to 256000 in steps of 400, which is one byte per 20 ms.
        sample_rate: rate of the input in Hz: 8000, 12000, 16000, 24000 or 48000.
        enhance: ``none``, ``lace`` or ``nolace``: the networks of the decoder.
        fec: expected loss in percent, 0 to 100; above 0 each packet carries a coarse copy of the
            one before, as far as the bit rate allows.
    """

    points: ClassVar[tuple[Options, ...]] = (
        {"bitrate_bps": 6000},
        {"bitrate_bps": 8000},
        {"bitrate_bps": 12000},
        {"bitrate_bps": 16000},
        {"bitrate_bps": 24000},
        {"bitrate_bps": 24000, "sample_rate": 48000},
        {"bitrate_bps": 10000, "enhance": "lace"},
        {"bitrate_bps": 10000, "enhance": "nolace"},
    )
    local_options: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        *,
        bitrate_bps: int = 12000,
        sample_rate: int = 16000,
        enhance: str = "none",
        fec: int = 0,
    ) -> None:
        check_range("opus", "bitrate_bps", bitrate_bps, LOWEST_BPS, HIGHEST_BPS)
        if bitrate_bps % STEP_BPS:
            raise UsageError(
                f"opus: bitrate_bps must be a multiple of {STEP_BPS}; got {bitrate_bps}"
            )
        check_choice("opus", "sample_rate", sample_rate, SAMPLE_RATES)
        check_choice("opus", "enhance", enhance, COMPLEXITY)
        check_range("opus", "fec", fec, 0, 100)
        if enhance != "none" and (bitrate_bps < LOWEST_WIDEBAND_BPS or sample_rate < 16000):
            raise UsageError(
                f"opus: enhance={enhance} needs wideband: bitrate_bps of {LOWEST_WIDEBAND_BPS} or "
                f"more and a sample_rate of 16000 or more; got {bitrate_bps} and {sample_rate}"
            )
        require("libopus")
        self.bitrate_bps = bitrate_bps
        self.sample_rate = sample_rate
        self.enhance = enhance
        self.fec = fec
        self.packet_bytes = bitrate_bps // STEP_BPS
        self.info = self._info()

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``, at the rate of the option ``sample_rate``.

        Raises:
            EncodeError: what :func:`check_wave` refuses.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        hop = sample_rate // FRAMES_PER_SECOND
        n_packets = self._n_packets(checked.size)
        packets = encode_packets(
            pad_to(checked, n_packets * hop),
            encoder="libopus",
            sample_rate=sample_rate,
            frame_length=hop,
            bitrate_bps=self.bitrate_bps,
            options={
                "vbr": "off",
                "application": "voip",
                "frame_duration": "20",
                "compression_level": "10",
                **({"fec": "1", "packet_loss": str(self.fec)} if self.fec else {}),
            },
        )
        self._check_sizes(packets)
        payload = b"".join(packets)
        return Encoded(
            spec=self.info.published_spec,
            payload=payload,
            payload_bits=8 * len(payload),
            n_samples=checked.size,
            sample_rate=sample_rate,
            model_digest=self.info.model_digest,
        )

    def decode(self, encoded: Encoded) -> Wave:
        """The wave at 48 kHz, pre-skip included.

        Raises:
            BitstreamError: not as many packets as the number of samples asks for.
        """
        packets = self._packets(encoded)
        if self.enhance != "none":
            return decode_enhanced(packets, enhance=self.enhance)
        wave = decode_packets(packets, decoder="libopus", sample_rate=OUTPUT_RATE)
        if wave.size != len(packets) * OUTPUT_HOP:
            raise BitstreamError(f"{self.info.spec}: the packets are not frames of 20 ms")
        return wave

    def decode_with_losses(self, encoded: Encoded, lost: NDArray[np.bool_]) -> Wave:
        """The wave at 48 kHz, bridged by libopus where packets were lost, pre-skip included.

        Raises:
            BitstreamError: as :meth:`decode`.
        """
        arrived = [
            None if is_lost else packet
            for packet, is_lost in zip(self._packets(encoded), lost, strict=True)
        ]
        if self.enhance != "none":
            return decode_enhanced(arrived, enhance=self.enhance)
        return decode_concealing(arrived)

    def _packets(self, encoded: Encoded) -> list[bytes]:
        check_encoded(encoded, info=self.info)
        size, n_packets = self.packet_bytes, self._n_packets(encoded.n_samples)
        if len(encoded.payload) != n_packets * size:
            raise BitstreamError(
                f"{self.info.spec}: expected {n_packets} packets of {size} bytes, got "
                f"{len(encoded.payload)} bytes"
            )
        return [encoded.payload[i * size : (i + 1) * size] for i in range(n_packets)]

    def _n_packets(self, n_samples: int) -> int:
        """Enough packets to push the last sample through the encoder's delay."""
        n_output = n_samples * OUTPUT_RATE // self.sample_rate
        return math.ceil((n_output + PRE_SKIP_SAMPLES) / OUTPUT_HOP)

    def _check_sizes(self, packets: Sequence[bytes]) -> None:
        sizes = {len(packet) for packet in packets}
        if sizes != {self.packet_bytes}:
            raise EncodeError(
                f"{self.info.spec}: expected packets of {self.packet_bytes} bytes, got {sizes}"
            )

    def _implementation(self) -> str:
        if self.enhance == "none":
            return libopus_name()
        return f"{libopus_name()} encoder, {library_name()} decoder"

    def _info(self) -> CodecInfo:
        return CodecInfo(
            spec=full_spec(
                "opus",
                {
                    "bitrate_bps": self.bitrate_bps,
                    "sample_rate": self.sample_rate,
                    "enhance": self.enhance,
                    "fec": self.fec,
                },
                {"sample_rate": 16000, "enhance": "none", "fec": 0},
            ),
            label=_label(self.bitrate_bps, self.sample_rate, self.enhance, self.fec),
            kind="classical",
            adapter_version=1,
            implementation=self._implementation(),
            sample_rate=self.sample_rate,
            output_sample_rate=OUTPUT_RATE,
            nominal_bitrate_bps=Fraction(self.bitrate_bps),
            hop_length=self.sample_rate // FRAMES_PER_SECOND,
            frame_rate_hz=Fraction(FRAMES_PER_SECOND),
            bits_per_frame=8 * self.packet_bytes,
            bandwidth_hz=min(self.sample_rate / 2, 20000.0),
            causal=True,
            # The copy of a lost frame comes with the next packet.
            lookahead_samples=self.sample_rate * (265 if self.fec else 65) // 10000,
            output_delay_samples=_delay(self.bitrate_bps, self.sample_rate),
            code_licence="BSD-3-Clause",
            conceals=self.enhance != "none" or conceals(),
            source="RFC 6716 (2012), RFC 8251 (2017)",
        )


def _delay(bitrate_bps: int, sample_rate: int) -> int:
    """Lag at 48 kHz in samples: medians over twelve LibriSpeech utterances, by cross-correlation.

    Wideband SILK gives 308, narrowband SILK (low rates, or 8 kHz input) and CELT 311.
    """
    wideband_silk = 10000 <= bitrate_bps <= 64000 and sample_rate > 8000
    return 308 if wideband_silk else 311


def _label(bitrate_bps: int, sample_rate: int, enhance: str, fec: int) -> str:
    network = {"none": "", "lace": " LACE", "nolace": " NoLACE"}[enhance]
    label = f"Opus{network} {bitrate_bps / 1000:g} kbps" + (f" FEC {fec} %" if fec else "")
    return label if sample_rate == 16000 else f"{label} ({sample_rate / 1000:g} kHz)"


@functools.cache
def libopus_name() -> str:
    """The library's own version string, ``libopus 1.6.1``, or that it is unknown."""
    path = bundled_library("av", "libopus")
    library = load_library(path) if path else None
    if library is None:
        return "libopus (version unknown)"
    library.opus_get_version_string.restype = ctypes.c_char_p
    return str(library.opus_get_version_string().decode())


CODECS = {"opus": Opus}
