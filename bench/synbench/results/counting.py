"""Which stored row of a cell counts: the one rule, in SQL, for everything that reads a run.

A cell is what a row was made from: item samples, codec, policy and, of a score, the metric. Of
several rows of one cell the highest attempt counts, whatever the clocks said. Rows of a version
that did not count attempts have none and come before all others; among equals the last written
counts. What follows then only makes the choice a fixed one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synbench.results.rows import COLUMNS, Stage

_DECODE_CELL = ("corpus", "item", "item_digest", "codec_id", "policy_id")
CELL: Mapping[Stage, tuple[str, ...]] = {
    "decodes": _DECODE_CELL,
    "scores": (*_DECODE_CELL, "metric_id"),
}
_FIRST_COUNTS: Mapping[Stage, str] = {
    "decodes": "coalesce(attempt, 0) DESC, written DESC, status DESC, reason",
    "scores": "coalesce(attempt, 0) DESC, written DESC, status DESC, value, reason",
}
_KINDS = {
    "string": "VARCHAR",
    "bool_": "BOOLEAN",
    "float64": "DOUBLE",
    "binary": "BLOB",
    "int32": "INTEGER",
    "int64": "BIGINT",
}

__all__ = ["CELL", "counting", "stored"]


def counting(stage: Stage, cell: Sequence[str] = ()) -> str:
    """The ``QUALIFY`` clause that leaves the row which counts of every cell.

    Args:
        cell: columns that tell cells apart; those of :data:`CELL` where not given.
    """
    apart = ", ".join(cell or CELL[stage])
    return f"QUALIFY row_number() OVER (PARTITION BY {apart} ORDER BY {_FIRST_COUNTS[stage]}) = 1"


def stored(stage: Stage, *, files: bool) -> str:
    """All rows of a stage as a table expression, whatever the version that wrote them.

    Args:
        files: whether there are any; their paths are then the parameter ``$files``.
    """
    fields = ", ".join(f"NULL::{_KINDS[kind]} AS {name}" for name, kind in COLUMNS[stage].items())
    none = f"SELECT {fields} WHERE false"
    if not files:
        return f"({none})"
    # Files of an older version lack the columns that came later.
    every = "SELECT * FROM read_parquet($files, union_by_name = true)"
    return f"({every} UNION ALL BY NAME {none})"
