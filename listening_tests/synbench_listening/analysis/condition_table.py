"""Scores of a rated test per condition, and what to doubt about them."""

from __future__ import annotations

from collections.abc import Sequence

from synbench_listening.analysis.condition_roles import role_of
from synbench_listening.analysis.rated_options import Options
from synbench_listening.analysis.rated_rows import IntervalKind, Row, condition_rows
from synbench_listening.analysis.result_table import ResultTable
from synbench_listening.analysis.table_columns import make_table
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.distribution import BIMODAL_COEFFICIENT
from synbench_listening.statistics.intervals import FEW_LISTENERS

MEANINGS: dict[IntervalKind, str] = {
    "listeners": "95 % interval: Student's t over listener means",
    "bootstrap": "95 % interval: BCa bootstrap over listener means",
    "pooled": "95 % interval over pooled ratings, as if each were another listener's: too narrow",
}
# Said beside everything that counts listeners alone.
ITEMS_GIVEN = "over listeners: items are taken as given, nothing is said of other items"

__all__ = ["ITEMS_GIVEN", "MEANINGS", "condition_table", "shown_test"]


def shown_test(test: str) -> str:
    """A kind of test, as tables name it."""
    shown = {
        "bs1116": "bs1116 (object minus hidden reference)",
        "transcription": "transcription (words understood, %)",
    }
    return shown.get(test, test)


def condition_table(
    test: str, ratings: Sequence[Rating], options: Options, *, name: str
) -> ResultTable:
    """Scores per condition, before or after screening."""
    rows = [
        row | {"test": test, "role": role_of(row["condition"], options)}
        for row in condition_rows(ratings, options.interval)
    ]
    when = "before screening" if name.endswith("before_screening") else "as analysed"
    return make_table(
        name,
        f"Scores of {shown_test(test)} per condition, {when}",
        rows,
        MEANINGS[options.interval],
        ITEMS_GIVEN,
        *_doubts(test, rows),
        columns_of="conditions",
    )


def _doubts(test: str, rows: list[Row]) -> list[str]:
    doubts = []
    listeners = max(row["listeners"] for row in rows)
    if listeners < FEW_LISTENERS:
        doubts.append(f"only {listeners} listeners: see also --interval bootstrap")
    two = [row["condition"] for row in rows if row["bimodality"] > BIMODAL_COEFFICIENT]
    if two:
        doubts.append(f"two groups of listeners? bimodality above 5/9: {', '.join(two)}")
    if test == "mushra":
        high = sum(row["mean"] >= 80 for row in rows)
        if len(rows) > 3 and high * 2 > len(rows):
            doubts.append("most conditions lie between 80 and 100: MUSHRA is too coarse for them")
    return doubts
