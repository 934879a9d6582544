"""A report on the terminal: tables no wider than the screen, warnings, then footnotes.

A table that does not fit as one block is set closer: headings over several lines, intervals beside
their means, no column whose numbers another column holds. Where that is too wide, intervals stand
below their means; where even that is, the table is cut into several blocks. Scores stay together
before what else there is.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from synbench_reports.render.layout import ABSENT_VALUE, ARROWS, CellText, cell_text, column_runs
from synbench_reports.tables.table import Cell, Column, Note, Report, Table

PADDING_CELLS = 2
CLOSE_PADDING_CELLS = 1
WHOLE_DIGITS = tuple("123456789")
# Groups of columns that a compact table leaves out.
LEFT_OUT = ("delay", "cost", "count")
# A heading that is set closer breaks between words beyond so many characters.
CLOSE_HEADING_CELLS = 10
LONGEST_LABEL_CELLS = 32
# Labels that stand beside two lines of numbers may take two lines themselves.
SHORTEST_LABEL_CELLS = 12

__all__ = ["print_report"]


def print_report(
    report: Report, console: Console, *, notes: bool = True, compact: bool = False
) -> None:
    """Print all tables and warnings.

    Args:
        notes: what else there is to know of each number.
        compact: rates and scores alone; delays, times and counts are left out.
    """
    for table in report.tables:
        _print_table(table, console, compact=compact)
        _print_notes(table.notes, console, notes=notes)
        console.print()
    _print_notes(report.notes, console, notes=notes)


def _print_table(table: Table, console: Console, *, compact: bool = False) -> None:
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
        if (column.group != "cost" or any(row.cells[index].mean is not None for row in table.rows))
        and not (compact and _left_out(table, index))
    ]
    room = console.width - first
    runs = _runs(table, shown, widths, room)
    scores = [index for index in shown if _is_compact(table.columns[index])]
    close = None
    if len(runs) > 1:
        close = _close_grid(table, shown, console.width)
        if close is not None:
            runs = []
    if close is None and not any(set(scores) <= set(run) for run in runs):
        close = _close_grid(table, scores, console.width) or _close_grid(
            table, scores, console.width, below=True
        )
        if close is not None:
            runs = _runs(table, [index for index in shown if index not in scores], widths, room)
    for grid in (*([close] if close else []), *(_grid(table, run, texts) for run in runs)):
        console.print(grid)
        console.print()


def _runs(
    table: Table, shown: Sequence[int], widths: Sequence[int], room: int
) -> list[tuple[int, ...]]:
    """The columns of each block."""
    columns = [table.columns[index] for index in shown]
    runs = column_runs(columns, [widths[index] for index in shown], room)
    return [tuple(shown[index] for index in run) for run in runs]


def _left_out(table: Table, index: int) -> bool:
    """What a compact table leaves out."""
    column = table.columns[index]
    silent = column.name in ("side_kbps", "header_kbps") and _held_elsewhere(table, index)
    return silent or not _is_compact(column)


def _is_compact(column: Column) -> bool:
    return column.group not in LEFT_OUT or column.name == "within_limits"


def _close_grid(
    table: Table, shown: Sequence[int], width: int, *, below: bool = False
) -> Grid | None:
    """All columns in one block, set closer; ``None`` where they are too wide for that.

    Args:
        below: set intervals below their means, and long labels in two lines.
    """
    kept = [index for index in shown if not _held_elsewhere(table, index)]
    headings = {index: _close_heading(table.columns[index]) for index in kept}
    between = "\n±" if below else "±"
    texts = {index: _column_texts(table, index, between=between) for index in kept}
    labels = [cell_len(row.codec.label + row.mark) for row in table.rows]
    longest = min(LONGEST_LABEL_CELLS, max([*labels, len("Codec")]))
    left = width - sum(
        CLOSE_PADDING_CELLS + max(map(cell_len, _lines(headings[index], texts[index])))
        for index in kept
    )
    if left < (min(longest, SHORTEST_LABEL_CELLS) if below else longest):
        return None
    grid = Grid(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=0,  # the box itself parts columns by CLOSE_PADDING_CELLS
        header_style="",
    )
    grid.add_column("Codec", max_width=min(longest, left), overflow="fold")
    for index in kept:
        heading = Text(headings[index], style="bold", justify="right")
        grid.add_column(heading, justify="right", no_wrap=True)
    for number, row in enumerate(table.rows):
        label = Text(row.codec.label + row.mark, style="dim" if row.codec.is_anchor else "")
        grid.add_row(label, *(texts[index][number] for index in kept))
    return grid


def _lines(heading: str, texts: Sequence[Text]) -> list[str]:
    whole = [heading, *(text.plain for text in texts)]
    return [line for text in whole for line in text.split("\n")]


def _held_elsewhere(table: Table, index: int) -> bool:
    """A nominal rate beside the counted one, what files add to it, and side information of zero."""
    name = table.columns[index].name
    cells = [row.cells[index] for row in table.rows]
    if name == "header_kbps":
        return True
    if name == "nominal_kbps":
        payload = [column.name for column in table.columns].index("payload_kbps")
        counted = [row.cells[payload].mean is not None for row in table.rows]
        # Of recordings the nominal rate is all that is known.
        return all(known or cell.mean is None for known, cell in zip(counted, cells, strict=True))
    return name == "side_kbps" and not any(cell.mean for cell in cells)


def _close_heading(column: Column) -> str:
    return "\n".join(
        line
        for part in _heading(column).split("\n")
        for line in textwrap.wrap(part, CLOSE_HEADING_CELLS, break_long_words=False)
    )


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
    second = " ".join(filter(None, (column.printed_unit, ARROWS[column.direction])))
    return "\n".join((column.label, second, column.detail)).rstrip("\n")


def _column_texts(table: Table, column_index: int, *, between: str = " ± ") -> list[Text]:
    """The cells of a column, padded so that means, intervals and counts stand below each other.

    Args:
        between: what stands before half an interval; closer than usual, its leading zero goes too.
    """
    column = table.columns[column_index]
    cells = [row.cells[column_index] for row in table.rows]
    texts = [cell_text(column, cell) for cell in cells]
    close = not between.startswith(" ")
    if close and not any(text.half_width.startswith(WHOLE_DIGITS) for text in texts):
        texts = [replace(text, half_width=text.half_width.removeprefix("0")) for text in texts]
    halves = max((len(text.half_width) for text in texts), default=0)
    counts = max((len(text.count) for text in texts), default=0)
    marked = any(cell.best or cell.tied for cell in cells)
    return [
        _padded(text, cell, marked, halves, counts, between=between)
        for text, cell in zip(texts, cells, strict=True)
    ]


def _padded(
    text: CellText, cell: Cell, marked: bool, halves: int, counts: int, *, between: str
) -> Text:
    style = "bold green" if cell.best else "underline" if cell.second else ""
    line = Text()
    line.append(text.mean, style=style)
    if marked:
        line.append("*" if cell.best else "~" if cell.tied else " ")
    if halves and text.mean != ABSENT_VALUE:
        beside = "\n" not in between
        half = text.half_width.rjust(halves) if beside else text.half_width
        half = f"{between}{half}" if text.half_width else ""
        if beside:
            half = half or " " * (halves + len(between))
        line.append(half, style="not bold dim")
    if counts:
        line.append(f" {text.count:<{counts}}", style="not bold yellow")
    return line


def _print_notes(printed: Sequence[Note], console: Console, *, notes: bool = True) -> None:
    # Metrics have no mark at their numbers here: the heading is their name already.
    def raised(note: Note) -> str:
        return f"{note.mark} " if note.level == "warning" and note.mark else ""

    for level, style, mark in (("warning", "yellow", "!"), ("note", "dim", " ")):
        for note in printed:
            if note.level == level and (notes or level == "warning"):
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
