"""Comparison grades (ccr, CMOS) by pair: is either side better at all?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synbench.statistics.multiplicity import Correction, correct
from synbench.statistics.paired_tests import paired_t
from synbench_listening.analysis.result_table import ResultTable
from synbench_listening.analysis.table_columns import make_table
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.intervals import mean_interval

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
    return make_table(
        "comparisons",
        "Comparisons: grades of the first relative to the second, -3 to 3",
        rows,
        "t-tests of listener means against 0, 95 % intervals over listeners (items are taken as "
        f"given); p corrected over all pairs by {correction.capitalize()}",
        "a p above 0.05 does not show that two are equal",
    )
