from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from synbench_codecs import _packing, pack_tokens, unpack_tokens
from synbench_codecs._packing import pack_bits, token_bits, unpack_bits
from synbench_codecs.errors import BitstreamError

Case = tuple[NDArray[np.int64], list[int]]


@st.composite
def cases(draw: st.DrawFn, powers_of_two: bool = False) -> Case:
    size = st.integers(0, 20).map(lambda bits: 2**bits) if powers_of_two else st.integers(1, 70000)
    sizes = draw(st.lists(size, min_size=1, max_size=5))
    n_frames = draw(st.integers(0, 40))
    seed = draw(st.integers(0, 2**32 - 1))
    tokens = np.random.default_rng(seed).integers(
        0, np.array(sizes)[:, None], (len(sizes), n_frames)
    )
    return tokens, sizes


@given(cases())
def test_round_trip(case: Case) -> None:
    tokens, sizes = case
    data, n_bits = pack_tokens(tokens, sizes)
    assert len(data) == math.ceil(n_bits / 8)
    np.testing.assert_array_equal(unpack_tokens(data, sizes, tokens.shape[1]), tokens)


@given(cases(powers_of_two=True))
def test_fast_path_gives_the_bytes_of_the_general_one(case: Case) -> None:
    tokens, sizes = case
    data = _packing._pack_powers_of_two(tokens, sizes)
    assert data == _packing._pack_mixed_radix(tokens, sizes)
    n_frames = tokens.shape[1]
    np.testing.assert_array_equal(_packing._unpack_powers_of_two(data, sizes, n_frames), tokens)
    np.testing.assert_array_equal(_packing._unpack_mixed_radix(data, sizes, n_frames), tokens)


@given(st.lists(st.integers(1, 100000), min_size=1, max_size=6), st.integers(0, 200))
def test_bits_are_the_least_that_hold_all_streams(sizes: list[int], n_frames: int) -> None:
    n_bits = token_bits(sizes, n_frames)
    streams = math.prod(sizes) ** n_frames
    assert Fraction(2) ** (n_bits - 1) < streams <= 2**n_bits
    assert n_bits == pytest.approx(n_frames * sum(math.log2(size) for size in sizes), abs=1.0001)


def test_bits_of_known_streams() -> None:
    assert token_bits([1024] * 8, 100) == 8000
    assert token_bits([3], 5) == math.ceil(5 * math.log2(3)) == 8
    assert token_bits([1], 1000) == 0


def test_layout_is_frame_by_frame_most_significant_bit_first() -> None:
    data, n_bits = pack_tokens(np.array([[1, 2], [3, 0]]), [4, 8])
    assert (data, n_bits) == (bytes([0b01_011_10_0, 0b00_000000]), 10)
    # Digits 2, 1 in base 3 and base 5: (2 * 5 + 1) of 15, in 4 bits.
    assert pack_tokens(np.array([[2], [1]]), [3, 5]) == (bytes([11 << 4]), 4)


@pytest.mark.parametrize("sizes", [[1000] * 8, [1024] * 8])
def test_a_minute_of_eight_books_comes_back(sizes: list[int]) -> None:
    tokens = np.random.default_rng(1).integers(0, sizes[0], (8, 60 * 75))
    data, _ = pack_tokens(tokens, sizes)
    np.testing.assert_array_equal(unpack_tokens(data, sizes, 60 * 75), tokens)


@pytest.mark.parametrize(
    ("tokens", "sizes", "message"),
    [
        (np.array([[4]]), [4], "codebook 0 holds 0 to 3, got 4 to 4"),
        (np.array([[0], [-1]]), [4, 5], "codebook 1 holds 0 to 4"),
        (np.array([[0.0]]), [4], "integer tokens"),
        (np.array([0]), [4], "shape"),
        (np.array([[0]]), [4, 4], "shape"),
        (np.array([[0]]), [0], "codebook sizes from 1"),
        (np.zeros((0, 3), dtype=np.int64), [], "codebook sizes from 1"),
        (np.array([[2**64 - 1]], dtype=np.uint64), [4], "codebook 0"),
    ],
)
def test_bad_tokens_are_refused(tokens: NDArray[np.int64], sizes: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack_tokens(tokens, sizes)


@pytest.mark.parametrize(
    ("data", "sizes", "n_frames"),
    [
        (b"", [4], 1),
        (b"\0\0", [4], 1),
        (b"\x01", [4], 1),  # a padding bit is set
        (b"\xff", [6, 6, 6], 1),  # 255 is above 6 * 6 * 6 - 1
    ],
)
def test_foreign_bytes_are_refused(data: bytes, sizes: list[int], n_frames: int) -> None:
    with pytest.raises(BitstreamError):
        unpack_tokens(data, sizes, n_frames)


@given(st.integers(1, 70), st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_frames_of_bits_come_back(bits: int, n_frames: int, seed: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 2, (n_frames, bits), dtype=np.uint8)
    frames = [np.packbits(row).tobytes() for row in rows]
    data = pack_bits(frames, bits)
    assert len(data) == math.ceil(bits * n_frames / 8)
    assert unpack_bits(data, bits, n_frames) == frames


def test_bad_frames_of_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="beyond its 4 bits"):
        pack_bits([b"\x0f"], 4)
    with pytest.raises(ValueError, match="frames of 1 bytes"):
        pack_bits([b"\x00\x00"], 4)
    with pytest.raises(BitstreamError, match="expected 1 payload bytes, got 2"):
        unpack_bits(b"\0\0", 4, 2)
