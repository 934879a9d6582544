"""Numbers as text with fixed decimals: the one rule of tables, figures and LaTeX.

A half goes up, away from zero, as in papers and in what readers do by hand: 81.05 becomes 81.1.
Python's own formatting rounds the binary number, which for 81.05 lies a little below, to 81.0. The
value is first taken to twelve significant digits, since a mean that is 81.05 may be stored as
81.04999999999998.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

SIGNIFICANT_DIGITS = 12

__all__ = ["fixed", "is_share", "percent"]


def fixed(value: float, decimals: int, *, sign: bool = False) -> str:
    """The number with so many digits behind the point.

    >>> fixed(81.05, 1), fixed(2.675, 2), fixed(-0.04, 1), fixed(0.25, 1, sign=True)
    ('81.1', '2.68', '0.0', '+0.3')

    Args:
        decimals: 0 or more.
        sign: whether a plus stands before what is not negative.
    """
    if not math.isfinite(value):
        return f"{value:+}" if sign else f"{value}"
    named = Decimal(f"{value:.{SIGNIFICANT_DIGITS}g}")
    rounded = named.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    # Adding zero turns a rounded minus zero into zero.
    return f"{rounded + 0:{'+' if sign else ''}.{decimals}f}"


def percent(share: float, decimals: int = 0, *, sign: bool = False) -> str:
    """A share of 1 in percent, rounded likewise.

    >>> percent(0.0545, 1), percent(0.125), percent(0.0005, 1, sign=True)
    ('5.5%', '13%', '+0.1%')

    Args:
        decimals, sign: as in :func:`fixed`.
    """
    return f"{fixed(100 * share, decimals, sign=sign)}%"


def is_share(pooling: str, unit: str) -> bool:
    """Whether a metric of this pooling and unit is an error rate, which is printed in per cent."""
    return pooling == "weighted_mean" and not unit
