"""Channels: what was lost or turned, counted in the streams, is what was asked for."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synbench_codecs
from synbench.conditions.channel import (
    flip_bits,
    lose_frames,
    replace_tokens,
    without_last_books,
)
from synbench.conditions.loss_pattern import lost_frames, lost_slots, mean_burst
from synbench_base.errors import NotApplicable
from synbench_codecs import CodecInfo, Encoded, pack_tokens, unpack_tokens


def info(sizes: tuple[int, ...], spec: str = "toy") -> CodecInfo:
    return CodecInfo(
        spec=spec,
        label="Toy",
        kind="neural",
        adapter_version=1,
        implementation="here",
        sample_rate=16000,
        output_sample_rate=16000,
        nominal_bitrate_bps=None,
        hop_length=320,
        frame_rate_hz=Fraction(50),
        codebook_sizes=sizes,
    )


def coded(tokens: np.ndarray, sizes: tuple[int, ...], *, side: bytes = b"") -> Encoded:
    payload, bits = pack_tokens(tokens, sizes)
    return Encoded(
        spec="toy",
        payload=side + payload,
        payload_bits=bits + 8 * len(side),
        side_bits=8 * len(side),
        n_samples=320 * tokens.shape[1],
        sample_rate=16000,
    )


@pytest.mark.parametrize(("loss", "burst"), [(0.02, 1.0), (0.05, 2.5), (0.1, 2.5), (0.3, 8.0)])
def test_loss_and_burst_are_those_of_the_channel(loss: float, burst: float) -> None:
    slots = lost_slots(20_000, loss=loss, burst=burst, draw=np.random.default_rng(1))
    assert slots.size == 1_000_000
    # Standard error of a share with correlated slots: below 4 % of it here.
    assert np.mean(slots) == pytest.approx(loss, rel=0.04)
    assert mean_burst(slots) == pytest.approx(burst, rel=0.03)


def test_no_loss_and_all_lost() -> None:
    draw = np.random.default_rng(1)
    assert not lost_slots(10, loss=0, burst=1, draw=draw).any()
    assert lost_slots(10, loss=1, burst=1, draw=draw).all()


@pytest.mark.parametrize("rate", [Fraction(25, 2), Fraction(50), Fraction(75), Fraction(100)])
def test_codecs_of_any_frame_rate_lose_the_same_time(rate: Fraction) -> None:
    slots = lost_slots(4000, loss=0.1, burst=10, draw=np.random.default_rng(2))
    lost = lost_frames(slots, n_frames=int(4000 * rate), frame_rate_hz=rate)
    assert np.mean(lost) == pytest.approx(np.mean(slots), abs=0.004)
    # In time: each lost frame lies where slots are lost, and the other way round.
    fine = np.repeat(lost, 1 + int(600 // rate))
    there = np.interp(np.linspace(0, 1, 200_000), np.linspace(0, 1, fine.size), fine)
    wanted = np.interp(np.linspace(0, 1, 200_000), np.linspace(0, 1, slots.size), slots)
    assert np.corrcoef(there, wanted)[0, 1] > 0.7


def test_bits_are_turned_at_the_rate_and_padding_never() -> None:
    tokens = np.random.default_rng(3).integers(0, 1024, (1, 20_001))
    encoded = coded(tokens, (1024,))
    received = flip_bits(encoded, rate=1e-2, draw=np.random.default_rng(4))
    before, after = (
        np.unpackbits(np.frombuffer(each.payload, np.uint8)) for each in (encoded, received.encoded)
    )
    turned = np.count_nonzero(before != after)
    assert turned == received.damaged
    assert turned / encoded.payload_bits == pytest.approx(1e-2, rel=0.08)
    unpack_tokens(received.encoded.payload, (1024,), 20_001)  # which checks the padding
    assert flip_bits(encoded, rate=0, draw=np.random.default_rng(5)).encoded == encoded


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([(1024,), (1024, 1024), (5, 7, 3)]), st.booleans())
def test_a_lost_frame_repeats_the_last_that_arrived(
    seed: int, sizes: tuple[int, ...], with_side: bool
) -> None:
    draw = np.random.default_rng(seed)
    tokens = np.stack([draw.integers(0, size, 40) for size in sizes])
    encoded = coded(tokens, sizes, side=b"side" if with_side else b"")
    slots = lost_slots(0.8, loss=0.4, burst=2, draw=draw)
    received = lose_frames(encoded, slots, info=info(sizes))
    start = encoded.side_bits // 8
    assert received.encoded.payload[:start] == encoded.payload[:start]
    after = unpack_tokens(received.encoded.payload[start:], sizes, 40)
    expected, last = [], np.zeros(len(sizes), dtype=int)
    for frame in range(40):
        last = last if received.lost[frame] else tokens[:, frame]
        expected.append(last)
    assert np.array_equal(after, np.stack(expected, axis=1))
    assert received.damaged == np.count_nonzero(received.lost)
    assert received.of == 40


def test_frames_of_a_codec_without_codebooks_are_its_bits() -> None:
    codec = synbench_codecs.load("g722")
    wave = np.sin(np.arange(16000) / 9).astype(np.float32) / 2
    encoded = codec.encode(wave, 16000)  # type: ignore[union-attr]
    if codec.info.bits_per_frame is None:
        with pytest.raises(NotApplicable, match="declares no frames"):
            lose_frames(encoded, np.ones(50, bool), info=codec.info)
        return
    none = lose_frames(encoded, np.zeros(50, bool), info=codec.info)
    assert none.encoded == encoded


def test_tokens_become_others_at_the_rate() -> None:
    tokens = np.random.default_rng(6).integers(0, 4, (2, 20_000))
    received = replace_tokens(
        coded(tokens, (4, 4)), rate=0.1, info=info((4, 4)), draw=np.random.default_rng(7)
    )
    after = unpack_tokens(received.encoded.payload, (4, 4), 20_000)
    assert np.mean(after != tokens) == pytest.approx(0.1, rel=0.05)
    assert received.damaged == np.count_nonzero(after != tokens)
    # Every other token is as likely: three of them.
    shifts = np.bincount(((after - tokens) % 4)[after != tokens], minlength=4)[1:]
    assert shifts / shifts.sum() == pytest.approx(np.full(3, 1 / 3), abs=0.03)


def test_last_books_are_dropped_and_their_bits_not_counted() -> None:
    sizes = (1024, 1024, 1024)
    tokens = np.random.default_rng(8).integers(0, 1024, (3, 50))
    encoded = coded(tokens, sizes)
    kept = info((1024,), spec="toy:books=1")
    received = without_last_books(encoded, info=info(sizes), kept=kept)
    assert received.encoded.payload_bits == 500
    assert received.encoded.spec == "toy:books=1"
    assert np.array_equal(unpack_tokens(received.encoded.payload, (1024,), 50), tokens[:1])
    with pytest.raises(NotApplicable, match="does not decode the first books"):
        without_last_books(encoded, info=info(sizes), kept=info((512,)))
