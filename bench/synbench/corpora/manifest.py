"""A table of audio files: CSV, TSV or Parquet."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from synbench.corpora._model import Entry, Listing, Progress
from synbench.corpora._speakers import gender_of
from synbench.errors import UsageError
from synbench_base.folders import typed_path
from synbench_base.text_table import read_table

Row = Mapping[str, object]

COLUMNS = {
    "file": ("file", "path"),
    "id": ("id", "item"),
    "speaker": ("speaker",),
    "transcript": ("transcript", "text"),
    "gender": ("gender", "sex"),
    "language": ("language", "lang"),
    "accent": ("accent", "accents"),
}
SUFFIXES = (".csv", ".tsv", ".parquet")

__all__ = ["CORPORA", "entries_of", "manifest", "usable_header"]


def manifest(_: Progress | None = None, *, path: str) -> Listing:
    """The files that a table names.

    CSV, TSV or Parquet with the column ``file`` (or ``path``), relative to the table; optional
    ``id`` (or ``item``), ``speaker``, ``transcript`` (or ``text``), ``gender`` (or ``sex``),
    ``language``, ``accent``, ``licence``. A missing file stays in the corpus as an item that cannot
    be used. Text is read by :mod:`synbench_base.text_table`: in a TSV a quotation mark is a letter
    like any other.

    Raises:
        UsageError: no such table, no such column, a row that names no file or that has another
            number of cells than the header.
    """
    table = typed_path(path).absolute()
    rows = _read(table)
    return Listing(
        name=table.parent.name if table.stem == "manifest" else table.stem,
        entries=entries_of(table, rows),
        where=f"{table} has no rows",
        licence="; ".join(sorted({_text(row.get("licence")) for row in rows} - {""})) or "unknown",
    )


def entries_of(table: Path, rows: Sequence[Row]) -> tuple[Entry, ...]:
    """The entries that the rows of a table name."""
    return tuple(_entry(table, row, number) for number, row in enumerate(rows, start=1))


def usable_header(table: Path) -> bool:
    """Whether a CSV or Parquet file has the columns of a manifest."""
    try:
        _read(table)
    except UsageError:
        return False
    return True


def _read(table: Path) -> Sequence[Row]:
    if table.suffix.lower() not in SUFFIXES or not table.is_file():
        raise UsageError(
            f"expected an existing table ending in {', '.join(SUFFIXES)}, got {table}; "
            f"for a folder of audio: folder:path=..."
        )
    try:
        columns, rows = _parquet(table) if table.suffix.lower() == ".parquet" else _csv(table)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the manifest {table}: {error}") from error
    if not set(COLUMNS["file"]) & set(columns):
        raise UsageError(
            f"expected the column 'file' or 'path' in {table}, found: {', '.join(columns)}"
        )
    return rows


def _csv(table: Path) -> tuple[list[str], Sequence[Row]]:
    read = read_table(table)
    return list(read.columns), [row.cells for row in read.whole()]


def _parquet(table: Path) -> tuple[list[str], Sequence[Row]]:
    import pyarrow.parquet

    wanted = [*(name for names in COLUMNS.values() for name in names), "licence"]
    schema = pyarrow.parquet.read_schema(table)
    known = [name for name in wanted if name in schema.names]
    return schema.names, pyarrow.parquet.read_table(table, columns=known).to_pylist()


def _entry(table: Path, row: Row, number: int) -> Entry:
    named = _cell(row, "file")
    if not named:
        raise UsageError(f"row {number} of {table} names no file")
    return Entry(
        id=unicodedata.normalize("NFC", _cell(row, "id") or _id_from(table, named, number)),
        path=table.parent / named,
        speaker=_cell(row, "speaker"),
        transcript=_cell(row, "transcript"),
        gender=gender_of(_cell(row, "gender")),
        language=_cell(row, "language"),
        accent=_cell(row, "accent"),
    )


def _id_from(table: Path, named: str, number: int) -> str:
    """The file's path below the manifest; the steps upwards are left out."""
    relative = Path(named)
    if relative.is_absolute():
        if not relative.is_relative_to(table.parent):
            raise UsageError(
                f"row {number} of {table} names {named}, which lies elsewhere: expected a path "
                f"relative to the manifest, or a column 'id' that holds on every machine"
            )
        relative = relative.relative_to(table.parent)
    parts = [part for part in PurePosixPath(relative.as_posix()).parts if part != ".."]
    return PurePosixPath(*parts).with_suffix("").as_posix()


def _cell(row: Row, column: str) -> str:
    return next((text for name in COLUMNS[column] if (text := _text(row.get(name)))), "")


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


CORPORA = {"manifest": manifest}
