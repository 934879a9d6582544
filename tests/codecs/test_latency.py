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
        pytest.param("opus:bitrate_bps=24000", 26.5, 3.0, marks=pytest.mark.slow),
        ("g722", 1.5, 0.2),
        pytest.param("amr-nb:bitrate_bps=12200", 25.0, 9.0, marks=pytest.mark.slow),
        pytest.param("amr-wb:bitrate_bps=12650", 25.9, 2.0, marks=pytest.mark.slow),
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


# Milliseconds from the strides and kernels of each design: the frame and what the encoder and the
# decoder look ahead, worked out by the configurations (BigCodec: 12.5 + 711.0).
@pytest.mark.parametrize(
    ("spec", "stated_ms"),
    [
        ("bigcodec", 723.5),
        pytest.param("bigcodec:variant=paper-16k", 1133.25, marks=pytest.mark.slow),
        ("dac:codebooks=4,model=16k", 375.8125),
        pytest.param("snac", 539.5417, marks=pytest.mark.slow),
        pytest.param("encodec:codebooks=2", 13.3333, marks=pytest.mark.slow),
    ],
)
def test_a_network_waits_for_all_that_it_is_connected_with(spec: str, stated_ms: float) -> None:
    pytest.importorskip("torch")
    try:
        codec = synbench_codecs.untrained(spec, reduced=True)
    except synbench_codecs.errors.Unavailable as reason:
        pytest.skip(str(reason))
    latency = measure_latency(codec)
    assert latency.by == "trace"
    assert latency.measured_seconds is not None
    assert 1000 * latency.measured_seconds == pytest.approx(stated_ms, abs=0.001)
    assert latency.measured_seconds == pytest.approx(declared_latency(codec.info), abs=1e-9)
    assert latency.encoder_seconds is not None
    assert 0 < latency.encoder_seconds <= latency.measured_seconds


def test_a_trace_finds_the_reach_of_known_convolutions() -> None:
    """Three taps ahead at a stride of 4, and a decoder that needs one frame more."""
    torch = pytest.importorskip("torch")

    class Known:
        info = dataclasses.replace(
            Toy(hop=4).info,
            codebook_sizes=(8,),
            hop_length=4,
            sample_rate=1000,
            output_sample_rate=1000,
        )

        def __init__(self) -> None:
            self.down = torch.nn.Conv1d(1, 2, 7, stride=4)  # frame j sees 4 j to 4 j + 6
            self.book = torch.nn.Embedding(8, 2)

        def tokenise(self, waves: Any) -> Any:
            padded = torch.nn.functional.pad(waves, (0, 3))
            latents = self.down(padded[:, None]).transpose(1, 2)
            return (latents @ self.book.weight.T).argmax(-1)[:, None]

        def synthesise(self, tokens: Any) -> Any:
            vectors = self.book(tokens[:, 0]).sum(-1)
            following = torch.nn.functional.pad(vectors[:, 1:], (0, 1))
            return (vectors + following).repeat_interleave(4, dim=-1)

    from synbench_codecs._reach import structural_reach

    reach = structural_reach(Known())
    assert reach is not None
    assert reach.encoder == pytest.approx(7 / 1000)
    assert reach.total == pytest.approx((7 + 4) / 1000)


@pytest.mark.parametrize("spec", ["mdctcodec", pytest.param("p2psyncodec", marks=pytest.mark.slow)])
def test_norms_over_time_need_the_whole_file(spec: str) -> None:
    pytest.importorskip("torch")
    latency = measure_latency(synbench_codecs.untrained(spec, reduced=True))
    assert latency.by == "trace"
    assert latency.measured_seconds is None
    assert latency.declared_seconds is None
