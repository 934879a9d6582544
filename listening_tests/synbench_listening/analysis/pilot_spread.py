"""What a pilot says about the spread of differences, for planning.

The differences of a pair of systems, per listener and item, are parted by an analysis of variance
into what listeners differ by and what is left. The median pair is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from synbench_listening.analysis.condition_roles import compared_conditions
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.power import spread_for_items

__all__ = ["PilotSpread", "pilot_spread"]


@dataclass(frozen=True, kw_only=True)
class PilotSpread:
    """Attributes: ``between`` listeners and ``within`` one listener's items, in points; items."""

    between: float
    within: float
    items: int

    def by_items(self) -> dict[int, float]:
        """Spread of listener means with as many items as now, twice, and four times as many."""
        return {
            count: spread_for_items(between=self.between, within=self.within, items=count)
            for count in (self.items, 2 * self.items, 4 * self.items)
        }


def pilot_spread(ratings: Sequence[Rating]) -> PilotSpread:
    """Estimate from the ratings of a pilot.

    Raises:
        ValueError: fewer than two systems, two listeners, or two items per listener.
    """
    conditions = compared_conditions(ratings)
    cells: dict[tuple[str, str, str], list[float]] = {}
    for rating in ratings:
        cells.setdefault((rating.condition, rating.listener, rating.item), []).append(rating.score)
    spreads = []
    for first, second in combinations(conditions, 2):
        people: dict[str, list[float]] = {}
        for (condition, listener, item), scores in cells.items():
            other = cells.get((second, listener, item))
            if condition == first and other is not None:
                people.setdefault(listener, []).append(float(np.mean(scores) - np.mean(other)))
        spread = _parted([np.array(values) for values in people.values() if len(values) > 1])
        if spread is not None:
            spreads.append(spread)
    if not spreads:
        raise ValueError("expected two systems that two listeners rated on two items each")
    spreads.sort(key=lambda spread: spread.by_items()[spread.items])
    return spreads[len(spreads) // 2]


def _parted(people: Sequence[np.ndarray]) -> PilotSpread | None:
    if len(people) < 2:
        return None
    items = round(float(np.mean([len(values) for values in people])))
    degrees = sum(len(values) - 1 for values in people)
    within = sum(float(((values - values.mean()) ** 2).sum()) for values in people) / degrees
    means = np.array([values.mean() for values in people])
    between = max(0.0, float(means.var(ddof=1)) - within / items)
    return PilotSpread(between=between**0.5, within=within**0.5, items=items)
