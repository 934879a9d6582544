from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synbench_codecs import Encoded, read_stream, write_stream
from synbench_codecs.errors import BitstreamError

STREAM = write_stream(
    Encoded(
        spec="opus:bitrate_bps=6000",
        payload=b"some payload",
        payload_bits=93,
        side_bits=5,
        n_samples=1234,
        sample_rate=16000,
        model_digest=b"12345678",
    )
)


@st.composite
def coded_waves(draw: st.DrawFn) -> Encoded:
    payload = draw(st.binary(max_size=50))
    payload_bits = draw(st.integers(0, 8 * len(payload)))
    return Encoded(
        spec=draw(st.text(st.characters(codec="utf-8"), max_size=30)),
        payload=payload,
        payload_bits=payload_bits,
        side_bits=draw(st.integers(0, payload_bits)),
        n_samples=draw(st.integers(1, 60_000)),
        sample_rate=draw(st.integers(1_000, 768_000)),
        model_digest=draw(st.binary(min_size=8, max_size=8)),
    )


@given(coded_waves())
def test_round_trip(encoded: Encoded) -> None:
    assert read_stream(write_stream(encoded)) == encoded


@given(st.integers(0, 8 * len(STREAM) - 1))
def test_every_flipped_bit_is_noticed(position: int) -> None:
    flipped = bytearray(STREAM)
    flipped[position // 8] ^= 1 << position % 8
    with pytest.raises(BitstreamError):
        read_stream(bytes(flipped))


@pytest.mark.parametrize("length", range(len(STREAM)))
def test_every_truncation_is_noticed(length: int) -> None:
    with pytest.raises(BitstreamError, match="truncated"):
        read_stream(STREAM[:length])


@given(st.binary(min_size=1, max_size=20))
def test_garbage_behind_the_stream_is_noticed(garbage: bytes) -> None:
    with pytest.raises(BitstreamError, match=f"{len(garbage)} bytes after the end"):
        read_stream(STREAM + garbage)


def test_each_fault_has_its_own_message() -> None:
    with pytest.raises(BitstreamError, match=r"not a \.syn stream: it starts with 52 49 46 46"):
        read_stream(b"RIFF" + STREAM[4:])
    with pytest.raises(BitstreamError, match="format version 2 is not supported"):
        read_stream(STREAM[:5] + b"\x02" + STREAM[6:])
    with pytest.raises(BitstreamError, match="corrupted"):
        read_stream(STREAM[:-1] + bytes([STREAM[-1] ^ 1]))


def test_more_bits_than_bytes_are_refused() -> None:
    body = STREAM[:26] + (8 * 12 + 1).to_bytes(8, "big") + STREAM[34:-4]
    with pytest.raises(BitstreamError, match="inconsistent"):
        read_stream(body + zlib.crc32(body).to_bytes(4, "big"))


def test_layout_is_the_documented_one() -> None:
    assert STREAM[:6] == b"\x93SYN\x00\x01"
    assert STREAM[6:14] == b"12345678"
    assert int.from_bytes(STREAM[14:18], "big") == 16000
    assert int.from_bytes(STREAM[18:26], "big") == 1234
    assert int.from_bytes(STREAM[26:34], "big") == 93
    assert int.from_bytes(STREAM[34:42], "big") == 5
    assert int.from_bytes(STREAM[42:50], "big") == 12
    assert int.from_bytes(STREAM[50:52], "big") == 21
    assert STREAM[52:-4] == b"opus:bitrate_bps=6000some payload"


def test_a_field_that_does_not_fit_is_refused() -> None:
    encoded = Encoded(spec="x" * 70000, payload=b"", payload_bits=0, n_samples=1, sample_rate=1)
    with pytest.raises(ValueError, match="does not fit"):
        write_stream(encoded)
    with pytest.raises(ValueError, match="model_digest must have 8 bytes"):
        Encoded(spec="", payload=b"", payload_bits=0, n_samples=1, sample_rate=1, model_digest=b"1")
