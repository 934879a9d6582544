"""How many listeners, items and trials a difference takes.

Listener means over m items vary by sqrt(between^2 + within^2 / m): more items help until the
differences between listeners are all that is left.
"""

from __future__ import annotations

from synbench_listening.statistics.identification import binomial_p, correct_needed

# Spread of paired listener differences on a real codec test of eight items per listener.
TYPICAL_SD = {"small": 5.6, "median": 10.9, "large": 19.9}
MOST = 100_000
# Power saw-tooths in the number of trials: it has to hold for so many more.
RUN = 8

__all__ = [
    "TYPICAL_SD",
    "listeners_needed",
    "paired_power",
    "paired_sample_size",
    "spread_for_items",
    "trial_power",
    "trials_needed",
]


def paired_power(effect: float, n: int, *, alpha: float = 0.05) -> float:
    """Power of a two-sided paired t-test.

    Args:
        effect: difference over the standard deviation of differences.
        n: listeners.
    """
    from scipy.special import stdtrit
    from scipy.stats import nct

    if n < 2:
        return 0.0
    quantile = float(stdtrit(n - 1, 1 - alpha / 2))
    shift = abs(effect) * n**0.5
    upper = float(nct.sf(quantile, n - 1, shift))
    lower = float(nct.cdf(-quantile, n - 1, shift))
    # The far tail is below what the distribution can be computed to, and comes out as NaN.
    return upper + (lower if lower == lower else 0.0)


def paired_sample_size(effect: float, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Listeners as a real number, for comparison with other programs; round up for use."""
    from scipy.optimize import brentq
    from scipy.special import stdtrit
    from scipy.stats import nct

    def lacking(n: float) -> float:
        quantile = float(stdtrit(n - 1, 1 - alpha / 2))
        return float(nct.sf(quantile, n - 1, abs(effect) * n**0.5)) - power

    return float(brentq(lacking, 2, MOST))


def listeners_needed(
    difference: float, sd: float, *, power: float = 0.8, alpha: float = 0.05
) -> int:
    """Fewest listeners who show a difference with at least this power.

    Args:
        difference: in points of the scale.
        sd: standard deviation of the differences of listener means, in points.

    Raises:
        ValueError: difference or sd is not positive, or more than 100 000 would be needed.
    """
    if not (difference > 0 and sd > 0 and 0 < power < 1 and 0 < alpha < 1):
        raise ValueError("expected a difference and sd above 0, power and alpha between 0 and 1")
    effect = difference / sd
    low, high = 2, 4
    while paired_power(effect, high, alpha=alpha) < power:
        low, high = high, high * 2
        if high > MOST:
            raise ValueError(f"a difference of {difference:g} takes more than {MOST} listeners")
    while low < high:
        middle = (low + high) // 2
        if paired_power(effect, middle, alpha=alpha) >= power:
            high = middle
        else:
            low = middle + 1
    return low


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
    for n in range(1, MOST):
        held = held + 1 if trial_power(n, rate, alpha=alpha) >= power else 0
        if held == RUN:
            return n - RUN + 1
    raise ValueError(f"a true rate of {rate:g} takes more than {MOST} trials")
