"""Small tables of results, and their forms: terminal, CSV, Markdown, LaTeX and JSON.

CSV and JSON have every number in full; the others round as a reader wants it.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from synbench_base.decimals import fixed
from synbench_listening.answers.csv_text import csv_bytes

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Form = Literal["terminal", "csv", "markdown", "latex", "json"]
ABSENT_VALUE = "\N{EN DASH}"
# What LaTeX has in its mathematics alone; accented letters it reads as they are.
SIGNS = {
    "²": "^2", "³": "^3", "±": r"\pm", "\N{MULTIPLICATION SIGN}": r"\times", "≤": r"\le",
    "≥": r"\ge", "\N{MINUS SIGN}": "-", "≠": r"\ne", "≈": r"\approx", "→": r"\to",
    "∞": r"\infty", "°": r"^\circ", "<": "<", ">": ">", "|": "|",
}  # fmt: skip

__all__ = ["Form", "ResultColumn", "ResultTable", "cell_text", "print_tables", "render"]
__all__ += ["table_cells"]


@dataclass(frozen=True, kw_only=True)
class ResultColumn:
    """One column: ``decimals`` of numbers, or ``p`` for a p-value, or neither for text.

    ``file_only``: in CSV and JSON, for programs; nobody has to read it.
    """

    name: str
    label: str
    decimals: int | None = None
    p: bool = False
    file_only: bool = False

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers."""
        return self.p or self.decimals is not None


@dataclass(frozen=True, kw_only=True)
class ResultTable:
    """A table with its notes.

    Attributes:
        name: of its CSV file, such as ``conditions``.
        rows: name of the column to value; ``None`` or NaN where there is none. Without any, the
            title and the notes say it all: only CSV has a header then.
        detail: too long for the terminal; written to files only.
        simulated: answers of made-up listeners went in: said wherever the table is written.
    """

    name: str
    title: str
    columns: tuple[ResultColumn, ...]
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()
    detail: bool = False
    simulated: bool = False

    @property
    def shown(self) -> tuple[ResultColumn, ...]:
        """The columns that are there to be read."""
        return tuple(column for column in self.columns if not column.file_only)

    @property
    def heading(self) -> str:
        """The title, with the mark of simulated answers."""
        return f"[SIMULATED] {self.title}" if self.simulated else self.title


def cell_text(column: ResultColumn, value: Any) -> str:
    """A value as a reader wants it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ABSENT_VALUE
    if column.p:
        return f"{value:.4f}" if value >= 0.0001 else f"{value:.1e}"
    if column.decimals is not None:
        return fixed(value, column.decimals)
    return str(value)


def render(tables: Sequence[ResultTable], form: Form) -> str:
    """All tables as one text; ``terminal`` has its own function, :func:`print_tables`."""
    if form == "json":
        return json.dumps([_plain(table) for table in tables], ensure_ascii=False, indent=1) + "\n"
    one = {"csv": _csv, "markdown": _markdown, "latex": _latex}[form]
    return "\n".join(one(table) for table in tables)


def print_tables(tables: Sequence[ResultTable], console: Console) -> None:
    """Print all but the detailed tables; one that is too wide is parted, its names repeated."""
    from rich.text import Text

    for table in tables:
        if table.detail:
            continue
        console.print(Text(table.heading, style="bold"))
        for columns in _fitting(table, console.width) if table.rows else ():
            console.print(_grid(table, columns))
        for note in table.notes:
            console.print(Text(f"  {note}", style="dim"))
        console.print()


def _grid(table: ResultTable, columns: Sequence[ResultColumn]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for column in columns:
        side: Literal["left", "right"] = "right" if column.numeric else "left"
        grid.add_column(Text(column.label), justify=side, no_wrap=column.numeric, overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(cell_text(c, row.get(c.name))) for c in columns))
    return grid


def _fitting(table: ResultTable, width: int) -> list[list[ResultColumn]]:
    """Runs of columns that fit; each begins with the names, which are the first text columns."""
    columns = table.shown
    count = next((n for n, c in enumerate(columns) if c.numeric), len(columns))
    names, rest = list(columns[:count]), list(columns[count:])
    start = sum(_width(table, column) for column in names)
    runs: list[list[ResultColumn]] = [[]]
    used = start
    for column in rest:
        needed = _width(table, column) if column.numeric else 0
        if runs[-1] and used + needed > width:
            runs.append([])
            used = start
        runs[-1].append(column)
        used += needed
    return [[*names, *run] for run in runs]


def _width(table: ResultTable, column: ResultColumn) -> int:
    """Of the widest cell, with the space between columns."""
    texts = (cell_text(column, row.get(column.name)) for row in table.rows)
    return 3 + max(len(column.label), *map(len, texts), 0)


def _plain(table: ResultTable) -> dict[str, Any]:
    rows = [
        {column.name: _number(row.get(column.name)) for column in table.columns}
        for row in table.rows
    ]
    return {
        "name": table.name,
        "title": table.heading,
        "simulated": table.simulated,
        "columns": [
            {
                "name": column.name,
                "label": column.label,
                "decimals": column.decimals,
                "p": column.p,
                "shown": not column.file_only,
            }
            for column in table.columns
        ],
        "rows": rows,
        "notes": list(table.notes),
    }


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table_cells(table: ResultTable) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of its CSV file; numbers are numbers."""
    mark = ["simulated"] if table.simulated else []
    rows = []
    for row in table.rows:
        values = [_number(row.get(column.name)) for column in table.columns]
        cells = ["" if value is None else value for value in values]
        rows.append([*cells, *("true" for _ in mark)])
    return [*(column.name for column in table.columns), *mark], rows


