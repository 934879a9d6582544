"""Ratings of a listening test beside the scores of a run: the arrays that agreement is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.close_names import suggestion
from synbench_base.errors import UsageError
from synbench_base.text_table import TextRow, parse_number, read_table

if TYPE_CHECKING:
    import pandas

Floats = NDArray[np.float64]

# What listening tests call their columns; the first found is taken.
NAMES = {
    "item": ("item", "item_id", "signal", "utterance"),
    "condition": ("condition", "codec", "system", "cond", "label"),
    "listener": ("listener", "listener_id", "participant", "who", "subject"),
    "score": ("score", "rating", "mos", "grade"),
}

__all__ = ["Ratings", "metric_table", "read_ratings"]


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """Ratings by listener, item and condition, NaN where there is none."""

    listeners: tuple[str, ...]
    items: tuple[str, ...]
    conditions: tuple[str, ...]
    scores: Floats


def read_ratings(path: Path) -> Ratings:
    """Read a CSV or TSV with one rating per row; a listener column may be absent.

    Several ratings of one listener for one stimulus count as their mean.

    Raises:
        UsageError: a column is absent, a score is no number, or a row does not fit the header.
    """
    table = read_table(path)
    columns = {part: _column(part, table.columns, path) for part in NAMES}
    rows = table.whole()
    keys = {
        part: tuple(dict.fromkeys(row.cells[column] if column else "all" for row in rows))
        for part, column in columns.items()
        if part != "score"
    }
    indices = {part: {name: at for at, name in enumerate(names)} for part, names in keys.items()}
    shape = tuple(len(keys[part]) for part in ("listener", "item", "condition"))
    sums, counts = np.zeros(shape), np.zeros(shape)
    for row in rows:
        at = tuple(
            indices[part][row.cells[columns[part]] if columns[part] else "all"]
            for part in ("listener", "item", "condition")
        )
        sums[at] += _score(row, columns["score"], path)
        counts[at] += 1
    with np.errstate(invalid="ignore"):
        scores = sums / counts
    return Ratings(
        listeners=keys["listener"],
        items=keys["item"],
        conditions=keys["condition"],
        scores=scores,
    )


def metric_table(
    frame: pandas.DataFrame, column: str, items: Sequence[str], conditions: Sequence[str]
) -> Floats:
    """Values (I, C) of one metric, turned so that more is better."""
    rows: Any = frame[frame["metric"] == column]
    table = rows.pivot_table(index="item", columns="codec", values="value", aggfunc="mean")
    values: Floats = table.reindex(index=list(items), columns=list(conditions)).to_numpy(float)
    return -values if (rows["direction"] == "down").any() else values


def _column(part: str, columns: Sequence[str], path: Path) -> str:
    known = {name.lower(): name for name in columns}
    column = next((known[name] for name in NAMES[part] if name in known), "")
    if not column and part != "listener":
        hint = suggestion(part, list(columns), f"it has {', '.join(columns)}")
        raise UsageError(f"{path} has no column {' or '.join(NAMES[part])}; {hint}")
    return column


def _score(row: TextRow, column: str, path: Path) -> float:
    try:
        return parse_number(row.cells[column])
    except ValueError as error:
        raise UsageError(
            f"{path}, line {row.line}: {column} must be a number, got {row.cells[column]!r}"
        ) from error
