"""How many speakers or listeners a difference takes, and what N of them could have seen.

All by a two-sided paired t-test on one difference for each speaker or listener, a unit; equality
by two one-sided ones. ``corrected`` means the t-test corrected for skewness, which tables and
comparisons of codecs make; listening tests make Student's.

References
    J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd edition, 1988.
    K. Phillips, "Power of the two one-sided tests procedure in bioequivalence", J. Pharmacokinet.
        Biopharm. 18 (2), 1990.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

from synbench.statistics.corrected_power import (
    MOST_SIMULATED_UNITS,
    corrected_equality_power,
    corrected_power,
)
from synbench.statistics.multiplicity import SIGNIFICANCE
from synbench.statistics.noncentral_t import LEAST_DF, two_sided_power

MOST_UNITS = 100_000
TARGET_POWER = 0.8
# Far beyond the error of a simulated power.
SURELY_LESS = 0.02
NEAR = 3

__all__ = [
    "MOST_UNITS",
    "TARGET_POWER",
    "equality_power",
    "paired_power",
    "paired_sample_size",
    "smallest_detectable",
    "units_for_equality",
    "units_needed",
]


def paired_power(effect: float, n: int, *, alpha: float = SIGNIFICANCE) -> float:
    """Power of a two-sided paired t-test.

    Args:
        effect: difference over the standard deviation of differences.
        n: units.
    """
    if n > LEAST_DF:
        return two_sided_power(abs(effect) * n**0.5, n - 1, alpha=alpha)
    # Not scipy.stats, whose import takes longer than a table of a million scores may.
    from scipy.special import nctdtr, stdtrit

    if n < 2:
        return 0.0
    quantile = float(stdtrit(n - 1, 1 - alpha / 2))
    shift = abs(effect) * n**0.5
    upper = 1 - float(nctdtr(n - 1, shift, quantile))
    lower = float(nctdtr(n - 1, shift, -quantile))
    # The far tail is below what the distribution can be computed to, and comes out as NaN.
    return upper + (lower if lower == lower else 0.0)


def paired_sample_size(
    effect: float, *, power: float = TARGET_POWER, alpha: float = SIGNIFICANCE
) -> float:
    """Units as a real number, for comparison with other programs; round up for use."""
    from scipy.optimize import brentq
    from scipy.special import stdtrit
    from scipy.stats import nct

    def lacking(n: float) -> float:
        quantile = float(stdtrit(n - 1, 1 - alpha / 2))
        return float(nct.sf(quantile, n - 1, abs(effect) * n**0.5)) - power

    return float(brentq(lacking, 2, MOST_UNITS))


def units_needed(
    difference: float,
    sd: float,
    *,
    power: float = TARGET_POWER,
    alpha: float = SIGNIFICANCE,
    corrected: bool = False,
) -> int:
    """Fewest units that show a difference with at least this power.

    Args:
        difference: of the means.
        sd: standard deviation of the differences of single units, in the same unit.
        corrected: see the module.

    Raises:
        ValueError: difference or sd is not positive, or more than 100 000 would be needed.
    """
    if not (difference > 0 and sd > 0 and 0 < power < 1 and 0 < alpha < 1):
        raise ValueError("expected a difference and sd above 0, power and alpha between 0 and 1")
    effect = difference / sd
    least = 2
    if corrected and paired_power(effect, MOST_SIMULATED_UNITS, alpha=alpha) < power - SURELY_LESS:
        least = MOST_SIMULATED_UNITS  # nor are fewer enough, for the corrected test has less power
    # By the normal distribution, and what Student's takes more.
    far = NormalDist().inv_cdf(1 - alpha / 2)
    guess = ((far + NormalDist().inv_cdf(power)) / effect) ** 2 + far**2 / 2
    units = _fewest(
        lambda n: _power(effect, n, alpha=alpha, corrected=corrected) >= power,
        least,
        round(min(guess, MOST_UNITS)),
    )
    if units is None:
        raise ValueError(f"a difference of {difference:g} takes more than {MOST_UNITS}")
    return units


def _power(effect: float, n: int, *, alpha: float, corrected: bool) -> float:
    if corrected and 2 <= n <= MOST_SIMULATED_UNITS:
        return corrected_power(effect, n, alpha=alpha)
    return paired_power(effect, n, alpha=alpha)


def equality_power(effect: float, n: int, *, alpha: float = SIGNIFICANCE) -> float:
    """Chance that two one-sided t-tests call equal what is equal.

    Args:
        effect: margin over the standard deviation of differences.
        n: units.
        alpha: of each of the tests.
    """
    from scipy.special import stdtrit
    from scipy.stats import nct

    if n < 2:
        return 0.0
    quantile = float(stdtrit(n - 1, 1 - alpha))
    # Each test fails with this chance; both at once would take a spread far beyond the margin.
    fails = float(nct.cdf(quantile, n - 1, effect * n**0.5))
    return max(0.0, 1 - 2 * fails)


def units_for_equality(
    margin: float,
    sd: float,
    *,
    power: float = TARGET_POWER,
    alpha: float = SIGNIFICANCE,
    corrected: bool = False,
) -> int:
    """Fewest units of which two equal systems are called equal with at least this power.

    Args:
        margin: largest difference that counts as equal.
        sd: standard deviation of the differences of single units, in the same unit.
        corrected: see the module.

    Raises:
        ValueError: margin or sd is not positive, or more than 100 000 would be needed.
    """
    if not (margin > 0 and sd > 0 and 0 < power < 1 and 0 < alpha < 1):
        raise ValueError("expected a margin and sd above 0, power and alpha between 0 and 1")

    def reached(n: int) -> float:
        simulated = corrected and 2 <= n <= MOST_SIMULATED_UNITS
        chance = corrected_equality_power if simulated else equality_power
        return chance(margin / sd, n, alpha=alpha)

    units = _fewest(lambda n: reached(n) >= power)
    if units is None:
        raise ValueError(f"a margin of {margin:g} takes more than {MOST_UNITS}")
    return units


def _fewest(enough: Callable[[int], bool], least: int = 2, guess: int = 0) -> int | None:
    """The fewest units that are enough, at least ``least``; ``None`` beyond the most there are.

    Args:
        guess: where the answer probably is; a wrong one costs two questions.
    """
    low, high = least, 4
    while high <= least:
        high *= 2
    near = range(guess - NEAR, guess + NEAR)
    if near.start > high and guess < MOST_UNITS // 2 and enough(near.stop):
        high = near.stop
        low = low if enough(near.start) else near.start
    while not enough(high):
        low, high = high, high * 2
        if high > MOST_UNITS:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def smallest_detectable(
    sd: float,
    n: int,
    *,
    power: float = TARGET_POWER,
    alpha: float = SIGNIFICANCE,
    corrected: bool = False,
) -> float:
    """True mean difference that the test finds with this power; NaN with fewer than two units.

    Args:
        sd: standard deviation of the differences of single units.
        n: units.
        alpha: of the test, after whatever correction.
        corrected: see the module.
    """
    if n < 2:
        return float("nan")
    low, high = 0.0, 1.0
    while _power(high, n, alpha=alpha, corrected=corrected) < power:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        reached = _power(middle, n, alpha=alpha, corrected=corrected)
        low, high = (middle, high) if reached < power else (low, middle)
    return float(high * sd)
