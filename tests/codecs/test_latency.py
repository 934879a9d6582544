"""Measured delays: exact on toys whose reach is known, and those of standards on real codecs."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import synbench_codecs
from synbench_codecs import CodecInfo, Encoded, declared_latency, measure_latency


class Toy:
    """Frames of ``hop`` samples; looks ``ahead`` samples; its wave lags by ``delay``."""

    def __init__(self, *, hop: int, ahead: int = 0, delay: int = 0, whole: bool = False) -> None:
        self.ahead, self.delay, self.whole = ahead, delay, whole
        self.info = CodecInfo(
            spec="toy",
            label="Toy",
            kind="neural",
            adapter_version=1,
            implementation="here",
            sample_rate=16000,
            output_sample_rate=16000,
            nominal_bitrate_bps=None,
            hop_length=hop,
            frame_rate_hz=Fraction(16000, hop),
            bits_per_frame=32.0 * hop,
            lookahead_samples=None if whole else ahead,
            output_delay_samples=delay,
        )

    def encode(self, wave: Any, sample_rate: int) -> Encoded:
        hop = self.info.hop_length or 1
        frames = -(-wave.size // hop)
        padded = np.pad(wave, (0, frames * hop + self.ahead - wave.size)).astype(np.float64)
        # Each sample of a frame takes a bit of the frame's last sample and of the look-ahead.
        last = padded[hop - 1 + self.ahead :: hop][:frames]
        total = padded.sum() if self.whole else 0.0
        values = padded[: frames * hop].reshape(frames, hop) + last[:, None] + total
        payload = values.astype(np.float32).tobytes()
        return Encoded(
            spec="toy",
            payload=payload,
            payload_bits=8 * len(payload),
            n_samples=wave.size,
            sample_rate=sample_rate,
        )

    def decode(self, encoded: Encoded) -> Any:
        wave = np.frombuffer(encoded.payload, dtype=np.float32)
        return np.pad(wave, (self.delay, 0))


@pytest.mark.parametrize(("hop", "ahead"), [(1, 0), (320, 0), (320, 160), (80, 400)])
def test_the_wait_of_a_known_codec_is_found_exactly(hop: int, ahead: int) -> None:
    latency = measure_latency(Toy(hop=hop, ahead=ahead, delay=77))
    assert latency.measured_seconds == pytest.approx((hop + ahead) / 16000, abs=1e-9)
    assert latency.encoder_seconds == pytest.approx((hop + ahead) / 16000, abs=1e-9)
    assert latency.decoder_seconds == pytest.approx(0, abs=1e-9)


def test_a_codec_that_needs_the_whole_file_is_said_to() -> None:
    latency = measure_latency(Toy(hop=320, whole=True))
    assert latency.measured_seconds is None
    assert latency.declared_seconds is None
    assert latency.to_json()["whole_file"] is True


# Milliseconds of the standards: RFC 6716 (20 + 6.5), G.722 (22 samples of QMF and 2 of a frame),
# TS 26.090 (20 + 5), TS 26.190 (20 + 5.9 with the band filters).
@pytest.mark.parametrize(
    ("spec", "stated_ms", "hidden_ms"),
    [
        ("opus:bitrate_bps=24000", 26.5, 3.0),
        ("g722", 1.5, 0.2),
        ("amr-nb:bitrate_bps=12200", 25.0, 9.0),
        ("amr-wb:bitrate_bps=12650", 25.9, 2.0),
    ],
)
def test_real_codecs_wait_as_long_as_their_standards_say(
    spec: str, stated_ms: float, hidden_ms: float
) -> None:
    """Never longer than declared, and shorter by no more than their windows hide."""
    try:
        codec = synbench_codecs.load(spec)
    except synbench_codecs.errors.Unavailable as reason:
        pytest.skip(str(reason))
    declared = declared_latency(codec.info)
    assert declared is not None
    assert 1000 * declared == pytest.approx(stated_ms, abs=0.2)
    measured = measure_latency(codec).measured_seconds
    assert measured is not None
    assert stated_ms - hidden_ms <= 1000 * measured <= 1000 * declared + 0.1


def test_what_has_no_frames_is_not_a_number() -> None:
    toy = Toy(hop=320)
    toy.info = dataclasses.replace(toy.info, bits_per_frame=None)
    latency = measure_latency(toy)
    assert latency.encoder_seconds is not None
    assert math.isnan(latency.encoder_seconds)
    assert latency.to_json()["encoder_seconds"] is None
