"""CSV and TSV read strictly: a cell is what is written, and a row that does not fit is named.

One reader for manifests of speech and for tables of ratings. UTF-8, with or without a byte-order
mark (UTF-16 with one); lines end in LF, CR LF or CR; cells of the header lose the spaces around
them; empty lines are passed over.

delimiter   a tab in ``.tsv``, else that of comma, semicolon and tab which the header has most of
CSV         cells may be quoted; a quote that does not end, or that ends in the middle of a cell, is
            refused, and so is a quoted cell that holds what look like whole rows
TSV         a quotation mark is a letter like any other, unless the header itself is quoted
ragged      a row with more or fewer cells than the header is never read: it is kept apart, with its
            line
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synbench_base.errors import UsageError

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
DELIMITERS = ",;\t"

__all__ = [
    "Ragged",
    "TextRow",
    "TextTable",
    "parse_number",
    "parse_table",
    "read_table",
    "table_text",
]


@dataclass(frozen=True, kw_only=True)
class TextRow:
    """One row: the line on which it begins, from 1, and its cells by column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Ragged:
    """A row that has another number of cells than the header."""

    line: int
    count: int
    expected: int

    def __str__(self) -> str:
        return (
            f"line {self.line} has {self.count} cells, the header has {self.expected}; "
            f"a cell with the delimiter in it needs quotes"
        )


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """What a file held.

    Attributes:
        name: of the file, for messages.
        columns: of the header, in order.
        rows: those that fit the header.
        ragged: those that do not.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[TextRow, ...]
    ragged: tuple[Ragged, ...]

    def whole(self) -> tuple[TextRow, ...]:
        """All rows, of a table of which none may be lost.

        Raises:
            UsageError: a row does not fit the header; the message names its line.
        """
        if self.ragged:
            more = f" (and {len(self.ragged) - 1} more)" if len(self.ragged) > 1 else ""
            raise UsageError(f"{self.name}, {self.ragged[0]}{more}")
        return self.rows


def read_table(path: Path) -> TextTable:
    """Read a file.

    Raises:
        UsageError: it cannot be read, is no text, or breaks the rules of quoting; with the line.
    """
    delimiter = "\t" if path.suffix.lower() == ".tsv" else None
    return parse_table(table_text(path), name=str(path), delimiter=delimiter)


def table_text(path: Path) -> str:
    """The text of a file without its byte-order mark.

    Raises:
        UsageError: it cannot be read or is no text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(
            f"cannot read {path}: line {line} is no UTF-8 text; save the table as UTF-8"
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UsageError(f"cannot read {path}: line {line} holds a zero byte, this is no table")
    return text


def parse_table(text: str, *, name: str, delimiter: str | None = None) -> TextTable:
    """Read a text.

    Args:
        name: of the table, for messages.
        delimiter: between cells; where it is not given the header tells.

    Raises:
        UsageError: quoting that cannot be read, or a column twice; with the line.
    """
    first = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    if delimiter is None:
        delimiter = max(DELIMITERS, key=first.count)
    quoted = delimiter != "\t" or first.lstrip().startswith('"')
    lines = _quoted(text, name, delimiter) if quoted else _plain(text, delimiter)
    rows = [(line, cells) for line, cells in lines if any(cell.strip() for cell in cells)]
    if not rows:
        return TextTable(name=name, columns=(), rows=(), ragged=())
    columns = tuple(cell.strip() for cell in rows[0][1])
    _check_header(columns, name)
    return TextTable(
        name=name,
        columns=columns,
        rows=tuple(
            TextRow(line=line, cells=dict(zip(columns, cells, strict=True)))
            for line, cells in rows[1:]
            if len(cells) == len(columns)
        ),
        ragged=tuple(
            Ragged(line=line, count=len(cells), expected=len(columns))
            for line, cells in rows[1:]
            if len(cells) != len(columns)
        ),
    )


def _check_header(columns: tuple[str, ...], name: str) -> None:
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise UsageError(f"{name}: the header names {', '.join(twice)} twice; rename one of them")


def _plain(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        yield number, line.split(delimiter)


def _quoted(text: str, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start, width = 1, 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UsageError(
                f"{name}, line {start}: {error}; a quoted cell ends in a quotation mark and a "
                f"delimiter, and a quotation mark inside it is doubled"
            ) from error
        width = width or len(cells)
        if _holds_rows(cells, width, delimiter):
            raise UsageError(
                f"{name}: the quotation mark in line {start} ends in line {reader.line_num} only, "
                f"and what lies between looks like rows; double it if it belongs to the text"
            )
        yield start, cells
        start = reader.line_num + 1


def _holds_rows(cells: list[str], width: int, delimiter: str) -> bool:
    """Whether a quoted cell goes over lines that have as many cells as the table."""
    return width > 1 and any(
        line.count(delimiter) == width - 1
        for cell in cells
        for line in re.split(r"\r\n|\r|\n", cell)[1:]
    )


def parse_number(text: str) -> float:
    """A decimal number that is the whole text; spaces around it do not count.

    Raises:
        ValueError: it is none; the message is the reason.
    """
    text = text.strip()
    if NUMBER.fullmatch(text):
        return float(text)
    if DECIMAL_COMMA.fullmatch(text):
        raise ValueError(f"{text!r} is no number; with a decimal point: {text.replace(',', '.')}")
    raise ValueError(f"{text!r} is no number")
