"""How many items and trials a difference takes; listeners are counted by the paired t-test.

Listener means over m items vary by sqrt(between^2 + within^2 / m): more items help until the
differences between listeners are all that is left.
"""

from __future__ import annotations

from synbench.statistics.power import MOST_UNITS
from synbench_listening.statistics.identification import binomial_p, correct_needed

# Spread of paired listener differences on a real codec test of eight items per listener.
TYPICAL_SD = {"small": 5.6, "median": 10.9, "large": 19.9}
# Power saw-tooths in the number of trials: it has to hold for so many more.
TRIALS_IN_A_ROW = 8

__all__ = [
    "TYPICAL_SD",
    "spread_for_items",
    "trial_power",
    "trials_needed",
]


def spread_for_items(*, between: float, within: float, items: int) -> float:
    """Standard deviation of differences of listener means over so many items.

    Args:
        between: of listeners' true differences.
        within: of a single item's difference about its listener's.
    """
    return float((between**2 + within**2 / items) ** 0.5)


def trial_power(n: int, rate: float, *, alpha: float = 0.05, chance: float = 0.5) -> float:
    """Power of the one-sided exact binomial test at a true rate."""
    needed = correct_needed(n, alpha=alpha, chance=chance)
    return 0.0 if needed is None else binomial_p(needed, n, rate)


def trials_needed(rate: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Fewest abx trials from which the power holds, for eight numbers of trials in a row.

    Raises:
        ValueError: the rate is not above one half.
    """
    if not 0.5 < rate <= 1:
        raise ValueError(f"expected a true rate above 0.5, got {rate}")
    held = 0
    for n in range(1, MOST_UNITS):
        held = held + 1 if trial_power(n, rate, alpha=alpha) >= power else 0
        if held == TRIALS_IN_A_ROW:
            return n - TRIALS_IN_A_ROW + 1
    raise ValueError(f"a true rate of {rate:g} takes more than {MOST_UNITS} trials")
