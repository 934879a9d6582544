"""A report as Markdown: one table per corpus and pair of column groups, then the notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from synbench_reports.layout import ARROWS, cell_text
from synbench_reports.table import Cell, Column, Note, Report, Table

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$])")
GROUPS = (("rate", "metric"), ("cost", "count"))

__all__ = ["render_markdown"]


def render_markdown(report: Report) -> str:
    """The text, ending in a newline."""
    lines = [f"# {_escaped(report.name)}", ""]
    for table in report.tables:
        lines += [f"## {_escaped(table.corpus.name)} ({table.corpus.items} items)", ""]
        for groups in GROUPS:
            lines += [*_table(table, groups), ""]
        lines += _notes(table.notes)
    lines += _notes(report.notes)
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(table: Table, groups: tuple[str, ...]) -> Iterator[str]:
    places = [place for place, column in enumerate(table.columns) if column.group in groups]
    yield _line(["Codec", *(_heading(table.columns[place]) for place in places)])
    yield _line(["---", *("---:" for _ in places)])
    for row in table.rows:
        cells = (_cell(table.columns[place], row.cells[place]) for place in places)
        yield _line([_escaped(row.codec.label) + _raised(row.mark), *cells])


def _line(fields: Iterable[str]) -> str:
    return f"| {' | '.join(fields)} |"


def _heading(column: Column) -> str:
    unit = ", ".join(filter(None, (column.unit, column.detail)))
    label = _escaped(column.label) + _raised(column.mark)
    parts = (label, _escaped(f"({unit})") if unit else "", ARROWS[column.direction])
    return " ".join(filter(None, parts))


def _cell(column: Column, cell: Cell) -> str:
    text = cell_text(column, cell)
    mark = "**" if cell.best else "*" if cell.second else ""
    mean = f"{mark}{text.mean}{mark}" + (r"\~" if cell.tied else "")
    half = f"± {text.half_width}" if text.half_width else ""
    return " ".join(filter(None, (mean, half, text.count)))


def _notes(notes: tuple[Note, ...]) -> list[str]:
    warnings = [
        f"- {_raised(note.mark)}**Warning**: {_escaped(note.subject)}: {_escaped(note.text)}"
        for note in notes
        if note.level == "warning"
    ]
    others = [
        f"- {_raised(note.mark)}{_escaped(note.subject)}: {_escaped(note.text)}"
        for note in notes
        if note.level == "note"
    ]
    return [*warnings, *others, ""] if notes else []


def _raised(mark: str) -> str:
    return f"<sup>{mark}</sup>" if mark else ""


def _escaped(text: str) -> str:
    """Text that Markdown prints as it is, on one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
