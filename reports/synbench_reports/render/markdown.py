"""A report as Markdown: one table per corpus and pair of column groups, then the notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from synbench_reports.render.layout import ARROWS, cell_text
from synbench_reports.tables.table import Cell, Column, Note, Report, Table

SPECIAL_CHARACTERS = re.compile(r"([\\`*_{}\[\]<>#|~&$])")
GROUPS = (("rate", "metric"), ("input",), ("delay",), ("cost", "count"))

__all__ = ["escaped_markdown", "render_markdown"]


def render_markdown(report: Report) -> str:
    """The text, ending in a newline."""
    lines = [f"# {escaped_markdown(report.name)}", ""]
    for table in report.tables:
        lines += [f"## {escaped_markdown(table.corpus.name)} ({table.corpus.items} items)", ""]
        there = {column.group for column in table.columns}
        for groups in GROUPS:
            if not there.intersection(groups):
                continue
            lines += [*_table(table, groups), ""]
        lines += _notes(table.notes)
    lines += _notes(report.notes)
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(table: Table, groups: tuple[str, ...]) -> Iterator[str]:
    indices = [index for index, column in enumerate(table.columns) if column.group in groups]
    yield _line(["Codec", *(_heading(table.columns[index]) for index in indices)])
    yield _line(["---", *("---:" for _ in indices)])
    for row in table.rows:
        cells = (_cell(table.columns[index], row.cells[index]) for index in indices)
        yield _line([escaped_markdown(row.codec.label) + _raised(row.mark), *cells])


def _line(fields: Iterable[str]) -> str:
    return f"| {' | '.join(fields)} |"


def _heading(column: Column) -> str:
    unit = ", ".join(filter(None, (column.printed_unit, column.detail)))
    label = escaped_markdown(column.label) + _raised(column.mark)
    parts = (label, escaped_markdown(f"({unit})") if unit else "", ARROWS[column.direction])
    return " ".join(filter(None, parts))


def _cell(column: Column, cell: Cell) -> str:
    text = cell_text(column, cell)
    mark = "**" if cell.best else "*" if cell.second else ""
    mean = f"{mark}{text.mean}{mark}" + (r"\~" if cell.tied else "")
    half = f"± {text.half_width}" if text.half_width else ""
    return " ".join(filter(None, (mean, half, text.count)))


def _notes(notes: tuple[Note, ...]) -> list[str]:
    ordered = sorted(notes, key=lambda note: note.level != "warning")
    return [*map(_note, ordered), ""] if notes else []


def _note(note: Note) -> str:
    start = f"- {_raised(note.mark)}" + ("**Warning**: " if note.level == "warning" else "")
    return f"{start}{escaped_markdown(note.subject)}: {escaped_markdown(note.text)}"


def _raised(mark: str) -> str:
    return f"<sup>{mark}</sup>" if mark else ""


def escaped_markdown(text: str) -> str:
    """Text that Markdown prints as it is, on one line."""
    return SPECIAL_CHARACTERS.sub(r"\\\1", " ".join(text.split()))
