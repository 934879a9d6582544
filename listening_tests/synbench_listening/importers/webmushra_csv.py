"""CSV files of webMUSHRA's collector, in the shapes that are really found.

A file is known by its last columns, which are fixed; what stands before them is the questionnaire,
which differs by test. Survived: no session_uuid (mushra.csv before July 2022, and all other kinds
to this day), a header glued to the first row, rows written under the header of an older
questionnaire, ``NA``, decimals, line breaks inside quoted cells, numbers padded with spaces.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synbench.errors import UsageError
from synbench_base.folders import visible_files
from synbench_base.text_table import table_text
from synbench_listening.answers.ratings import Rating
from synbench_listening.importers.report import Imported, number_trials
from synbench_listening.importers.responses import Unusable, score_fields

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# A questionnaire column of one of these names tells who is who.
LISTENER_NAMES = ("listener", "listener_id", "vp_id", "participant", "subject", "assessor")

__all__ = ["is_webmushra", "read_webmushra_csv", "read_webmushra_folder"]


@dataclass(frozen=True)
class _Kind:
    page: str
    tail: tuple[str, ...]
    # Column of the file -> name in the session JSON.
    names: Mapping[str, str]
    time: str
    has_uuid: bool = False


_MUSHRA = ("trial_id", "rating_stimulus", "rating_score", "rating_time", "rating_comment")
_MUSHRA_NAMES = {"rating_stimulus": "stimulus", "rating_score": "score"}
KINDS = (
    _Kind("mushra", ("session_uuid", *_MUSHRA), _MUSHRA_NAMES, "rating_time", has_uuid=True),
    _Kind("mushra", _MUSHRA, _MUSHRA_NAMES, "rating_time"),
    _Kind(
        "paired_comparison",
        (
            "trial_id",
            "choice_reference",
            "choice_non_reference",
            "choice_answer",
            "choice_time",
            "choice_comment",
        ),
        {
            "choice_reference": "reference",
            "choice_non_reference": "nonReference",
            "choice_answer": "answer",
        },
        "choice_time",
    ),
    _Kind(
        "bs1116",
        (
            "trial_id",
            "rating_reference",
            "rating_non_reference",
            "rating_reference_score",
            "rating_non_reference_score",
            "rating_time",
            "choice_comment",
        ),
        {
            "rating_reference": "reference",
            "rating_non_reference": "nonReference",
            "rating_reference_score": "referenceScore",
            "rating_non_reference_score": "nonReferenceScore",
        },
        "rating_time",
    ),
    _Kind(
        "likert_single_stimulus",
        ("trial_id", "stimuli_rating", "stimuli", "rating_time"),
        {"stimuli_rating": "stimulusRating", "stimuli": "stimulus"},
        "rating_time",
    ),
)


@dataclass(frozen=True)
class _Line:
    source: str
    number: int
    study: str
    questionnaire: Mapping[str, str] | None
    values: Mapping[str, str]
    kind: _Kind


def is_webmushra(text: str) -> bool:
    """Whether a file begins like one of webMUSHRA's."""
    return text.lstrip("\ufeff").startswith(("session_test_id,", '"session_test_id",'))


def read_webmushra_folder(folder: Path, *, listener: str | None = None) -> Imported:
    """All CSV files of one results folder; listeners are the same person in all of them.

    Files without uuid get it from mushra.csv where the questionnaire tells the listener.
    """
    paths = visible_files(folder, (".csv",))
    if not paths:
        raise UsageError(f"{folder} holds no CSV files")
    return _import([(path.name, _text(path)) for path in paths], listener)


def read_webmushra_csv(path: Path, *, listener: str | None = None) -> Imported:
    """One CSV file.

    Args:
        listener: the column that tells who answered, if no usual name does.

    Raises:
        UsageError: not a file of webMUSHRA, or the column is not there.
    """
    return _import([(path.name, _text(path))], listener)


def _text(path: Path) -> str:
    return table_text(path)


def _import(files: Sequence[tuple[str, str]], listener: str | None) -> Imported:
    done = Imported()
    lines = [line for name, text in files for line in _lines(name, text, done)]
    people = _Listeners(lines, listener, done)
    ratings: list[Rating] = []
    seen: set[tuple[str, ...]] = set()
    for line in lines:
        session, who = people.of(line)
        if not who:
            reason = "nothing tells the listener: the row is from another questionnaire"
            done.refuse(line.source, line.number, reason)
            continue
        response = {name: line.values[column] for column, name in line.kind.names.items()}
        try:
            scores = score_fields(line.kind.page, response)
        except Unusable as error:
            done.refuse(line.source, line.number, str(error))
            continue
        for fields in scores:
            trial = session, fields["test"], line.values["trial_id"], fields["condition"]
            key = (*trial, fields.get("versus", ""))
            if key in seen:
                done.refuse(line.source, line.number, "this listener already rated it in this file")
                continue
            seen.add(key)
            ratings.append(
                Rating(
                    study=line.study,
                    session=session,
                    listener=who,
                    item=line.values["trial_id"],
                    total_ms=_milliseconds(line.values[line.kind.time]),
                    comment=line.values.get("choice_comment", ""),
                    **fields,
                )
            )
    done.ratings = number_trials(ratings)
    return done


