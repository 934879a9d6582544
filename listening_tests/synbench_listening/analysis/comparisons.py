"""Comparison grades (ccr, CMOS) by pair: is either side better at all?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synbench_listening.analysis.result_table import ResultColumn, ResultTable
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.correction import Correction, correct
from synbench_listening.statistics.intervals import mean_interval
from synbench_listening.statistics.paired import paired_t

__all__ = ["comparison_table"]


def comparison_table(ratings: Sequence[Rating], *, correction: Correction = "holm") -> ResultTable:
    """A row per pair: the mean grade of the first relative to the second, over listeners."""
    groups: dict[tuple[str, str], dict[str, list[float]]] = {}
    for rating in ratings:
        pair = groups.setdefault((rating.condition, rating.versus), {})
        pair.setdefault(rating.listener, []).append(rating.score)
    rows: list[dict[str, object]] = []
    for (first, second), of_listeners in sorted(groups.items()):
        means = np.array([np.mean(scores) for scores in of_listeners.values()])
        interval = mean_interval(means)
        t, p = paired_t(means)
        rows.append(
            {
                "first": first,
                "second": second,
                "mean": interval.mean,
                "low": interval.low,
                "high": interval.high,
                "t_listeners": t,
                "p_listeners": p,
                "listeners": len(means),
                "ratings": sum(map(len, of_listeners.values())),
            }
        )
    corrected = correct([float(str(row["p_listeners"])) for row in rows], correction)
    for row, p_corrected in zip(rows, corrected, strict=True):
        row["p_corrected"] = p_corrected
    return ResultTable(
        name="comparisons",
        title="Comparisons: grades of the first relative to the second, -3 to 3",
        columns=(
            ResultColumn(name="first", label="First"),
            ResultColumn(name="second", label="Second"),
            ResultColumn(name="mean", label="CMOS", decimals=2),
            ResultColumn(name="low", label="Low", decimals=2),
            ResultColumn(name="high", label="High", decimals=2),
            ResultColumn(name="t_listeners", label="t", decimals=2),
            ResultColumn(name="p_listeners", label="p", p=True),
            ResultColumn(name="p_corrected", label="p corr.", p=True),
            ResultColumn(name="listeners", label="Listeners", decimals=0),
            ResultColumn(name="ratings", label="Ratings", decimals=0),
        ),
        rows=tuple(rows),
        notes=(
            "t-tests of listener means against 0, 95 % intervals over listeners; "
            f"p corrected over all pairs by {correction.capitalize()}",
            "a p above 0.05 does not show that two are equal",
        ),
    )
