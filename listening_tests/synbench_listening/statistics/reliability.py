"""Do listeners agree with themselves, and with each other?

References
    L. Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45,
        1989.
    K. Krippendorff, "Content analysis", 4th ed., 2019, chapter 12 (interval data).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.listener_table import Floats

__all__ = ["Repeats", "concordance", "krippendorff_alpha", "listener_alpha", "repeats"]


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """One listener's two ratings of the same things.

    Attributes:
        spread: standard deviation within the listener, from the differences.
    """

    listener: str
    pairs: int
    concordance: float
    spread: float


def concordance(first: Floats, second: Floats) -> float:
    """Lin's coefficient: 1 where both are equal, less for scatter, shift and scale."""
    if len(first) < 2:
        return float("nan")
    covariance = float(((first - first.mean()) * (second - second.mean())).mean())
    scale = float(first.var() + second.var() + (first.mean() - second.mean()) ** 2)
    return 2 * covariance / scale if scale else float("nan")


def krippendorff_alpha(values: Floats) -> float:
    """Alpha for interval data.

    Args:
        values: shape ``(listener, thing rated)``, NaN where a listener did not rate it.
    """
    known = np.isfinite(values)
    paired = known.sum(axis=0) >= 2
    values, known = values[:, paired], known[:, paired]
    total = int(known.sum())
    if total < 2:
        return float("nan")
    filled = np.where(known, values, 0.0)
    counts = known.sum(axis=0)
    # Sum of squared differences over all ordered pairs = 2 n sum(x^2) - 2 sum(x)^2.
    within = 2 * counts * (filled**2).sum(axis=0) - 2 * filled.sum(axis=0) ** 2
    observed = float((within / (counts - 1)).sum()) / total
    everything = 2 * total * float((filled**2).sum()) - 2 * float(filled.sum()) ** 2
    expected = everything / (total * (total - 1))
    return 1 - observed / expected if expected > 1e-12 else float("nan")


def listener_alpha(ratings: Sequence[Rating]) -> float:
    """Agreement of listeners on items and conditions, replicates averaged."""
    cells: dict[tuple[str, str, str], list[float]] = {}
    for rating in ratings:
        key = (rating.listener, rating.item, rating.condition)
        cells.setdefault(key, []).append(rating.score)
    listeners = sorted({key[0] for key in cells})
    things = sorted({key[1:] for key in cells})
    row = {name: index for index, name in enumerate(listeners)}
    column = {name: index for index, name in enumerate(things)}
    values = np.full((len(listeners), len(things)), np.nan)
    for key, scores in cells.items():
        values[row[key[0]], column[key[1:]]] = np.mean(scores)
    return krippendorff_alpha(values)


def repeats(ratings: Sequence[Rating]) -> list[Repeats]:
    """Self-agreement of each listener who met an item twice."""
    seen: dict[tuple[str, str, str], dict[int, float]] = {}
    for rating in ratings:
        key = (rating.listener, rating.item, rating.condition)
        seen.setdefault(key, {})[rating.replicate] = rating.score
    pairs: dict[str, list[tuple[float, float]]] = {}
    for (listener, _, _), scores in seen.items():
        if 0 in scores and 1 in scores:
            pairs.setdefault(listener, []).append((scores[0], scores[1]))
    repeated = []
    for listener in sorted(pairs):
        both = np.array(pairs[listener])
        difference = both[:, 0] - both[:, 1]
        repeated.append(
            Repeats(
                listener=listener,
                pairs=len(both),
                concordance=concordance(both[:, 0], both[:, 1]),
                spread=float((difference**2).mean() / 2) ** 0.5,
            )
        )
    return repeated