def _lines(name: str, text: str, done: Imported) -> list[_Line]:
    """The rows of one file, each with its kind and questionnaire."""
    text, glued = _unglued(text)
    if glued:
        done.notes.append(f"{name}: the header was glued to the first row; parted")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UsageError(f"{name} is damaged CSV: {error}") from error
    header = [cell.strip() for cell in rows[0]] if rows else []
    kind = next((kind for kind in KINDS if tuple(header[-len(kind.tail) :]) == kind.tail), None)
    if kind is None or header[0] != "session_test_id":
        done.notes.append(f"{name}: no kind of webMUSHRA file that holds ratings; left out")
        return []
    questions = header[1 : -len(kind.tail)]
    lines, repaired = [], 0
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        done.read += 1
        if len(row) <= len(kind.tail):
            done.refuse(name, number, f"{len(row)} cells, expected {len(header)}")
            continue
        tail = dict(zip(kind.tail, row[-len(kind.tail) :], strict=True))
        answers: dict[str, str] | None = dict(
            zip(questions, row[1 : -len(kind.tail)], strict=False)
        )
        if len(row) != len(header):
            if not _fits(tail, kind):
                reason = f"{len(row)} cells, expected {len(header)}, and no way to tell which"
                done.refuse(name, number, reason)
                continue
            answers, repaired = None, repaired + 1
        lines.append(_Line(name, number, row[0], answers, tail, kind))
    if repaired:
        done.notes.append(
            f"{name}: {repaired} rows of another questionnaire than the header's; "
            "their ratings were read from the end of the row"
        )
    return lines


def _unglued(text: str) -> tuple[str, bool]:
    """Put back the line break that is missing between header and first row."""
    first, _, _ = text.partition("\n")
    for last in ("rating_comment", "choice_comment", "stimuli,rating_time"):
        index = first.find(last)
        if index >= 0:
            end = index + len(last)
            if first[end:].strip('" \r'):
                return f"{text[:end]}\n{text[end:]}", True
            return text, False
    return text, False


def _fits(tail: Mapping[str, str], kind: _Kind) -> bool:
    """Whether the last cells of a ragged row look like what their columns should hold."""
    time = tail[kind.time].strip()
    uuid = not kind.has_uuid or UUID.fullmatch(tail["session_uuid"].strip()) is not None
    return time.isdigit() and bool(tail["trial_id"].strip()) and uuid


def _milliseconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class _Listeners:
    """Who gave a row: a named column, else the session's uuid, else the whole questionnaire."""

    def __init__(self, lines: Sequence[_Line], wanted: str | None, done: Imported) -> None:
        names = {name for line in lines for name in line.questionnaire or ()}
        if wanted is not None and wanted not in names:
            raise UsageError(
                f"no column {wanted!r} among the questionnaire's: {', '.join(sorted(names))}"
            )
        usual = (name for name in LISTENER_NAMES if name in names)
        self._column = wanted or next(usual, None)
        self._codes: dict[tuple[str, ...], str] = {}
        self._uuids: dict[tuple[str, ...], set[str]] = {}
        self._people: dict[str, str] = {}
        for line in lines:
            uuid = line.values.get("session_uuid")
            if uuid and line.questionnaire is not None:
                answers = tuple(line.questionnaire.values())
                self._uuids.setdefault(answers, set()).add(uuid)
                if self._column:
                    self._people[uuid] = line.questionnaire.get(self._column, "")
        if not self._column and any("session_uuid" not in line.values for line in lines):
            done.notes.append(
                "some files hold no session id: listeners were told apart by all their answers "
                "to the questionnaire; two with equal answers would be taken for one"
            )

    def of(self, line: _Line) -> tuple[str, str]:
        """Session and listener of a row; empty where nothing tells them."""
        uuid = line.values.get("session_uuid", "")
        if line.questionnaire is None:
            return uuid, self._people.get(uuid, uuid)
        answers = tuple(line.questionnaire.values())
        known = self._uuids.get(answers, set())
        if not uuid and len(known) == 1:
            uuid = next(iter(known))
        if self._column:
            who = line.questionnaire.get(self._column, "").strip()
            return uuid or who, who
        if uuid:
            return uuid, uuid
        code = self._codes.setdefault(answers, f"P{len(self._codes) + 1:02d}")
        return code, code
