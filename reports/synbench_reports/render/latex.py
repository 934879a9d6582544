r"""A report as LaTeX tables with booktabs rules and numbers aligned by siunitx.

A corpus with many columns becomes several tables that each fit a page across two columns. The best
of a column is bold, the second underlined, and a tilde marks what no test tells from the best; the
number of items stands as a fraction where not all planned items count.

Each number is a column of its own, so that its point stands below the others' whatever follows it.
Letters beyond ASCII are left as they are: LaTeX has read UTF-8 since 2018.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from synbench_reports.render.layout import ABSENT_VALUE, CellText, cell_text, column_runs
from synbench_reports.tables.table import Cell, Column, Note, Report, Table

# Characters across a page in \small, without the column of names.
AVAILABLE_CHARACTERS = 84
PADDING_CHARACTERS = 2
ARROWS = {"up": r"$\uparrow$", "down": r"$\downarrow$", "": ""}
SPECIAL_CHARACTERS = {
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
    "\N{NOT EQUAL TO}": r"$\neq$",
    "\N{MINUS SIGN}": r"$-$",
    "\N{TILDE OPERATOR}": r"$\sim$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "[": "{[}",
    "]": "{]}",
}
PATTERN = re.compile("|".join(map(re.escape, SPECIAL_CHARACTERS)))
NUMBER = re.compile(r"-?\d+(\.\d+)?")
PACKAGES = r"\usepackage[T1]{fontenc}\usepackage{amsmath,booktabs,siunitx}"
SETUP = (
    r"\sisetup{detect-weight,mode=text,group-digits=none,"
    r"table-number-alignment=right,table-text-alignment=right}\setlength{\tabcolsep}{4pt}"
)

__all__ = [
    "PACKAGES",
    "SETUP",
    "document",
    "escaped",
    "number_columns",
    "number_field",
    "render_latex",
]


def render_latex(report: Report) -> str:
    """The tables, to be read with ``\\input``; ends in a newline."""
    lines = [f"% needs {PACKAGES}"]
    for table in report.tables:
        lines += _tables(table, report)
    return "\n".join(lines) + "\n"


def document(tables: str) -> str:
    """A whole document that compiles with a stock TeX, around tables made to be read into one."""
    return "\n".join(
        (
            r"\documentclass[10pt]{article}",
            r"\usepackage[a4paper,margin=18mm]{geometry}",
            PACKAGES,
            r"\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}",
            # Tables of their own height, one after the other, never pushed to the end.
            r"\renewcommand{\topfraction}{1}\renewcommand{\floatpagefraction}{0.9}",
            r"\begin{document}",
            tables.rstrip("\n"),
            r"\end{document}",
            "",
        )
    )


def number_columns(texts: Iterable[str]) -> str:
    """The column type that aligns these numbers at their point; other texts do not count."""
    numbers = [text for text in texts if NUMBER.fullmatch(text)]
    whole = max((len(text.lstrip("-").partition(".")[0]) for text in numbers), default=1)
    behind = max((len(text.partition(".")[2]) for text in numbers), default=0)
    sign = "-" if any(text.startswith("-") for text in numbers) else ""
    shape = f"{sign}{whole}.{behind}"
    return f"S[table-format={shape}]"


def number_field(text: str, *, best: bool = False, second: bool = False) -> str:
    """A number for such a column; a text is put into braces, which siunitx leaves alone."""
    if not NUMBER.fullmatch(text):
        return f"{{{'--' if text == ABSENT_VALUE else escaped(text)}}}"
    if second:
        # No switch underlines, so it is no number to siunitx. Set at the right end of a column
        # whose numbers have the same decimals, its point is where theirs is.
        return rf"{{\underline{{{text.replace('-', '$-$')}}}}}"
    return rf"\bfseries {text}" if best else text


def _tables(table: Table, report: Report) -> Iterator[str]:
    shown = list(_shown(table))
    widths = [PADDING_CHARACTERS + _width(table, index) for index in shown]
    columns = [table.columns[index] for index in shown]
    runs = [
        tuple(shown[index] for index in run)
        for run in column_runs(columns, widths, AVAILABLE_CHARACTERS)
    ]
    for number, run in enumerate(runs, start=1):
        yield from (r"\begin{table*}", r"\centering", r"\small")
        yield SETUP
        part = f" ({number} of {len(runs)})" if len(runs) > 1 else ""
        name = f"{report.name} on {table.corpus.name}, {table.corpus.items} items"
        yield rf"\caption{{{escaped(name + part)}}}"
        yield from _tabular(table, run)
        if number == len(runs):
            yield from _notes((*table.notes, *report.notes))
        yield r"\end{table*}"


def _shown(table: Table) -> Iterator[int]:
    """Places of the columns worth their room: costs only where a competitor has some."""
    for column_index, column in enumerate(table.columns):
        known = (row for row in table.rows if row.cells[column_index].mean is not None)
        if column.group != "cost" or any(not row.codec.is_anchor for row in known):
            yield column_index


def _width(table: Table, column_index: int) -> int:
    column = table.columns[column_index]
    texts = [cell_text(column, row.cells[column_index]) for row in table.rows]
    cells = [len(text.mean) + len(text.half_width) + len(text.count) + 3 for text in texts]
    return max([len(column.label), len(column.printed_unit) + 2, len(column.detail), *cells])


def _tabular(table: Table, run: tuple[int, ...]) -> Iterator[str]:
    columns = [table.columns[index] for index in run]
    texts = {
        index: [cell_text(table.columns[index], row.cells[index]) for row in table.rows]
        for index in run
    }
    # Only a column with intervals or counts needs a second one beside its numbers.
    paired = {
        index: any(_beside(row.cells[index], texts[index][n]) for n, row in enumerate(table.rows))
        for index in run
    }
    kinds = [
        number_columns(text.mean for text in texts[index]) + (r"@{\,}l" if paired[index] else "")
        for index in run
    ]
    yield rf"\begin{{tabular}}{{l{''.join(kinds)}}}"
    yield r"\toprule"
    headings = [("Codec", [_label(column) for column in columns])]
    headings.append(("", [_unit(column) for column in columns]))
    if any(column.detail for column in columns):
        headings.append(("", [escaped(column.detail) for column in columns]))
    for first, titles in headings:
        spans = (1 + paired[index] for index in run)
        yield _line(
            [first, *(_heading(text, span) for text, span in zip(titles, spans, strict=True))]
        )
    yield r"\midrule"
    for number, row in enumerate(table.rows):
        cells = (_cell(row.cells[index], texts[index][number], paired[index]) for index in run)
        yield _line([escaped(row.codec.label) + _raised(row.mark), *cells])
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _line(fields: list[str]) -> str:
    return " & ".join(fields) + r" \\"


def _heading(text: str, span: int) -> str:
    return rf"\multicolumn{{{span}}}{{c}}{{{text}}}"


def _label(column: Column) -> str:
    return escaped(column.label) + _raised(column.mark)


def _raised(mark: str) -> str:
    return rf"\textsuperscript{{{mark}}}" if mark else ""


def _unit(column: Column) -> str:
    return " ".join(filter(None, (escaped(column.printed_unit), ARROWS[column.direction])))


def _cell(cell: Cell, text: CellText, paired: bool) -> str:
    number = number_field(text.mean, best=cell.best, second=cell.second)
    return f"{number} & {_beside(cell, text)}" if paired else number


def _beside(cell: Cell, text: CellText) -> str:
    """The mark of a tie, the interval and the count."""
    half = rf"\scriptsize$\pm$\,{text.half_width}" if text.half_width else ""
    return " ".join(filter(None, (r"$^{\sim}$" if cell.tied else "", half, text.count)))


def _notes(notes: tuple[Note, ...]) -> Iterator[str]:
    """The notes below the last table of a corpus, warnings first."""
    yield r"\par\medskip\raggedright\footnotesize"
    for note in sorted(notes, key=lambda note: note.level != "warning"):
        mark = _raised(note.mark) + (r"\textbf{Warning.} " if note.level == "warning" else "")
        yield rf"{mark}{escaped(note.subject)}: {escaped(note.text)}.\par"


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is, on one line."""
    line = " ".join(text.split())
    return PATTERN.sub(lambda match: SPECIAL_CHARACTERS[match.group()], line)
