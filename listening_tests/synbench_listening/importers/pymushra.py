"""Exports of pymushra: its CSV (``;``, columns in any order) and its TinyDB file.

pymushra gives every session a uuid of its own and casts each answer to a number where it can, so
that a code such as 0012 has lost its zeros: the importer cannot bring them back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synbench.errors import UsageError
from synbench_base.text_table import parse_table, table_text
from synbench_listening.importers.report import Imported
from synbench_listening.importers.webmushra_session import read_session

# Columns of the CSV; ``questionaire`` is spelt so.
RESPONSE, QUESTION, PAGE = "responses_", "questionaire_", "wm_"

__all__ = ["is_pymushra_csv", "read_pymushra_csv", "read_pymushra_database"]


def is_pymushra_csv(text: str) -> bool:
    """Whether the header is one of pymushra's."""
    first = text.lstrip("\ufeff").partition("\n")[0]
    return ";" in first and "wm_id" in first and RESPONSE in first


def read_pymushra_csv(path: Path, *, listener: str | None = None) -> Imported:
    """One exported CSV file.

    Raises:
        UsageError: columns that are needed are absent.
    """
    table = parse_table(table_text(path), name=str(path), delimiter=";")
    if missing := {"wm_id", "wm_type"} - set(table.columns):
        raise UsageError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    sessions: dict[str, dict[str, Any]] = {}
    for row in (line.cells for line in table.rows):
        participant = _part(row, QUESTION)
        key = participant.get("uuid") or json.dumps(participant, sort_keys=True)
        session = sessions.setdefault(key, _session(participant, row.get("wm_testId") or ""))
        trials: list[dict[str, Any]] = session["trials"]
        if not trials or trials[-1]["id"] != row["wm_id"]:
            trials.append({"id": row["wm_id"], "type": row["wm_type"], "responses": []})
        trials[-1]["responses"].append(_with_time(_part(row, RESPONSE)))
    done = _read_all(sessions, path.name, listener)
    for ragged in table.ragged:
        done.read += 1
        done.refuse(path.name, ragged.line, str(ragged))
    return done


def read_pymushra_database(
    content: Mapping[str, Any], *, source: str, listener: str | None
) -> Imported:
    """The content of a TinyDB file: tables by test, trials by number."""
    sessions: dict[str, dict[str, Any]] = {}
    for test, table in content.items():
        for trial in table.values():
            participant = {key: str(value) for key, value in trial["questionaire"].items()}
            key = f"{test} {participant.get('uuid') or json.dumps(participant, sort_keys=True)}"
            sessions.setdefault(key, _session(participant, test))["trials"].append(trial)
    return _read_all(sessions, source, listener)


def _session(participant: Mapping[str, str], test: str) -> dict[str, Any]:
    named = {"name": list(participant), "response": list(participant.values())}
    uuid = participant.get("uuid", "")
    return {"testId": test, "participant": named, "trials": [], "uuid": uuid}


def _read_all(
    sessions: Mapping[str, dict[str, Any]], source: str, listener: str | None
) -> Imported:
    done = Imported()
    for session in sessions.values():
        done.extend(read_session(session, source=source, listener=listener))
    return done


def _part(row: Mapping[str, str], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)
    }


def _with_time(response: dict[str, Any]) -> dict[str, Any]:
    try:
        return response | {"time": float(response.get("time") or "")}
    except ValueError:
        return response | {"time": None}