def _csv(table: ResultTable) -> str:
    return csv_bytes(*table_cells(table)).decode()


def _markdown(table: ResultTable) -> str:
    def line(cells: Sequence[str]) -> str:
        return (
            "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
        )

    lines = [f"### {table.heading}", ""]
    if table.rows:
        lines.append(line([column.label for column in table.shown]))
        lines.append(line(["---:" if column.numeric else "---" for column in table.shown]))
    for row in table.rows:
        lines.append(line([cell_text(column, row.get(column.name)) for column in table.shown]))
    lines += [*([""] if table.rows else []), *(f"- {note}" for note in table.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _latex(table: ResultTable) -> str:
    notes = [f"% {note}" for note in table.notes]
    if not table.rows:
        return "\n".join([f"% {table.heading}", *notes]) + "\n"
    alignments = "".join("r" if column.numeric else "l" for column in table.shown)
    heading = " & ".join(_escaped(column.label) for column in table.shown)
    lines = [f"% {table.heading}", f"\\begin{{tabular}}{{{alignments}}}", "\\toprule"]
    lines += [f"{heading} \\\\", "\\midrule"]
    for row in table.rows:
        cells = (_escaped(cell_text(column, row.get(column.name))) for column in table.shown)
        lines.append(" & ".join(cells) + " \\\\")
    lines += ["\\bottomrule", "\\end{tabular}", *notes]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {sign: "\\" + sign for sign in "&%$#_{}"}
    special |= {ABSENT_VALUE: "--", "\n": " "}
    special |= {sign: f"${name}$" for sign, name in SIGNS.items()}
    return "".join(special.get(sign) or _greek(sign) for sign in text)


def _greek(sign: str) -> str:
    """A Greek letter as LaTeX calls it, which is nearly how Unicode does; any other sign as it is.

    Capitals that look like Latin letters have no name there, and need none.
    """
    script, _, rest = unicodedata.name(sign, "").partition(" ")
    size, _, letter = rest.partition(" LETTER ")
    if script != "GREEK" or size not in ("SMALL", "CAPITAL") or " " in letter:
        return sign
    name = {"LAMDA": "lambda", "EPSILON": "varepsilon", "PHI": "varphi"}.get(letter, letter.lower())
    return f"$\\{name}$" if size == "SMALL" else f"$\\{name.removeprefix('var').capitalize()}$"
