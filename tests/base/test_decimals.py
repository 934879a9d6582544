"""Numbers as text: halves go up, as readers round by hand."""

from __future__ import annotations

import pytest

from synbench_base.decimals import fixed


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (81.05, 1, "81.1"),
        (81.04999999999998, 1, "81.1"),  # (81.0 + 81.1) / 2 in other orders of adding
        (81.0499, 1, "81.0"),
        (0.125, 2, "0.13"),
        (0.5, 0, "1"),
        (1.5, 0, "2"),
        (-2.675, 2, "-2.68"),
        (-0.004, 2, "0.00"),
        (1e-9, 3, "0.000"),
        (1536.0, 0, "1536"),
        (9.995, 2, "10.00"),
        (float("nan"), 2, "nan"),
    ],
)
def test_a_half_goes_away_from_zero(value: float, decimals: int, text: str) -> None:
    assert fixed(value, decimals) == text


def test_a_sign_is_kept_but_for_what_is_zero() -> None:
    assert [fixed(value, 1, sign=True) for value in (0.25, -0.25, -0.01)] == [
        "+0.3",
        "-0.3",
        "+0.0",
    ]
