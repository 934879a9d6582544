"""Plain tables: one row per rating under any header, and one row per stimulus with lists."""

from __future__ import annotations

import ast
import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synbench.errors import UsageError
from synbench_listening.answers.ratings import Rating
from synbench_listening.importers.report import Imported, number_trials

# Names that columns are known to have, in lower case, by what they hold.
USUAL = {
    "listener": ("listener", "who", "participant", "participant_id", "subject", "assessor"),
    "item": ("item", "trial", "signal", "stimulus", "trial_id"),
    "condition": ("condition", "cond", "system", "codec", "rating_stimulus"),
    "score": ("score", "rating", "ratingscore", "rating_score"),
    "study": ("study", "testname", "test_id"),
}
LISTS = {
    "listener": ("participant_ids", "listeners"),
    "score": ("ratings", "scores"),
    "item": USUAL["item"],
    "condition": USUAL["condition"],
}

__all__ = ["read_list_table", "read_plain_table"]


def read_plain_table(path: Path, *, columns: Mapping[str, str], test: str) -> Imported:
    """One rating per row.

    Args:
        columns: what a column holds (listener, item, condition, score, study) to its name, where
            the usual names do not tell.
        test: kind of the test, such as mushra.
    """
    rows = _rows(path)
    names = _columns(path, rows, USUAL, columns, needed=("listener", "item", "condition", "score"))
    done = Imported(read=len(rows))
    for number, row in enumerate(rows, 2):
        _add(done, path.name, number, {key: row[name] for key, name in names.items()}, test)
    done.ratings = number_trials(done.ratings)
    return done


def read_list_table(path: Path, *, columns: Mapping[str, str], test: str) -> Imported:
    """One row per item and condition, with a list of scores and a list of their listeners."""
    rows = _rows(path)
    names = _columns(path, rows, LISTS, columns, needed=tuple(LISTS))
    done = Imported()
    for number, row in enumerate(rows, 2):
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
    done.notes.append(f"{path.name}: the order of presentation is not recorded")
    return done


def _add(done: Imported, source: str, number: int, values: Mapping[str, Any], test: str) -> None:
    try:
        score = float(values["score"])
        if not math.isfinite(score):
            raise ValueError
    except ValueError:
        done.refuse(source, number, f"score {values['score']!r} is no number")
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
        )
    )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def _columns(
    path: Path,
    rows: list[dict[str, str]],
    usual: Mapping[str, tuple[str, ...]],
    given: Mapping[str, str],
    *,
    needed: tuple[str, ...],
) -> dict[str, str]:
    header = list(rows[0]) if rows else []
    lower = {name.lower(): name for name in header if name}
    found = {}
    for what, names in usual.items():
        wanted = given.get(what)
        if wanted is not None and wanted not in header:
            raise UsageError(f"{path} has no column {wanted!r}; it has: {', '.join(header)}")
        name = wanted or next((lower[name] for name in names if name in lower), None)
        if name is not None:
            found[what] = name
    if missing := [what for what in needed if what not in found]:
        raise UsageError(
            f"{path}: no column is known to hold the {', the '.join(missing)}; name it, such as "
            f"--column {missing[0]}=NAME. The columns are: {', '.join(header)}"
        )
    return found
