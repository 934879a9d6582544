"""A report as one table for a paper, before anyone sets it: which rows, columns, heads and notes.

Rates and metrics of all corpora, and what else is asked for. Renderers (:mod:`~.latex_paper`,
:mod:`~.typst_paper`, :mod:`~.word`) set the same grid. What does not fit the width is set smaller,
and then without its intervals; the number of items stays wherever not all count. Widths are
estimated for the narrowest of common layouts (Interspeech, 80 and 170 mm).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from synbench_reports.render.layout import (
    ABSENT_VALUE,
    ARROWS,
    PERCENT_DIGITS,
    CellText,
    cell_text,
)
from synbench_reports.tables.table import Cell, Column, Report, Row, Table

# Points across one and two columns of text.
WIDTHS = {1: 226.0, 2: 482.0}
MM_PER_POINT = 25.4 / 72.27
# Sizes of type in points in a document of 10 points, the largest first.
SIZES = {"small": 9.0, "footnotesize": 8.0, "scriptsize": 7.0}
# Widths of characters over the size of their type, and space around a column (tabcolsep 4 pt).
CHARACTER, CAPITAL, BETWEEN = 0.52, 0.76, 8.0
# Of the raised sign of a tie, with the space behind it.
TIE = 0.9
NOMINAL = "n"
SIMILAR = "\N{TILDE OPERATOR}"

More = Literal["rtf", "counts", "identities"]
MORE: tuple[More, ...] = ("rtf", "counts", "identities")

__all__ = [
    "MORE",
    "NOMINAL",
    "SIMILAR",
    "SIZES",
    "GridCell",
    "GridColumn",
    "GridRow",
    "More",
    "PaperGrid",
    "PaperTable",
    "Sentence",
    "paper_grid",
]


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """How a table for a paper is to look.

    Attributes:
        columns: of the page that it spans, 1 or 2.
        width_mm: of the text; that of common layouts where not given.
        decimals: digits behind the point of all metrics; their own where not given.
        order: ``rate`` (lowest first) or the name of a metric (best first) to sort codecs by, else
            the order of the suite.
        transposed: codecs are columns, rates and metrics are rows.
        spanning: corpora and conditions stand side by side under spanning heads, else one below
            the other.
        more: what is printed beside rates and metrics.
        caption: text in the language of the format; made from the run's name where not given.
        label: for references, likewise.
    """

    columns: int = 2
    width_mm: float | None = None
    decimals: int | None = None
    order: str = ""
    transposed: bool = False
    spanning: bool = False
    more: tuple[More, ...] = ()
    caption: str | None = None
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class GridColumn:
    """A column: its heading, the second line of it, and the head that spans it, if any.

    ``mark`` stands raised at the heading.
    """

    label: str
    unit: str = ""
    arrow: str = ""
    mark: str = ""
    head: str = ""


@dataclass(frozen=True)
class GridCell:
    """What is printed, and what is known of it."""

    text: CellText
    cell: Cell = field(default_factory=Cell)


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """A row; rows of one ``head`` follow each other below it."""

    label: str
    cells: tuple[GridCell, ...]
    mark: str = ""
    head: str = ""


Sentence = tuple[str, str]
"""A raised mark, which may be empty, and a text."""


@dataclass(frozen=True, kw_only=True)
class PaperGrid:
    """The table as it is to be set.

    Attributes:
        first: heading of the column of names.
        size: of type, a name of :data:`SIZES`.
        fits: whether it is as wide as the page at most, as far as can be told.
        caption, label: plain text, for where the user gave none.
        notes: below the table, three at most unless identities were asked for.
        comments: every warning and note of the run, for the one who pastes the table.
    """

    first: str
    columns: tuple[GridColumn, ...]
    rows: tuple[GridRow, ...]
    size: str
    fits: bool
    caption: str
    label: str
    notes: tuple[tuple[Sentence, ...], ...]
    comments: tuple[str, ...]

    @property
    def heads(self) -> tuple[tuple[str, int], ...]:
        """Spanning heads with the number of columns below each; nothing where none has a text."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.head:
                spans[-1] = (column.head, spans[-1][1] + 1)
            else:
                spans.append((column.head, 1))
        return tuple(spans) if any(head for head, _ in spans) else ()


@dataclass(frozen=True)
class _Line:
    """One codec on one corpus: the text and cell of each column."""

    row: Row
    cells: tuple[GridCell, ...]


def paper_grid(report: Report, layout: PaperTable) -> PaperGrid:
    """The grid of a report."""
    groups = [(table, _lines(table, layout)) for table in report.tables]
    kinds = _kinds(report.tables[0], layout) if groups else []
    make = _side_by_side if layout.spanning and len(groups) > 1 else _below
    columns, rows = make(groups, kinds, _group_names(report.tables))
    first = "Codec"
    if layout.transposed:
        first, (columns, rows) = "", _transposed(columns, rows)
    width = WIDTHS[layout.columns] if layout.width_mm is None else layout.width_mm / MM_PER_POINT
    size, intervals, fits = _fitted(columns, rows, width)
    if not intervals:
        rows = [_bare(row) for row in rows]
    lines = [line for _, group_lines in groups for line in group_lines]
    return PaperGrid(
        first=first,
        columns=tuple(columns),
        rows=tuple(rows),
        size=size,
        fits=fits,
        caption=_caption(report),
        label=f"tab:{_slug(report.name)}",
        notes=tuple(_notes(report, lines, rows, layout)),
        comments=tuple(_comments(report)),
    )


