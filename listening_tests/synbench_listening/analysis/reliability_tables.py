"""How far listeners agree with each other and with themselves, and which ratings stand out."""

from __future__ import annotations

from collections.abc import Sequence

from synbench_listening.analysis.result_table import ResultTable
from synbench_listening.analysis.screen import flag_outliers
from synbench_listening.analysis.table_columns import make_table
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.reliability import listener_alpha, repeats

__all__ = ["outlier_tables", "reliability_table"]


def reliability_table(ratings: Sequence[Rating]) -> ResultTable:
    """Agreement between listeners, and of each with its own repeats."""
    alpha = listener_alpha(ratings)
    twice = repeats(ratings)
    notes = [f"agreement between listeners: Krippendorff's alpha (interval) {alpha:.3f}"]
    if not twice:
        notes.append("nobody rated an item twice: agreement with oneself is unknown")
    return make_table("reliability", "Reliability", [vars(entry) for entry in twice], *notes)


def outlier_tables(ratings: Sequence[Rating]) -> list[ResultTable]:
    """Ratings that stand out, where there are any."""
    flagged = flag_outliers(ratings)
    if not flagged:
        return []
    title = f"{len(flagged)} ratings outside the whiskers (flags; nothing was removed)"
    rows = [
        {
            "listener": outlier.rating.listener,
            "item": outlier.rating.item,
            "condition": outlier.rating.condition,
            "score": outlier.rating.score,
            "low": outlier.low,
            "high": outlier.high,
        }
        for outlier in flagged
    ]
    return [make_table("outliers", title, rows, detail=True)]
