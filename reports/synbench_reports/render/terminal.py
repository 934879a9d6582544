"""A report on the terminal: tables no wider than the screen, warnings, then footnotes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from synbench_reports.render.layout import ABSENT_VALUE, ARROWS, CellText, cell_text, column_runs
from synbench_reports.tables.table import Cell, Column, Note, Report, Table

PADDING_CELLS = 2
LONGEST_LABEL_CELLS = 32

__all__ = ["print_report"]


def print_report(report: Report, console: Console) -> None:
    """Print all tables and notes."""
    for table in report.tables:
        _print_table(table, console)
        _print_notes(table.notes, console)
        console.print()
    _print_notes(report.notes, console)


def _print_table(table: Table, console: Console) -> None:
    corpus = table.corpus
    heading = Text(corpus.name, style="bold")
    heading.append(f"  {corpus.items} items, {_duration(corpus.seconds)}", style="not bold")
    console.print(heading, soft_wrap=True)
    texts = [_column_texts(table, index) for index in range(len(table.columns))]
    widths = [
        PADDING_CELLS
        + max(
            map(cell_len, (*_heading(column).split("\n"), *(text.plain for text in column_texts)))
        )
        for column, column_texts in zip(table.columns, texts, strict=True)
    ]
    labels = [cell_len(row.codec.label + row.mark) for row in table.rows]
    first = PADDING_CELLS + min(LONGEST_LABEL_CELLS, max([*labels, len("Codec")]))
    # Recordings have no costs: a group's columns without any number say nothing on a screen.
    shown = [
        index
        for index, column in enumerate(table.columns)
        if column.group != "cost" or any(row.cells[index].mean is not None for row in table.rows)
    ]
    columns = [table.columns[index] for index in shown]
    runs = column_runs(columns, [widths[index] for index in shown], console.width - first)
    for run in runs:
        console.print(_grid(table, tuple(shown[index] for index in run), texts))
        console.print()


def _grid(table: Table, run: tuple[int, ...], texts: list[list[Text]]) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="")
    grid.add_column("Codec", max_width=LONGEST_LABEL_CELLS, overflow="fold")
    for index in run:
        heading = Text(_heading(table.columns[index]), style="bold", justify="right")
        grid.add_column(heading, justify="right", no_wrap=True)
    for number, row in enumerate(table.rows):
        label = Text(row.codec.label + row.mark, style="dim" if row.codec.is_anchor else "")
        grid.add_row(label, *(texts[index][number] for index in run))
    return grid


def _heading(column: Column) -> str:
    second = " ".join(filter(None, (column.unit, ARROWS[column.direction])))
    return "\n".join((column.label, second, column.detail)).rstrip("\n")


def _column_texts(table: Table, column_index: int) -> list[Text]:
    """The cells of a column, padded so that means, intervals and counts stand below each other."""
    column = table.columns[column_index]
    cells = [row.cells[column_index] for row in table.rows]
    texts = [cell_text(column, cell) for cell in cells]
    halves = max((len(text.half_width) for text in texts), default=0)
    counts = max((len(text.count) for text in texts), default=0)
    marked = any(cell.best or cell.tied for cell in cells)
    return [
        _padded(text, cell, marked, halves, counts) for text, cell in zip(texts, cells, strict=True)
    ]


def _padded(text: CellText, cell: Cell, marked: bool, halves: int, counts: int) -> Text:
    style = "bold green" if cell.best else "underline" if cell.second else ""
    line = Text()
    line.append(text.mean, style=style)
    if marked:
        line.append("*" if cell.best else "~" if cell.tied else " ")
    if halves and text.mean != ABSENT_VALUE:
        half = f" ± {text.half_width:>{halves}}" if text.half_width else " " * (halves + 3)
        line.append(half, style="not bold dim")
    if counts:
        line.append(f" {text.count:<{counts}}", style="not bold yellow")
    return line


def _print_notes(notes: Iterable[Note], console: Console) -> None:
    # Metrics have no mark at their numbers here: the heading is their name already.
    def raised(note: Note) -> str:
        return f"{note.mark} " if note.level == "warning" and note.mark else ""

    for level, style, mark in (("warning", "yellow", "!"), ("note", "dim", " ")):
        for note in notes:
            if note.level == level:
                lines = textwrap.wrap(
                    f"{mark} {raised(note)}{note.subject}: {note.text}",
                    width=max(20, console.width),
                    subsequent_indent="    ",
                    break_on_hyphens=False,
                )
                console.print(Text("\n".join(lines), style=style), soft_wrap=True)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
