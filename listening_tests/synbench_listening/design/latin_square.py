"""Balanced Latin squares (Williams 1949): orders in which no place and no neighbour is favoured."""

from __future__ import annotations

__all__ = ["balanced_orders"]


def balanced_orders(n: int) -> list[tuple[int, ...]]:
    """Orders of ``0 .. n-1``, one per row.

    Every number stands equally often in every place, and equally often right after every other
    number. An even ``n`` needs ``n`` rows; an odd one needs the square and its mirror, ``2n``.
    """
    if n < 1:
        raise ValueError(f"expected at least one thing to order, got {n}")
    if n == 1:
        return [(0,)]
    # 0, 1, n-1, 2, n-2, ...: its steps are all different modulo n.
    first = [0]
    for step in range(1, n):
        first.append((step + 1) // 2 if step % 2 else n - step // 2)
    square = [tuple((index + row) % n for index in first) for row in range(n)]
    return square if n % 2 == 0 else square + [row[::-1] for row in square]
