"""Means per listener and condition: what nearly every test here starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench_listening.answers.ratings import Rating

Floats = NDArray[np.float64]

__all__ = ["Floats", "ListenerTable", "listener_table"]


@dataclass(frozen=True, kw_only=True)
class ListenerTable:
    """Mean scores; NaN where a listener never met a condition.

    Attributes:
        values: shape ``(listener, condition)``.
    """

    listeners: tuple[str, ...]
    conditions: tuple[str, ...]
    values: Floats

    def complete(self) -> ListenerTable:
        """Only the listeners who rated every condition."""
        whole = np.isfinite(self.values).all(axis=1)
        return ListenerTable(
            listeners=tuple(np.array(self.listeners, dtype=object)[whole]),
            conditions=self.conditions,
            values=self.values[whole],
        )


def listener_table(
    ratings: Sequence[Rating], conditions: Sequence[str] | None = None
) -> ListenerTable:
    """Average each listener's scores of each condition, over items and replicates.

    Args:
        conditions: these, in this order; all that occur, by falling mean, if absent.
    """
    if conditions is None:
        conditions = by_falling_mean(ratings)
    listeners = sorted({rating.listener for rating in ratings})
    rows = {name: index for index, name in enumerate(listeners)}
    columns = {name: index for index, name in enumerate(conditions)}
    sums = np.zeros((len(listeners), len(conditions)))
    counts = np.zeros_like(sums)
    for rating in ratings:
        if rating.condition in columns:
            cell = rows[rating.listener], columns[rating.condition]
            sums[cell] += rating.score
            counts[cell] += 1
    values = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return ListenerTable(listeners=tuple(listeners), conditions=tuple(conditions), values=values)


def by_falling_mean(ratings: Sequence[Rating]) -> tuple[str, ...]:
    """All conditions, the one with the highest mean score first."""
    scores: dict[str, list[float]] = {}
    for rating in ratings:
        scores.setdefault(rating.condition, []).append(rating.score)
    return tuple(sorted(scores, key=lambda name: (-float(np.mean(scores[name])), name)))
