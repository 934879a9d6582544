"""How much faster tokens are packed than digit by digit into one big number."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from synbench_codecs import pack_tokens


def digit_by_digit(tokens: NDArray[np.int64], size: int) -> bytes:
    """The format's definition as a loop, for codebooks of one size."""
    number, rows = 0, tokens.T.ravel().tolist()
    for digit in rows:
        number = number * size + digit
    n_bits = (size ** len(rows) - 1).bit_length()
    return (number << -n_bits % 8).to_bytes(-(-n_bits // 8), "big")


@pytest.mark.benchmark
@pytest.mark.parametrize("size", [1000, 1024])
def test_packing_a_minute_of_eight_books(size: int, capsys: pytest.CaptureFixture[str]) -> None:
    tokens = np.random.default_rng(1).integers(0, size, (8, 60 * 75))
    start = time.process_time()
    expected = digit_by_digit(tokens, size)
    loop = time.process_time() - start
    start = time.process_time()
    packed, _ = pack_tokens(tokens, [size] * 8)
    ours = time.process_time() - start
    with capsys.disabled():
        print(f"\nbooks of {size}: loop {loop:.3f} s, ours {ours:.3f} s, ratio {loop / ours:.1f}")
    assert packed == expected
    assert loop > ours