Made = tuple[list[GridColumn], list[GridRow]]
Groups = Sequence[tuple[Table, Sequence[_Line]]]


def _below(groups: Groups, kinds: list[Column], names: list[str]) -> Made:
    rows = [
        GridRow(
            label=line.row.codec.label,
            mark=line.row.mark,
            head=f"{name}, {table.corpus.items} items" if len(groups) > 1 else "",
            cells=line.cells,
        )
        for (table, lines), name in zip(groups, names, strict=True)
        for line in lines
    ]
    return [_heading(column) for column in kinds], rows


def _side_by_side(groups: Groups, kinds: list[Column], names: list[str]) -> Made:
    """One row per codec: its rate where it was coded first, then the metrics of every corpus."""
    order = dict.fromkeys(line.row.codec.codec_id for _, lines in groups for line in lines)
    known = [{line.row.codec.codec_id: line for line in lines} for _, lines in groups]
    columns = [_heading(kinds[0])]
    for name in names:
        columns += [dataclasses.replace(_heading(column), head=name) for column in kinds[1:]]
    nothing = tuple(GridCell(CellText(ABSENT_VALUE)) for _ in kinds[1:])
    rows = []
    for codec_id in order:
        own = [lines.get(codec_id) for lines in known]
        first = next(line for line in own if line)
        cells = [first.cells[0]]
        for line in own:
            cells += line.cells[1:] if line else nothing
        rows.append(GridRow(label=first.row.codec.label, mark=first.row.mark, cells=tuple(cells)))
    return columns, rows


def _transposed(columns: list[GridColumn], rows: list[GridRow]) -> Made:
    """Codecs as columns; what spanned columns or rows spans the other now."""
    turned = [GridColumn(label=row.label, mark=row.mark, head=row.head) for row in rows]
    lines = [
        GridRow(
            label=_in_one_line(column),
            head=column.head,
            cells=tuple(row.cells[column_index] for row in rows),
        )
        for column_index, column in enumerate(columns)
    ]
    return turned, lines


def _in_one_line(column: GridColumn) -> str:
    unit = f"({column.unit})" if column.unit else ""
    return " ".join(filter(None, (column.label, unit, column.arrow)))


def _group_names(tables: Sequence[Table]) -> list[str]:
    """Conditions where all tables are of one corpus, else the names of the corpora."""
    corpora = [table.corpus for table in tables]
    if len({corpus.clean or corpus.name for corpus in corpora}) == 1 and len(corpora) > 1:
        return [corpus.condition or "clean" for corpus in corpora]
    return [corpus.name for corpus in corpora]


def _heading(column: Column) -> GridColumn:
    return GridColumn(label=column.label, unit=column.printed_unit, arrow=ARROWS[column.direction])


def _rate_column() -> Column:
    return Column(name="rate", label="Rate", unit="kbit/s", group="rate", decimals=2)


def _kinds(table: Table, layout: PaperTable) -> list[Column]:
    return [_rate_column(), *(column for _, column in _chosen(table, layout))]


def _chosen(table: Table, layout: PaperTable) -> list[tuple[int, Column]]:
    """Places and columns of the metrics, and of what else was asked for.

    Metrics against the damaged input stand there only where nothing else was measured.
    """
    groups = {column.group for column in table.columns}
    wanted = "metric" if "metric" in groups else "input"
    chosen = []
    for column_index, column in enumerate(table.columns):
        if column.group == wanted:
            digits = column.decimals
            if layout.decimals is not None:
                digits = layout.decimals + (PERCENT_DIGITS if column.is_share else 0)
            chosen.append((column_index, dataclasses.replace(column, decimals=digits)))
        elif "rtf" in layout.more and column.name.endswith("rtf_cpu"):
            chosen.append((column_index, dataclasses.replace(column, unit=f"CPU, {column.detail}")))
        elif "counts" in layout.more and column.name in ("decoded", "scored"):
            chosen.append((column_index, column))
    return chosen


def _lines(table: Table, layout: PaperTable) -> list[_Line]:
    chosen = _chosen(table, layout)
    lines = []
    for row in table.rows:
        cells = [_rate(table, row)]
        cells += [
            GridCell(cell_text(column, row.cells[column_index]), row.cells[column_index])
            for column_index, column in chosen
        ]
        lines.append(_Line(row, tuple(cells)))
    columns = [column for _, column in chosen]
    names = ["rate", *(column.name for column in columns)]
    if layout.order not in names:
        return lines
    column_index = names.index(layout.order)
    falling = column_index > 0 and columns[column_index - 1].direction != "down"

    def key(line: _Line) -> tuple[bool, bool, float]:
        """Anchors first, codecs without a number last."""
        mean = line.cells[column_index].cell.mean
        value = 0.0 if mean is None else mean
        return not line.row.codec.is_anchor, mean is None, -value if falling else value

    return sorted(lines, key=key)


