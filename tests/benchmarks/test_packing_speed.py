"""How much faster tokens are packed and unpacked than digit by digit in one big number."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from synbench_codecs import pack_tokens, unpack_tokens


def packed_by_digit(digits: list[int], size: int) -> bytes:
    """The format's definition as a loop, for codebooks of one size."""
    number = 0
    for digit in digits:
        number = number * size + digit
    n_bits = (size ** len(digits) - 1).bit_length()
    return (number << -n_bits % 8).to_bytes(-(-n_bits // 8), "big")


def unpacked_by_digit(packed: bytes, size: int, count: int) -> list[int]:
    n_bits = (size**count - 1).bit_length()
    number, digits = int.from_bytes(packed, "big") >> -n_bits % 8, []
    for _ in range(count):
        number, digit = divmod(number, size)
        digits.append(digit)
    return digits[::-1]


@pytest.mark.benchmark
@pytest.mark.parametrize("size", [1000, 1024])
def test_a_minute_of_eight_books(size: int, capsys: pytest.CaptureFixture[str]) -> None:
    tokens: NDArray[np.int64] = np.random.default_rng(1).integers(0, size, (8, 60 * 75))
    digits = tokens.T.ravel().tolist()
    start = time.process_time()
    expected = packed_by_digit(digits, size)
    assert unpacked_by_digit(expected, size, len(digits)) == digits
    loop = time.process_time() - start
    start = time.process_time()
    packed, _ = pack_tokens(tokens, [size] * 8)
    unpacked = unpack_tokens(packed, [size] * 8, tokens.shape[1])
    ours = time.process_time() - start
    with capsys.disabled():
        print(f"\nbooks of {size}: loop {loop:.3f} s, ours {ours:.3f} s, ratio {loop / ours:.1f}")
    assert packed == expected
    np.testing.assert_array_equal(unpacked, tokens)
    assert loop > 3 * ours
