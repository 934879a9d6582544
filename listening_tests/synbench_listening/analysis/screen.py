"""Post-screening of MUSHRA listeners by the two rules of BS.1534-3, and flags of outlying ratings.

Rule 1, hidden reference: who gives it less than 90 in more than 15 % of the items.
Rule 2, mid anchor: who gives it more than 90 in more than 15 % of the items; an item where more
than 25 % of the listeners do so does not count. Whether such an item also leaves the number of
items that the 15 % are taken of, the text does not say: here it does, unless told otherwise.

All shares are compared by whole numbers, so that exactly 15 % (3 of 20) is never more than 15 %.

Reference
    Recommendation ITU-R BS.1534-3 (10/2015), 4.1.2 and attachments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from synbench.errors import UsageError
from synbench_listening.answers.ratings import Rating

Rule = Literal["hidden_reference", "mid_anchor"]
REFERENCE_NAMES = ("reference", "hidden_reference", "orig", "ref")
MID_ANCHOR_NAMES = ("anchor70", "anchor_70", "anchor 7 khz", "anchor7000", "mid_anchor")
GOOD_SCORE = 90
LISTENER_PERCENT = 15
ITEM_PERCENT = 25
# Whiskers of the outlier flag, in interquartile ranges.
WHISKER_RANGES = 1.5

__all__ = [
    "Exclusion",
    "Outlier",
    "Screening",
    "excluded",
    "find_condition",
    "flag_outliers",
    "screen",
    "standard_quartiles",
    "waived",
]


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """One listener excluded by one rule, with the evidence."""

    listener: str
    rule: Rule
    failed: int
    of: int
    items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Screening:
    """What screening did.

    Attributes:
        kept: the ratings of all listeners who stay.
        applied: rules that could be applied: a test without mid anchor has no rule 2.
        waived_items: items that rule 2 passed over.
    """

    kept: tuple[Rating, ...]
    exclusions: tuple[Exclusion, ...]
    applied: tuple[Rule, ...]
    waived_items: tuple[str, ...]
    listeners: int

    @property
    def excluded_listeners(self) -> tuple[str, ...]:
        """Each excluded listener once, in order of name."""
        return tuple(sorted({exclusion.listener for exclusion in self.exclusions}))


@dataclass(frozen=True, kw_only=True)
class Outlier:
    """A rating outside the whiskers of its item and condition: a flag, no reason to remove it."""

    rating: Rating
    low: float
    high: float


def excluded(failed: int, of: int) -> bool:
    """Whether ``failed`` of ``of`` items are more than 15 %."""
    return 100 * failed > LISTENER_PERCENT * of


def waived(failed: int, of: int) -> bool:
    """Whether ``failed`` of ``of`` listeners are more than 25 %."""
    return 100 * failed > ITEM_PERCENT * of


def screen(
    ratings: Sequence[Rating],
    *,
    reference: str | None = None,
    mid_anchor: str | None = None,
    waived_items_count: bool = False,
) -> Screening:
    """Apply both rules to the MUSHRA ratings of a table.

    An item counts once per rating: a replicate is one more item for this purpose.

    Args:
        reference, mid_anchor: names of these conditions, where they are not the usual ones.
        waived_items_count: leave waived items in the number that the 15 % are taken of.

    Raises:
        UsageError: no MUSHRA ratings, or no condition of the name given.
    """
    rated = [rating for rating in ratings if rating.test == "mushra"]
    if not rated:
        raise UsageError("there are no ratings of kind mushra: BS.1534-3 screens only those")
    names = {rating.condition for rating in rated}
    hidden = find_condition(names, reference, REFERENCE_NAMES)
    anchor = find_condition(names, mid_anchor, MID_ANCHOR_NAMES)
    exclusions: list[Exclusion] = []
    waived_items: list[str] = []
    if hidden is not None:
        mine = [rating for rating in rated if rating.condition == hidden]
        exclusions += _exclusions(
            "hidden_reference", mine, lambda score: score < GOOD_SCORE, (), False
        )
    if anchor is not None:
        mine = [rating for rating in rated if rating.condition == anchor]
        waived_items = _waived(mine)
        exclusions += _exclusions(
            "mid_anchor", mine, lambda score: score > GOOD_SCORE, waived_items, waived_items_count
        )
    out = {exclusion.listener for exclusion in exclusions}
    applied: list[Rule] = ["hidden_reference"] if hidden is not None else []
    return Screening(
        kept=tuple(rating for rating in ratings if rating.listener not in out),
        exclusions=tuple(sorted(exclusions, key=lambda entry: (entry.listener, entry.rule))),
        applied=(*applied, *(("mid_anchor",) if anchor is not None else ())),
        waived_items=tuple(waived_items),
        listeners=len({rating.listener for rating in rated}),
    )


def find_condition(names: Iterable[str], given: str | None, usual: Sequence[str]) -> str | None:
    """The condition of a role: the one given, else one of the usual names, whatever its case."""
    names = sorted(names)
    if given is not None:
        if given not in names:
            raise UsageError(f"no condition {given!r}; there are: {', '.join(names)}")
        return given
    return next((name for name in names if name.strip().lower() in usual), None)


def standard_quartiles(values: Sequence[float]) -> tuple[float, float]:
    """First and third quartile as medians of the halves, which both hold the median if n is odd."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    half = (len(ordered) + 1) // 2
    return float(np.median(ordered[:half])), float(np.median(ordered[-half:]))


def flag_outliers(ratings: Sequence[Rating]) -> list[Outlier]:
    """Ratings outside Q1 - 1.5 IQR .. Q3 + 1.5 IQR of the same item and condition."""
    groups: dict[tuple[str, str], list[Rating]] = {}
    for rating in ratings:
        if rating.test == "mushra":
            groups.setdefault((rating.item, rating.condition), []).append(rating)
    outliers = []
    for group in groups.values():
        first, third = standard_quartiles([rating.score for rating in group])
        low, high = (
            first - WHISKER_RANGES * (third - first),
            third + WHISKER_RANGES * (third - first),
        )
        outliers += [
            Outlier(rating=rating, low=low, high=high)
            for rating in group
            if not low <= rating.score <= high
        ]
    return outliers


def _waived(ratings: Sequence[Rating]) -> list[str]:
    waived_items = []
    for item in sorted({rating.item for rating in ratings}):
        mine = [rating for rating in ratings if rating.item == item]
        listeners = {rating.listener for rating in mine}
        failing = {rating.listener for rating in mine if rating.score > GOOD_SCORE}
        if waived(len(failing), len(listeners)):
            waived_items.append(item)
    return waived_items


def _exclusions(
    rule: Rule,
    ratings: Sequence[Rating],
    fails: Callable[[float], bool],
    skipped: Sequence[str],
    skipped_count: bool,
) -> list[Exclusion]:
    exclusions = []
    for listener in sorted({rating.listener for rating in ratings}):
        mine = [rating for rating in ratings if rating.listener == listener]
        counted = [rating for rating in mine if rating.item not in skipped]
        failed = [rating.item for rating in counted if fails(rating.score)]
        of = len(mine) if skipped_count else len(counted)
        if excluded(len(failed), of):
            exclusions.append(
                Exclusion(
                    listener=listener, rule=rule, failed=len(failed), of=of, items=tuple(failed)
                )
            )
    return exclusions