def _rate(table: Table, row: Row) -> GridCell:
    """The counted rate, or the nominal one with its mark; an anchor has none."""
    names = [column.name for column in table.columns]
    payload, nominal = (row.cells[names.index(name)] for name in ("payload_kbps", "nominal_kbps"))
    if row.codec.is_anchor:
        return GridCell(CellText(ABSENT_VALUE))
    if payload.mean is not None:
        return GridCell(cell_text(_rate_column(), payload), payload)
    text = cell_text(_rate_column(), nominal)
    count = NOMINAL if nominal.mean is not None else ""
    return GridCell(CellText(text.mean, count=count), nominal)


def _fitted(
    columns: Sequence[GridColumn], rows: Sequence[GridRow], width: float
) -> tuple[str, bool, bool]:
    """Size of type, whether intervals have room, and whether all has."""
    tries = [("small", True), ("footnotesize", True), *((size, False) for size in SIZES)]
    for size, intervals in tries:
        shown = rows if intervals else [_bare(row) for row in rows]
        if _width(columns, shown, SIZES[size]) <= width:
            return size, intervals, True
    return tries[-1][0], False, False


def _width(columns: Sequence[GridColumn], rows: Sequence[GridRow], size: float) -> float:
    """Estimated width of the table in points."""
    longest = [max(_ems(label) for label in ["Codec", *(row.label for row in rows)])]
    for column_index, column in enumerate(columns):
        texts = [row.cells[column_index].text for row in rows]
        # Intervals and counts are set in the smallest type.
        numbers = max((len(one.mean) for one in texts), default=0)
        beside = max((len(one.half_width + one.count) for one in texts), default=0)
        tied = any(row.cells[column_index].cell.tied for row in rows)
        room = CHARACTER * (numbers + 0.8 * beside + (2 if beside else 0)) + TIE * tied
        longest.append(max(_ems(column.label) + 1, 0.8 * _ems(column.unit), room))
    return sum(size * length + BETWEEN for length in longest)


def _ems(text: str) -> float:
    """Estimated width of a text over the size of its type."""
    return sum(CAPITAL if letter.isupper() else CHARACTER for letter in text)


def _bare(row: GridRow) -> GridRow:
    """A row without its intervals."""
    cells = (GridCell(dataclasses.replace(one.text, half_width=""), one.cell) for one in row.cells)
    return dataclasses.replace(row, cells=tuple(cells))


def _notes(
    report: Report, lines: Iterable[_Line], rows: Iterable[GridRow], layout: PaperTable
) -> Iterator[tuple[Sentence, ...]]:
    """How to read the numbers, what is not complete, and what weights are; then identities."""
    cells = [one for row in rows for one in row.cells]
    legend: list[Sentence] = []
    if any(one.text.half_width for one in cells):
        legend.append(("", "±: half of the 95% interval."))
    best = ["bold: best"] if any(one.cell.best for one in cells) else []
    best += ["underlined: second"] if any(one.cell.second for one in cells) else []
    if any(one.cell.tied for one in cells):
        best.append(f"{SIMILAR}: not told from the best (paired tests, Holm)")
    if best:
        legend.append(("", f"{', '.join([best[0].capitalize(), *best[1:]])}."))
    gaps: list[Sentence] = []
    if any(one.text.count.startswith("(") for one in cells):
        gaps.append(("", "(n/m): only n of m items have a score."))
    if any(one.text.count == NOMINAL for one in cells):
        gaps.append((NOMINAL, "nominal rate, no bits counted."))
    shown = {line.row.mark for line in lines if line.row.mark}
    every = dict.fromkeys((*(note for t in report.tables for note in t.notes), *report.notes))
    marked = [(note.mark, f"{note.text}.") for note in every if note.mark in shown]
    yield from (tuple(part) for part in (legend, gaps, marked) if part)
    if "identities" in layout.more and report.tables:
        labels = {column.label for column in report.tables[0].columns if column.metric_id}
        for note in report.notes:
            if note.subject in labels:
                yield (("", f"{note.subject}: {note.text}."),)


def _comments(report: Report) -> Iterator[str]:
    """Every warning and note of the run, for the one who pastes the table."""
    notes = [(table.corpus.name, note) for table in report.tables for note in table.notes]
    notes += [("", note) for note in report.notes]
    for corpus, note in sorted(notes, key=lambda one: one[1].level != "warning"):
        parts = (corpus if len(report.tables) > 1 else "", note.subject, note.text)
        text = ": ".join(filter(None, parts))
        yield f"{'WARNING: ' if note.level == 'warning' else ''}{' '.join(text.split())}"


def _caption(report: Report) -> str:
    if len(report.tables) != 1:
        return report.name
    (table,) = report.tables
    return f"{report.name} on {table.corpus.name}, {table.corpus.items} items"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "results"
