"""Screening by what the sessions themselves show: checks that were failed, whatever the test.

``synbench listen export`` writes ``sessions.csv`` with a verdict on every session. Who is paid is
a question of its own (column ``pay``); here it is ``use`` that counts.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synbench.errors import UsageError
from synbench_listening.analysis.result_table import ResultColumn, ResultTable
from synbench_listening.answers.ratings import Rating

COLUMNS = ("session", "use", "reasons")
TEXTS = {
    "unfinished": "did not come to the end",
    "attention": "attention checks answered wrongly",
    "trap": "traps not noticed",
    "headphones": "headphone check failed",
    "environment": "surroundings too loud for a faint noise",
    "digits": "digits in noise not understood",
    "bandwidth": "bandwidth check failed",
    "ears": "sounds on one ear not heard",
    "gold": "more than 20 % of gold trials wrong",
    "span": "one and the same answer all the time",
}

__all__ = ["SessionScreening", "read_sessions", "screen_sessions", "sessions_table"]


@dataclass(frozen=True, kw_only=True)
class SessionScreening:
    """What is kept, and the rows of the sessions that are not used."""

    kept: tuple[Rating, ...]
    unused: tuple[Mapping[str, str], ...]
    sessions: int


def read_sessions(path: Path) -> list[dict[str, str]]:
    """The rows of a ``sessions.csv``.

    Raises:
        UsageError: it cannot be read, or an earlier export wrote it, without verdicts.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    missing = [name for name in COLUMNS if rows and name not in rows[0]]
    if missing:
        raise UsageError(
            f"{path} lacks the columns {', '.join(missing)}: export the study again, "
            "or leave screening out with --no-screen"
        )
    return rows


def screen_sessions(
    ratings: Sequence[Rating], sessions: Sequence[Mapping[str, str]]
) -> SessionScreening:
    """Leave out the ratings of sessions that are not to be used.

    Sessions that simulated listeners made are used like any other: their tables are marked.
    """
    rated = {rating.session for rating in ratings}
    mine = [row for row in sessions if row["session"] in rated]
    unused = tuple(row for row in mine if row["use"] != "yes")
    out = {row["session"] for row in unused}
    return SessionScreening(
        kept=tuple(rating for rating in ratings if rating.session not in out),
        unused=unused,
        sessions=len(mine),
    )


def sessions_table(screening: SessionScreening) -> ResultTable:
    """Which sessions are not used, and why."""
    rows = [
        {
            "session": row["session"],
            "listener": row.get("listener") or "",
            "check": reason,
            "why": TEXTS.get(reason, reason),
            "passed": _count(row.get(f"{reason}_passed")),
            "of": _count(row.get(f"{reason}_of")),
        }
        for row in screening.unused
        for reason in (row["reasons"].split() or ["unfinished"])
    ]
    return ResultTable(
        name="session_screening",
        title=f"Checks: {len(screening.unused)} of {screening.sessions} sessions are not used",
        columns=(
            ResultColumn(name="session", label="Session"),
            ResultColumn(name="listener", label="Listener"),
            ResultColumn(name="check", label="Check"),
            ResultColumn(name="why", label="Why"),
            ResultColumn(name="passed", label="Passed", decimals=0),
            ResultColumn(name="of", label="Of", decimals=0),
        ),
        rows=tuple(rows),
        notes=("who is to be paid is another question: see the column pay of sessions.csv",),
    )


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
