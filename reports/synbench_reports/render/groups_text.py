"""Groups of items as text: the numbers of each, and the worst one named.

speech, MOS by gender (female 6, male 6 items)
codec   female        male          worst
Alpha   3.50 ± 0.80   1.50 ± 0.80   male
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from synbench.errors import UsageError
from synbench_reports.boards.breakdown import MOST_SHOWN, breakdowns
from synbench_reports.boards.combine import Board
from synbench_reports.render.layout import ABSENT_VALUE, number_text
from synbench_reports.tables.columns import metric_column
from synbench_reports.tables.table import Column

GROUPINGS = ("gender", "language", "accent", "length", "speaker")

__all__ = ["GROUPINGS", "groups_text"]


def groups_text(board: Board, by: str) -> Iterator[str]:
    """The lines of one corpus.

    Args:
        by: one of :data:`GROUPINGS`.

    Raises:
        UsageError: its items cannot be grouped so.
    """
    records = {record["by"]: record for record in breakdowns(board)}
    if by not in records:
        known = f"it has groups by {', '.join(records)}" if records else "it has no groups at all"
        raise UsageError(
            f"{board.corpus.name}: fewer than two groups of items by {by}; {known}. Gender, "
            "language and accent come from the corpus, or from these columns of a manifest"
        )
    record = records[by]
    groups: Sequence[Mapping[str, Any]] = record["groups"]
    sizes = ", ".join(f"{group['name']} {group['items']}" for group in groups[:MOST_SHOWN])
    counted = f"{sizes} items" if len(groups) <= MOST_SHOWN else f"{len(groups)} groups"
    for metric_index, metric in enumerate(board.planned.metrics):
        scores = [one for one in record["scores"] if one["metric"] == metric_index]
        if not scores:
            continue
        column = metric_column(metric)
        unit = " in %" if column.is_share else ""
        if len(groups) <= MOST_SHOWN:
            head = ["codec", *(str(group["name"]) for group in groups), "worst"]
            rows = [
                [
                    board.planned.codecs[one["codec"]].label,
                    *(
                        _with_half(column, mean, low, high)
                        for mean, low, high in zip(
                            one["means"], one["low"], one["high"], strict=True
                        )
                    ),
                    str(groups[one["worst"]]["name"]),
                ]
                for one in scores
            ]
        else:
            head = ["codec", "worst", "", "best", ""]
            rows = [
                [
                    board.planned.codecs[one["codec"]].label,
                    *(
                        text
                        for end in ("worst", "best")
                        for text in (
                            str(groups[one[end]]["name"]),
                            number_text(one[f"{end}_mean"], column),
                        )
                    ),
                ]
                for one in scores
            ]
        yield f"\n{board.corpus.name}, {metric.label}{unit} by {by} ({counted})"
        yield from _aligned([head, *rows])


def _with_half(column: Column, mean: float | None, low: float | None, high: float | None) -> str:
    if mean is None:
        return ABSENT_VALUE
    half = "" if low is None or high is None else f" ± {number_text((high - low) / 2, column)}"
    return f"{number_text(mean, column)}{half}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
