"""Find out what a file is, and read it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from synbench.errors import UsageError
from synbench_base.folders import visible_files
from synbench_base.text_table import read_table, table_text
from synbench_listening.answers.ratings import COLUMNS, Rating, read_ratings
from synbench_listening.answers.repeats import distinct_ratings
from synbench_listening.importers.mushra_xml import read_mushra_xml
from synbench_listening.importers.pymushra import (
    is_pymushra_csv,
    read_pymushra_csv,
    read_pymushra_database,
)
from synbench_listening.importers.report import Imported, number_trials
from synbench_listening.importers.tables import LISTS, read_list_table, read_plain_table
from synbench_listening.importers.webmushra_csv import (
    is_webmushra,
    read_webmushra_csv,
    read_webmushra_folder,
)
from synbench_listening.importers.webmushra_session import PREFIX, parse_body, read_session

__all__ = ["item_from_pattern", "once", "read_any"]


def read_any(
    path: Path,
    *,
    listener: str | None = None,
    columns: Mapping[str, str] | None = None,
    test: str = "mushra",
    names: Mapping[str, str] | None = None,
) -> Imported:
    """Read a result file, or a folder of them, whatever tool wrote it.

    Args:
        listener: column or question that tells who answered (webMUSHRA, pymushra).
        columns: names of columns of a plain table.
        test: kind of test of a plain table.
        names: conditions by another name (XML).

    Returns:
        Every rating once; of a session that was sent twice the notes say what was left out.

    Raises:
        UsageError: no known form, or one of its importers' errors.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist")
    done = _read(path, listener=listener, columns=columns or {}, test=test, names=names or {})
    return once(done)


def once(done: Imported) -> Imported:
    """The same with every rating once; what was there twice is said in the notes."""
    distinct = distinct_ratings(done.ratings)
    if notes := distinct.notes():
        # Trials and positions were counted with the repeats in between.
        own = any(rating.page is not None or rating.version for rating in distinct.kept)
        done.ratings = distinct.kept if own else number_trials(distinct.kept)
        done.notes += notes
    return done


def _read(
    path: Path,
    *,
    listener: str | None,
    columns: Mapping[str, str],
    test: str,
    names: Mapping[str, str],
) -> Imported:
    if path.is_dir():
        return _folder(path, listener, names)
    if path.suffix == ".xml":
        return read_mushra_xml(path, names=names)
    if path.suffix == ".parquet":
        return _ours(path)
    data = path.read_bytes()
    if path.suffix == ".json" or data.startswith((PREFIX, b"{", b"[")):
        return _json(path, data, listener)
    text = table_text(path)
    if is_webmushra(text):
        return read_webmushra_csv(path, listener=listener)
    if is_pymushra_csv(text):
        return read_pymushra_csv(path, listener=listener)
    header = {name.lower() for name in read_table(path).columns}
    if header.issuperset(COLUMNS[:5]):
        return _ours(path)
    if header.intersection(LISTS["listener"]):
        return read_list_table(path, columns=columns, test=test)
    return read_plain_table(path, columns=columns, test=test)


def item_from_pattern(ratings: Sequence[Rating], pattern: str) -> list[Rating]:
    """Take the item from a part of its name, and count repeats of it as replicates.

    Args:
        pattern: regular expression for the whole name; its first group is the item.

    Raises:
        UsageError: no regular expression, no group, or a name that it does not match.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--item {pattern!r} is no regular expression: {error}") from error
    if not compiled.groups:
        raise UsageError(f"--item {pattern!r} needs a group in brackets for the item's name")
    counts: dict[tuple[str, ...], int] = {}
    renamed = []
    for rating in ratings:
        match = compiled.fullmatch(rating.item)
        if match is None:
            raise UsageError(f"--item {pattern!r} does not match {rating.item!r}")
        key = (rating.session, rating.test, match[1], rating.condition, rating.versus)
        renamed.append(replace(rating, item=match[1], replicate=counts.get(key, 0)))
        counts[key] = counts.get(key, 0) + 1
    return renamed


def _ours(path: Path) -> Imported:
    ratings = read_ratings(path)
    return Imported(ratings=ratings, read=len(ratings))


def _folder(path: Path, listener: str | None, names: Mapping[str, str]) -> Imported:
    bodies = visible_files(path, (".bin", ".json"))
    if visible_files(path, (".csv",)):
        return read_webmushra_folder(path, listener=listener)
    done = Imported()
    known: dict[str, str] = {}
    for file in bodies:
        imported = _json(file, file.read_bytes(), listener)
        for session in {rating.session for rating in imported.ratings}:
            if known.setdefault(session, file.name) != file.name:
                imported.ratings = [
                    rating for rating in imported.ratings if rating.session != session
                ]
                reason = f"session {session} was already read from {known[session]}"
                imported.refuse(file.name, 0, reason)
        done.extend(imported)
    for file in visible_files(path, (".xml",)):
        done.extend(read_mushra_xml(file, names=names))
    if not done.read:
        raise UsageError(f"{path} holds no CSV, JSON or XML results")
    return done


def _json(path: Path, data: bytes, listener: str | None) -> Imported:
    try:
        content: Any = json.loads(data.removeprefix(PREFIX).decode("utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}") from error
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        return _ours(path)
    if isinstance(content, dict) and {"block", "version", "answers"} <= set(content):
        raise UsageError(
            f"{path} was answered offline: say which study it is of, with --study FOLDER"
        )
    if isinstance(content, dict) and isinstance(content.get("trials"), list):
        return read_session(parse_body(data), source=path.name, listener=listener)
    tables = content.values() if isinstance(content, dict) else ()
    if tables and all(_is_table(table) for table in tables):
        return read_pymushra_database(content, source=path.name, listener=listener)
    raise UsageError(
        f"{path}: expected a session of webMUSHRA, a database of pymushra, or a table of synbench"
    )


def _is_table(table: Any) -> bool:
    return isinstance(table, dict) and all(
        isinstance(trial, dict) and {"id", "type", "responses", "questionaire"} <= set(trial)
        for trial in table.values()
    )
