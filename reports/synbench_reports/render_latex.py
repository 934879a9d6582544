"""A report as LaTeX tables with booktabs rules, to be read with ``\\input``.

A corpus with many columns becomes several tables that each fit a page across two columns. The best
of a column is bold, the number of items stands as a fraction where not all planned items count.
Letters beyond ASCII are left as they are: LaTeX has read UTF-8 since 2018.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from synbench_reports.layout import NOTHING, cell_text, column_runs
from synbench_reports.table import Cell, Column, Note, Report, Table

# Characters across a page in \small, without the column of names.
AVAILABLE = 84
PADDING = 2
ARROWS = {"up": r"$\uparrow$", "down": r"$\downarrow$", "": ""}
SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "[": "{[}",
    "]": "{]}",
}
PATTERN = re.compile("|".join(map(re.escape, SPECIAL)))

__all__ = ["escaped", "render_latex"]


def render_latex(report: Report) -> str:
    """The text, ending in a newline."""
    lines = [r"% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}"]
    for table in report.tables:
        lines += _tables(table, report)
    return "\n".join(lines) + "\n"


def _tables(table: Table, report: Report) -> Iterator[str]:
    widths = [PADDING + _width(table, place) for place in range(len(table.columns))]
    runs = column_runs(table.columns, widths, AVAILABLE)
    for number, run in enumerate(runs, start=1):
        yield from (r"\begin{table*}", r"\centering", r"\small")
        part = f" ({number} of {len(runs)})" if len(runs) > 1 else ""
        name = f"{report.name} on {table.corpus.name}, {table.corpus.items} items"
        yield rf"\caption{{{escaped(name + part)}}}"
        yield from _tabular(table, run)
        if number == len(runs):
            yield from _notes((*table.notes, *report.notes))
        yield r"\end{table*}"


def _width(table: Table, place: int) -> int:
    column = table.columns[place]
    texts = [cell_text(column, row.cells[place]) for row in table.rows]
    cells = [len(text.mean) + len(text.half_width) + len(text.count) + 3 for text in texts]
    return max([len(column.label), len(column.unit) + 2, len(column.detail), *cells])


def _tabular(table: Table, run: tuple[int, ...]) -> Iterator[str]:
    columns = [table.columns[place] for place in run]
    yield rf"\begin{{tabular}}{{l{'r' * len(run)}}}"
    yield r"\toprule"
    yield _line(["Codec", *(escaped(column.label) for column in columns)])
    yield _line(["", *map(_unit, columns)])
    if any(column.detail for column in columns):
        yield _line(["", *(escaped(column.detail) for column in columns)])
    yield r"\midrule"
    for row in table.rows:
        cells = (_cell(table.columns[place], row.cells[place]) for place in run)
        yield _line([escaped(row.codec.label), *cells])
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _line(fields: list[str]) -> str:
    return " & ".join(fields) + r" \\"


def _unit(column: Column) -> str:
    return " ".join(filter(None, (escaped(column.unit), ARROWS[column.direction])))


def _cell(column: Column, cell: Cell) -> str:
    text = cell_text(column, cell)
    number = "--" if text.mean == NOTHING else text.mean.replace("-", "$-$")
    mean = rf"\textbf{{{number}}}" if cell.best else number
    mean = rf"\underline{{{mean}}}" if cell.second else mean
    mean += r"$^{\sim}$" if cell.tied else ""
    half = rf"$\pm$ {text.half_width}" if text.half_width else ""
    return " ".join(filter(None, (mean, half, text.count)))


def _notes(notes: tuple[Note, ...]) -> Iterator[str]:
    """The notes below the last table of a corpus, warnings first."""
    yield r"\par\medskip\raggedright\footnotesize"
    for note in sorted(notes, key=lambda note: note.level != "warning"):
        mark = r"\textbf{Warning.} " if note.level == "warning" else ""
        yield rf"{mark}{escaped(note.subject)}: {escaped(note.text)}.\par"


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is, on one line."""
    line = " ".join(text.split())
    return PATTERN.sub(lambda found: SPECIAL[found.group()], line)
