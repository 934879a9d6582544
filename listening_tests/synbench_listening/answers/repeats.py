"""The same answer twice: a session sent twice, or a table joined with another copy of itself.

A rating is known again by study, listener, session, test, item, condition, other side and
replicate.

equal          the same score and answer again: counted once
unequal        another score: the first counts, as the listener gave it before sending again
new session    the same listener in another session: a replicate, and numbered as one

A design that lets listeners rate an item twice numbers those answers in the column ``replicate``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from synbench_listening.answers.ratings import Rating, read_ratings

SHOWN_REPEATS = 3

__all__ = ["Distinct", "distinct_ratings", "read_distinct_ratings"]


@dataclass
class Distinct:
    """Ratings without repeats, and what became of those.

    Attributes:
        kept: in their order.
        equal: how many were there before with the same answer, and were left out.
        unequal: the first answer and the later one that was left out.
        renumbered: how many were given in another session, and were numbered as replicates.
    """

    kept: list[Rating] = field(default_factory=list)
    equal: int = 0
    unequal: list[tuple[Rating, Rating]] = field(default_factory=list)
    renumbered: int = 0

    def notes(self) -> list[str]:
        """What has to be said about it, a sentence each; nothing where nothing was there twice."""
        notes = []
        if self.equal:
            notes.append(f"{_count(self.equal)} there twice with the same score: counted once")
        if self.unequal:
            shown = [
                f"{_name(first)} {first.score:g}, then {later.score:g}"
                for first, later in self.unequal[:SHOWN_REPEATS]
            ]
            more = ", ..." if len(self.unequal) > SHOWN_REPEATS else ""
            notes.append(
                f"{_count(len(self.unequal))} there twice with another score: the first counts "
                f"({'; '.join(shown)}{more}). If items were meant to be rated twice, number the "
                f"answers from 0 in a column 'replicate'"
            )
        if self.renumbered:
            notes.append(
                f"{_count(self.renumbered)} given again in another session of the same listener: "
                f"kept and numbered as replicates"
            )
        return notes


def _count(number: int) -> str:
    return f"{number} ratings are" if number > 1 else "1 rating is"


def _name(rating: Rating) -> str:
    return " ".join(filter(None, (rating.listener, rating.item, rating.condition)))


def distinct_ratings(ratings: Iterable[Rating]) -> Distinct:
    """Every rating once."""
    done = Distinct()
    # What was rated -> session and replicate as written -> the rating that counts.
    known: dict[tuple[str, ...], dict[tuple[str, int], Rating]] = {}
    for rating in ratings:
        key = (rating.study, rating.version, rating.listener, rating.test)
        thing = known.setdefault((*key, rating.item, rating.condition, rating.versus), {})
        first = thing.get((rating.session, rating.replicate))
        if first is None:
            taken = {kept.replicate for kept in thing.values()}
            number = next(n for n in count(rating.replicate) if n not in taken)
            done.renumbered += number != rating.replicate
            thing[rating.session, rating.replicate] = replace(rating, replicate=number)
            done.kept.append(thing[rating.session, rating.replicate])
        elif (first.score, first.answer) == (rating.score, rating.answer):
            done.equal += 1
        else:
            done.unequal.append((first, rating))
    return done


def read_distinct_ratings(path: Path) -> Distinct:
    """A table of ratings, every rating once.

    Raises:
        UsageError: as :func:`~synbench_listening.answers.ratings.read_ratings`.
    """
    return distinct_ratings(read_ratings(path))
