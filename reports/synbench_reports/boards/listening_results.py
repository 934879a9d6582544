"""Results of listening tests for ``results.json`` and pages, as the analysis of a test wrote them.

The folder of ``synbench listen analyse --out`` holds ``report.json``: a list of tables, each with
its columns, rows and notes. Tables about single listeners are left out: what is published names
nobody, not even by a code.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synbench.errors import UsageError
from synbench_reports.figures.listening_scores import SCALES

ANALYSIS = "report.json"
# What says which kind of test it was, where no row does.
KINDS = {"preference": "ab", "comparisons": "ccr", "abx": "abx"}
TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")

__all__ = ["ANALYSIS", "named_folder", "read_listening"]

Record = dict[str, Any]


def named_folder(source: str) -> tuple[str, Path]:
    """Name and folder of ``[NAME=]FOLDER``; without a name a test is called like the folder."""
    name, sign, folder = source.partition("=")
    if not sign or Path(source).is_dir():
        return Path(source).resolve().name, Path(source)
    return name, Path(folder)


def read_listening(folder: Path, *, name: str) -> Record:
    """One test.

    Args:
        folder: what ``synbench listen analyse --out`` wrote.
        name: of the test.

    Raises:
        UsageError: there is no analysis in the folder, or it is damaged.
    """
    path = folder / ANALYSIS
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        tables = [_table(table) for table in report]
        simulated = any(bool(table.get("simulated")) for table in report)
    except FileNotFoundError as error:
        raise UsageError(
            f"{path} is absent: name the folder of synbench listen analyse RATINGS --out FOLDER"
        ) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no analysis of a listening test: {error!r}") from error
    shared = [table for table in tables if not _names_listeners(table)]
    if not shared:
        raise UsageError(f"{path} has no table that can be shown")
    test = _kind(shared)
    scale = SCALES.get(test)
    return {
        "name": name,
        "test": test,
        "simulated": simulated,
        "excluded": _excluded(tables),
        "axis": None
        if scale is None
        else {"label": scale.label, "low": scale.low, "high": scale.high, "zero": scale.zero},
        "tables": shared,
    }


def _table(table: Mapping[str, Any]) -> Record:
    if not TABLE_NAME.fullmatch(table["name"]):
        raise ValueError(f"a table is called {table['name']!r}")
    rows = [{str(key): _value(value) for key, value in row.items()} for row in table["rows"]]
    return {
        "name": table["name"],
        "title": str(table["title"]).removeprefix("[SIMULATED] "),
        "columns": [_column(column) for column in table.get("columns") or _plain_columns(rows)],
        "rows": rows,
        "notes": [str(note) for note in table["notes"]],
    }


def _column(column: Mapping[str, Any]) -> Record:
    decimals = column["decimals"]
    return {
        "name": str(column["name"]),
        "label": str(column["label"]),
        "decimals": None if decimals is None else int(decimals),
        "p": bool(column["p"]),
        "shown": bool(column["shown"]),
    }


def _plain_columns(rows: Sequence[Mapping[str, Any]]) -> list[Record]:
    """Columns of an analysis that does not describe its own."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [
        {
            "name": name,
            "label": name,
            "decimals": 2 if any(isinstance(row.get(name), float) for row in rows) else None,
            "p": name == "p" or name.startswith("p_"),
            "shown": True,
        }
        for name in names
    ]


def _value(value: Any) -> str | float | int | bool | None:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"expected a text or a number, got {value!r}")


def _names_listeners(table: Record) -> bool:
    return any(column["name"] == "listener" for column in table["columns"])


def _excluded(tables: Sequence[Record]) -> int:
    rows = [row for table in tables if table["name"] == "exclusions" for row in table["rows"]]
    return len({row.get("listener") for row in rows})


def _kind(tables: Sequence[Record]) -> str:
    for table in tables:
        for row in table["rows"]:
            if row.get("test") and table["name"] == "conditions":
                return str(row["test"])
    return next((KINDS[table["name"]] for table in tables if table["name"] in KINDS), "")
