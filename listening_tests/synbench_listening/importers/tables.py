"""Plain tables: one row per rating under any header, and one row per stimulus with lists."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synbench.errors import UsageError
from synbench_base.text_table import TextTable, parse_number, read_table
from synbench_listening.answers.ratings import Rating, check_score
from synbench_listening.importers.report import Imported, number_trials

# Names that columns are known to have, in lower case, by what they hold.
USUAL_NAMES = {
    "listener": ("listener", "who", "participant", "participant_id", "subject", "assessor"),
    "item": ("item", "trial", "signal", "stimulus", "trial_id"),
    "condition": ("condition", "cond", "system", "codec", "rating_stimulus"),
    "score": ("score", "rating", "ratingscore", "rating_score"),
    "study": ("study", "testname", "test_id"),
    "replicate": ("replicate", "repeat", "repetition"),
}
LISTS = {
    "listener": ("participant_ids", "listeners"),
    "score": ("ratings", "scores"),
    "item": USUAL_NAMES["item"],
    "condition": USUAL_NAMES["condition"],
}

__all__ = ["read_list_table", "read_plain_table"]


def read_plain_table(path: Path, *, columns: Mapping[str, str], test: str) -> Imported:
    """One rating per row.

    Args:
        columns: what a column holds (listener, item, condition, score, study, replicate) to its
            name, where the usual names do not tell.
        test: kind of the test, such as mushra.
    """
    table = read_table(path)
    needed = ("listener", "item", "condition", "score")
    names = _columns(path, table, USUAL_NAMES, columns, needed=needed)
    done = Imported(read=len(table.rows))
    for row in table.rows:
        _add(done, path.name, row.line, {key: row.cells[name] for key, name in names.items()}, test)
    _refuse_ragged(done, path.name, table)
    done.ratings = number_trials(done.ratings)
    return done


def read_list_table(path: Path, *, columns: Mapping[str, str], test: str) -> Imported:
    """One row per item and condition, with a list of scores and a list of their listeners."""
    table = read_table(path)
    names = _columns(path, table, LISTS, columns, needed=tuple(LISTS))
    done = Imported()
    for number, row in ((row.line, row.cells) for row in table.rows):
        try:
            listeners = ast.literal_eval(row[names["listener"]])
            scores = ast.literal_eval(row[names["score"]])
        except (ValueError, SyntaxError):
            done.read += 1
            done.refuse(path.name, number, "expected two lists such as [1, 2]")
            continue
        done.read += len(scores)
        if len(listeners) != len(scores):
            done.refuse(path.name, number, f"{len(scores)} scores of {len(listeners)} listeners")
            continue
        for listener, score in zip(listeners, scores, strict=True):
            values = {
                "listener": str(listener),
                "score": str(score),
                "item": row[names["item"]],
                "condition": row[names["condition"]],
            }
            _add(done, path.name, number, values, test)
    _refuse_ragged(done, path.name, table)
    done.notes.append(f"{path.name}: the order of presentation is not recorded")
    return done


def _add(done: Imported, source: str, number: int, values: Mapping[str, Any], test: str) -> None:
    try:
        score = check_score(test, parse_number(values["score"]))
        replicate = int(str(values.get("replicate", "")).strip() or 0)
    except ValueError as error:
        done.refuse(source, number, str(error))
        return
    rest = {key: str(value).strip() for key, value in values.items() if key != "score"}
    if empty := [key for key in ("listener", "item", "condition") if not rest[key]]:
        done.refuse(source, number, f"no {', '.join(empty)}")
        return
    done.ratings.append(
        Rating(
            study=rest.get("study", ""),
            session=rest["listener"],
            listener=rest["listener"],
            test=test,
            item=rest["item"],
            condition=rest["condition"],
            score=score,
            replicate=replicate,
        )
    )


def _refuse_ragged(done: Imported, source: str, table: TextTable) -> None:
    for ragged in table.ragged:
        done.read += 1
        done.refuse(source, ragged.line, str(ragged))


def _columns(
    path: Path,
    table: TextTable,
    usual: Mapping[str, tuple[str, ...]],
    given: Mapping[str, str],
    *,
    needed: tuple[str, ...],
) -> dict[str, str]:
    header = table.columns
    lower = {name.lower(): name for name in header if name}
    columns = {}
    for what, names in usual.items():
        wanted = given.get(what)
        if wanted is not None and wanted not in header:
            raise UsageError(f"{path} has no column {wanted!r}; it has: {', '.join(header)}")
        name = wanted or next((lower[name] for name in names if name in lower), None)
        if name is not None:
            columns[what] = name
    if missing := [what for what in needed if what not in columns]:
        raise UsageError(
            f"{path}: no column is known to hold the {', the '.join(missing)}; name it, such as "
            f"--column {missing[0]}=NAME. The columns are: {', '.join(header)}"
        )
    return columns
