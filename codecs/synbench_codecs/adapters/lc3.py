"""LC3, the Bluetooth LE Audio codec, by Google's liblc3 inside the package ``lc3py``.

Frames of 10 ms at a constant bit rate: every frame has the same number of bytes, so the payload is
the frames back to back. The encoder works in floating point.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import import_extra, named_version
from synbench_codecs._interface import CodecInfo, Encoded, Wave, check_encoded, check_wave
from synbench_codecs._spec import Options
from synbench_codecs.errors import BitstreamError, UsageError
from synbench_codecs.support.adapting import (
    check_choice,
    check_range,
    full_spec,
    pad_to,
)

FRAME_US = 10000
FRAMES_PER_SECOND = 100
STEP_BPS = 8 * FRAMES_PER_SECOND
LOWEST_BPS, HIGHEST_BPS = 16000, 320000
SAMPLE_RATES = (8000, 16000, 24000, 32000, 48000)

__all__ = ["CODECS", "Lc3"]


class Lc3:
    """LC3 at a constant bit rate.

    Args:
        bitrate_bps: 16000 to 320000 in steps of 800, which is one byte per 10 ms.
        sample_rate: Hz: 8000, 16000, 24000, 32000 or 48000.
    """

    points: ClassVar[tuple[Options, ...]] = (
        {"bitrate_bps": 16000},
        {"bitrate_bps": 24000},
        {"bitrate_bps": 32000},
        {"bitrate_bps": 64000, "sample_rate": 48000},
    )
    local_options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, bitrate_bps: int = 32000, sample_rate: int = 16000) -> None:
        check_range("lc3", "bitrate_bps", bitrate_bps, LOWEST_BPS, HIGHEST_BPS)
        if bitrate_bps % STEP_BPS:
            raise UsageError(
                f"lc3: bitrate_bps must be a multiple of {STEP_BPS}; got {bitrate_bps}"
            )
        check_choice("lc3", "sample_rate", sample_rate, SAMPLE_RATES)
        self._lc3: Any = import_extra("lc3", extra="classical")
        self.frame_bytes = bitrate_bps // STEP_BPS
        self.hop = sample_rate // FRAMES_PER_SECOND
        self.delay: int = self._lc3.Encoder(FRAME_US, sample_rate).get_delay_samples()
        self.info = CodecInfo(
            spec=full_spec(
                "lc3",
                {"bitrate_bps": bitrate_bps, "sample_rate": sample_rate},
                {"sample_rate": 16000},
            ),
            label=_label(bitrate_bps, sample_rate),
            kind="classical",
            adapter_version=1,
            implementation=f"liblc3 in {named_version('lc3py')}",
            sample_rate=sample_rate,
            output_sample_rate=sample_rate,
            nominal_bitrate_bps=Fraction(bitrate_bps),
            hop_length=self.hop,
            frame_rate_hz=Fraction(FRAMES_PER_SECOND),
            bits_per_frame=8 * self.frame_bytes,
            bandwidth_hz=min(sample_rate / 2, 20000.0),
            causal=True,
            lookahead_samples=self.delay,
            output_delay_samples=self.delay,
            code_licence="Apache-2.0",
            conceals=True,
            source="Bluetooth SIG, Low Complexity Communication Codec 1.0 (2020); ETSI TS 103 634",
        )

    def encode(self, wave: Wave, sample_rate: int) -> Encoded:
        """Code a wave, shape ``(samples,)``.

        Raises:
            EncodeError: what :func:`check_wave` refuses.
        """
        checked = check_wave(wave, sample_rate, info=self.info)
        n_frames = self._n_frames(checked.size)
        frames = pad_to(np.clip(checked, -1, 1), n_frames * self.hop).reshape(-1, self.hop)
        encoder = self._lc3.Encoder(FRAME_US, sample_rate)
        payload = b"".join(encoder.encode(frame.tobytes(), self.frame_bytes) for frame in frames)
        return Encoded(
            spec=self.info.published_spec,
            payload=payload,
            payload_bits=8 * len(payload),
            n_samples=checked.size,
            sample_rate=sample_rate,
            model_digest=self.info.model_digest,
        )

    def decode(self, encoded: Encoded) -> Wave:
        """The wave at the input's rate, delay included.

        Raises:
            BitstreamError: not as many frames as the number of samples asks for.
        """
        return self._decoded(self._frames(encoded), encoded.sample_rate)

    def decode_with_losses(self, encoded: Encoded, lost: NDArray[np.bool_]) -> Wave:
        """The same, bridged by liblc3 where frames were lost.

        The library conceals what is no frame, such as one whose spectrum would end beyond the band.
        """
        frames = [
            b"\xff" * self.frame_bytes if is_lost else frame
            for frame, is_lost in zip(self._frames(encoded), lost, strict=True)
        ]
        return self._decoded(frames, encoded.sample_rate)

    def _frames(self, encoded: Encoded) -> list[bytes]:
        check_encoded(encoded, info=self.info)
        size, n_frames = self.frame_bytes, self._n_frames(encoded.n_samples)
        if len(encoded.payload) != n_frames * size:
            raise BitstreamError(
                f"{self.info.spec}: expected {n_frames} frames of {size} bytes, got "
                f"{len(encoded.payload)} bytes"
            )
        return [encoded.payload[at : at + size] for at in range(0, n_frames * size, size)]

    def _decoded(self, frames: list[bytes], sample_rate: int) -> Wave:
        decoder = self._lc3.Decoder(FRAME_US, sample_rate)
        waves = [np.frombuffer(decoder.decode(frame), dtype=np.float32) for frame in frames]
        return np.concatenate(waves)

    def _n_frames(self, n_samples: int) -> int:
        """Enough frames to push the last sample through the delay."""
        return math.ceil((n_samples + self.delay) / self.hop)


def _label(bitrate_bps: int, sample_rate: int) -> str:
    label = f"LC3 {bitrate_bps / 1000:g} kbps"
    return label if sample_rate == 16000 else f"{label} ({sample_rate / 1000:g} kHz)"


CODECS = {"lc3": Lc3}
