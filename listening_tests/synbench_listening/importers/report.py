"""What an import made of a file: rows read, kept, repaired, refused with reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from synbench_listening.answers.ratings import Rating

__all__ = ["Imported", "Refusal"]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One row that was left out."""

    source: str
    row: int
    reason: str


@dataclass
class Imported:
    """Ratings and the account of how they came about."""

    ratings: list[Rating] = field(default_factory=list)
    read: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, source: str, row: int, reason: str) -> None:
        """Leave a row out, and say why."""
        self.refusals.append(Refusal(source=source, row=row, reason=reason))

    def extend(self, other: Imported) -> None:
        """Add what another file gave."""
        self.ratings += other.ratings
        self.read += other.read
        self.refusals += other.refusals
        self.notes += [note for note in other.notes if note not in self.notes]


def number_trials(ratings: Iterable[Rating]) -> list[Rating]:
    """Number the trials of each session by first appearance, and positions within each trial.

    Rows of other tools stand in the order of presentation, which nothing else records. The kinds
    of test are numbered apart, since they come from separate files.
    """
    trials: dict[tuple[str, str], dict[str, int]] = {}
    positions: dict[tuple[str, str, str], int] = {}
    numbered = []
    for rating in ratings:
        seen = trials.setdefault((rating.session, rating.test), {})
        trial = seen.setdefault(rating.item, len(seen) + 1)
        key = (rating.session, rating.test, rating.item)
        position = positions.get(key, -1) + 1
        positions[key] = position
        numbered.append(replace(rating, trial=trial, position=position))
    return numbered
