"""The long table: one row per answer of a listener, whatever tool collected it.

``score`` means, by ``test``:

==========  =========================================================================
mushra      0 to 100; mushra1s too
bs1116      1.0 to 5.0; one row for the object, one for the hidden reference
acr, dcr    1 to 5; effort too
likert      as the scale of the tool had it
ccr         -3 to 3, ``condition`` relative to ``versus``, the order of playing undone
abx         1 where X was identified, 0 where not (``undecided`` counts as not)
ab          1 for ``condition``, -1 for ``versus``, 0 for no preference
words       ``transcription``: percent of the words said that were understood
==========  =========================================================================

A score off its scale is refused by every importer. Files are CSV (UTF-8, every cell
as it is), Parquet or JSON, by their ending.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from synbench.errors import UsageError
from synbench_base.outputs import is_stream, write_output
from synbench_base.text_table import parse_number, read_table
from synbench_listening.answers.csv_text import csv_bytes

PAIRED_TESTS = frozenset({"abx", "ab", "ccr"})
ENDINGS = (".csv", ".json", ".parquet")
# Lowest and highest score of each test; likert has no scale of its own.
SCALES = {
    "mushra": (0.0, 100.0),
    "bs1116": (1.0, 5.0),
    "acr": (1.0, 5.0),
    "dcr": (1.0, 5.0),
    "ccr": (-3.0, 3.0),
    "mushra1s": (0.0, 100.0),
    "effort": (1.0, 5.0),
    "transcription": (0.0, 100.0),
    "abx": (0.0, 1.0),
    "ab": (-1.0, 1.0),
}

__all__ = [
    "COLUMNS",
    "PAIRED_TESTS",
    "SCALES",
    "Rating",
    "check_score",
    "encode_ratings",
    "rating_cells",
    "read_ratings",
    "write_ratings",
]


def check_score(test: str, score: float) -> float:
    """The score, if it is finite and on the scale of its test.

    Raises:
        ValueError: it is not; the message is the reason.
    """
    low, high = SCALES.get(test, (-math.inf, math.inf))
    if not math.isfinite(score):
        raise ValueError(f"score {score:g} is no number")
    if not low <= score <= high:
        raise ValueError(f"score {score:g} is outside {low:g} to {high:g} of {test}")
    return score


@dataclass(frozen=True, kw_only=True)
class Rating:
    """One answer.

    Attributes:
        study, version: the study and the digest of its key; the test's name from other tools.
        session: one sitting; ``listener`` is the person, as far as the tool tells.
        test: mushra, mushra1s, bs1116, acr, dcr, ccr, effort, transcription, abx, ab or likert.
        page: number of the page in the session, from 0, where the tool stores it.
        trial: place among the rated pages as presented, from 1.
        position: place of the stimulus on its page, from 0.
        versus: the other side of a comparison, empty elsewhere.
        answer: the words of a choice, such as ``undecided``; of a transcription test what was
            written down; empty elsewhere.
        first_touch_ms, total_ms: since the page was shown, in ms.
        n_plays, heard_s: times that it was started, and distinct seconds heard.
        replicate: 0 for the first time that the listener met the item, 1 for the second.
        item_condition: what was done to the item before it was coded, such as ``babble 5 dB``;
            empty for the recording as it is.
        words, word_errors: transcription: words said, and words wrong, missing or added.
        simulated: no human gave this answer.
    """

    study: str = ""
    version: str = ""
    session: str
    listener: str
    test: str
    page: int | None = None
    trial: int | None = None
    position: int | None = None
    item: str
    condition: str
    versus: str = ""
    score: float
    answer: str = ""
    first_touch_ms: float | None = None
    n_plays: int | None = None
    heard_s: float | None = None
    total_ms: float | None = None
    replicate: int = 0
    block: str = ""
    comment: str = ""
    simulated: bool = False
    item_condition: str = ""
    words: int | None = None
    word_errors: int | None = None


COLUMNS = tuple(field.name for field in fields(Rating))
_REQUIRED_COLUMNS = ("session", "listener", "test", "item", "condition", "score")
_WHOLE_NUMBERS = frozenset(
    {"page", "trial", "position", "n_plays", "replicate", "words", "word_errors"}
)
_REAL_NUMBERS = frozenset({"score", "first_touch_ms", "heard_s", "total_ms"})


def write_ratings(path: Path, ratings: Sequence[Rating]) -> None:
    """Write a table; the form is that of the file's ending.

    Raises:
        UsageError: no form has this ending.
        EnvironmentFault: the file cannot be written.
    """
    # A pipe or a device has no ending.
    ending = ".csv" if is_stream(path) and path.suffix not in ENDINGS else path.suffix
    write_output(path, encode_ratings(ratings, ending))


def encode_ratings(ratings: Sequence[Rating], ending: str) -> bytes:
    """The bytes of a table as ``.csv``, ``.json`` or ``.parquet``."""
    if ending == ".csv":
        return csv_bytes(COLUMNS, rating_cells(ratings))
    rows = [asdict(rating) for rating in ratings]
    if ending == ".json":
        return json.dumps(rows, ensure_ascii=False, indent=1).encode()
    if ending == ".parquet":
        return _parquet(rows)
    raise UsageError(f"a table ends in {', '.join(ENDINGS)}; got {ending or 'no ending'}")


def rating_cells(ratings: Sequence[Rating]) -> list[list[Any]]:
    """The cells of a CSV file, in the order of ``COLUMNS``; numbers are numbers."""
    return [[_cell(value) for value in asdict(rating).values()] for rating in ratings]


def read_ratings(path: Path) -> list[Rating]:
    """Read a table that :func:`write_ratings` wrote.

    Raises:
        UsageError: it cannot be read, a column is missing, a value is no number or a score off its
            scale; with the row.
    """
    try:
        rows = list(_rows(path))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read ratings from {path}: {error}") from error
    if rows and (missing := [name for name in _REQUIRED_COLUMNS if name not in rows[0]]):
        raise UsageError(
            f"{path} lacks the columns {', '.join(missing)}; files of other tools become such a "
            f"table by: synbench listen import {path} --out ratings.csv"
        )
    return [_rating(row, f"{path}, row {number}") for number, row in enumerate(rows, 1)]


def _rows(path: Path) -> Iterable[Mapping[str, Any]]:
    if path.suffix == ".csv":
        return [row.cells for row in read_table(path).whole()]
    if path.suffix == ".json":
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
            raise ValueError("expected a list of objects")
        return content
    if path.suffix == ".parquet":
        import pyarrow.parquet

        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
        return rows
    raise ValueError(f"expected a file that ends in {', '.join(ENDINGS)}")


def _rating(row: Mapping[str, Any], location: str) -> Rating:
    values: dict[str, Any] = {}
    for name in COLUMNS:
        given = row.get(name)
        if given is None or (given == "" and name in _WHOLE_NUMBERS | _REAL_NUMBERS):
            continue
        values[name] = _value(name, given, location)
    if missing := [name for name in _REQUIRED_COLUMNS if name not in values]:
        raise UsageError(f"{location}: no {', '.join(missing)}")
    try:
        # Grades of bs1116 become differences, and simulated ones go a little beyond the scale.
        if values["test"] != "bs1116":
            check_score(values["test"], values["score"])
    except ValueError as error:
        raise UsageError(f"{location}: {error}") from None
    return Rating(**values)


def _value(name: str, given: Any, location: str) -> Any:
    if name == "simulated":
        return given in (True, "true", "True", "1", 1)
    if name not in _WHOLE_NUMBERS | _REAL_NUMBERS:
        return str(given)
    try:
        number = parse_number(given) if isinstance(given, str) else float(given)
        if not math.isfinite(number) or (name in _WHOLE_NUMBERS and number != int(number)):
            raise ValueError
    except (TypeError, ValueError):
        kind = "a whole number" if name in _WHOLE_NUMBERS else "a number"
        raise UsageError(f"{location}: expected {kind} as {name}, got {given!r}") from None
    return int(number) if name in _WHOLE_NUMBERS else number


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    # A score of 41.0 reads better as 41, and is the same number.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    def kind(name: str) -> Any:
        if name == "simulated":
            return pyarrow.bool_()
        if name in _WHOLE_NUMBERS:
            return pyarrow.int64()
        return pyarrow.float64() if name in _REAL_NUMBERS else pyarrow.string()

    schema = pyarrow.schema([(name, kind(name)) for name in COLUMNS])
    target = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), target)
    return target.getvalue()
