r"""A report as one LaTeX float for a paper: rates and metrics, all corpora, three notes at most.

Costs, counts, identities of metrics and all that is to be known of a run are in the tables of
:mod:`~.latex`; here every warning and note stands as a comment above the float, so that none is
lost and none has to be cut out. The float is one column wide (``table``) or two (``table*``). What
does not fit is set smaller, and then without its intervals; the number of items stays wherever not
all count. Widths are estimated for the narrowest of common layouts (Interspeech, 80 and 170 mm).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass

from synbench_reports.render.latex import (
    ARROWS,
    PACKAGES,
    SETUP,
    escaped,
    number_columns,
    number_field,
)
from synbench_reports.render.layout import ABSENT_VALUE, CellText, cell_text
from synbench_reports.tables.table import Cell, Column, Report, Row, Table

# Points across one and two columns of text.
WIDTHS = {1: 226.0, 2: 482.0}
# Sizes of type in points in a document of 10 points, the largest first.
SIZES = {"small": 9.0, "footnotesize": 8.0, "scriptsize": 7.0}
# Widths of characters over the size of their type, and space around a column (tabcolsep 4 pt).
CHARACTER, CAPITAL, BETWEEN = 0.52, 0.76, 8.0
NOMINAL_MARK = "n"

__all__ = ["PaperTable", "render_paper"]


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """How a float is to look.

    Attributes:
        columns: of the page that it spans, 1 or 2.
        decimals: digits behind the point of all metrics; their own where not given.
        order: ``rate`` (lowest first) or the name of a metric (best first) to sort codecs by, else
            the order of the suite.
        caption, label: LaTeX as it is; made from the run's name where not given.
    """

    columns: int = 2
    decimals: int | None = None
    order: str = ""
    caption: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class _Line:
    """One row of the float: the codec, and the text and cell of each column."""

    row: Row
    cells: tuple[tuple[CellText, Cell], ...]


def render_paper(report: Report, layout: PaperTable | None = None) -> str:
    """The float, to be read with ``\\input``; ends in a newline."""
    layout = PaperTable() if layout is None else layout
    groups = [(table, _lines(table, layout)) for table in report.tables]
    columns = [_rate_column(), *_metrics(report.tables[0], layout)] if groups else []
    lines = [line for _, group_lines in groups for line in group_lines]
    size, intervals, fits = _fitted(columns, lines, WIDTHS[layout.columns])
    if not intervals:
        groups = [(table, [_bare(line) for line in group_lines]) for table, group_lines in groups]
        lines = [line for _, group_lines in groups for line in group_lines]
    text = [f"% needs {PACKAGES}", *_comments(report)]
    if not fits:
        text.append("% wider than the page: name fewer columns with --metrics, or --columns 2")
    star = "*" if layout.columns == 2 else ""
    text += [rf"\begin{{table{star}}}[t]", r"\centering", rf"\{size}", SETUP]
    caption = layout.caption if layout.caption is not None else _caption(report)
    label = layout.label if layout.label is not None else f"tab:{_slug(report.name)}"
    text += [rf"\caption{{{caption}}}", rf"\label{{{label}}}"]
    text += _tabular(columns, groups)
    text += _notes(report, lines)
    text.append(rf"\end{{table{star}}}")
    return "\n".join(text) + "\n"


def _rate_column() -> Column:
    return Column(name="rate", label="Rate", unit="kbit/s", group="rate", decimals=2)


def _metrics(table: Table, layout: PaperTable) -> list[Column]:
    columns = [table.columns[index] for index in _metric_indices(table)]
    if layout.decimals is None:
        return columns
    return [dataclasses.replace(column, decimals=layout.decimals) for column in columns]


def _metric_indices(table: Table) -> list[int]:
    """Of the metrics; against the damaged input only where nothing else was asked for."""
    groups = [column.group for column in table.columns]
    wanted = "metric" if "metric" in groups else "input"
    return [index for index, group in enumerate(groups) if group == wanted]


def _lines(table: Table, layout: PaperTable) -> list[_Line]:
    column_indices = _metric_indices(table)
    columns = _metrics(table, layout)
    lines = []
    for row in table.rows:
        cells = [_rate(table, row)]
        for column, column_index in zip(columns, column_indices, strict=True):
            cells.append((cell_text(column, row.cells[column_index]), row.cells[column_index]))
        lines.append(_Line(row, tuple(cells)))
    names = ["rate", *(column.name for column in columns)]
    if layout.order not in names:
        return lines
    column_index = names.index(layout.order)
    falling = column_index > 0 and columns[column_index - 1].direction != "down"

    def key(line: _Line) -> tuple[bool, bool, float]:
        """Anchors first, codecs without a number last."""
        mean = line.cells[column_index][1].mean
        value = 0.0 if mean is None else mean
        return not line.row.codec.is_anchor, mean is None, -value if falling else value

    return sorted(lines, key=key)


def _rate(table: Table, row: Row) -> tuple[CellText, Cell]:
    """The counted rate, or the nominal one with its mark; an anchor has none."""
    names = [column.name for column in table.columns]
    payload, nominal = (row.cells[names.index(name)] for name in ("payload_kbps", "nominal_kbps"))
    if row.codec.is_anchor:
        return CellText(ABSENT_VALUE), Cell()
    if payload.mean is not None:
        return cell_text(_rate_column(), payload), payload
    text = cell_text(_rate_column(), nominal)
    return CellText(text.mean, count=NOMINAL_MARK if nominal.mean is not None else ""), nominal


def _fitted(columns: list[Column], lines: list[_Line], width: float) -> tuple[str, bool, bool]:
    """Size of type, whether intervals have room, and whether all has."""
    tries = [("small", True), ("footnotesize", True), *((size, False) for size in SIZES)]
    for size, intervals in tries:
        shown = lines if intervals else [_bare(line) for line in lines]
        if _width(columns, shown, SIZES[size]) <= width:
            return size, intervals, True
    return tries[-1][0], False, False


def _width(columns: list[Column], lines: list[_Line], size: float) -> float:
    """Estimated width of the float in points."""
    longest = [max(_ems(label) for label in ["Codec", *(line.row.codec.label for line in lines)])]
    for column_index, column in enumerate(columns):
        texts = [line.cells[column_index][0] for line in lines]
        # Intervals and counts are set in the smallest type.
        numbers = max(len(one.mean) for one in texts) if texts else 0
        beside = max(len(one.half_width + one.count) for one in texts) if texts else 0
        room = CHARACTER * (numbers + 0.8 * beside + (3 if beside else 0))
        longest.append(max(_ems(column.label) + 1, 0.8 * _ems(column.unit), room))
    return sum(size * length + BETWEEN for length in longest)


def _ems(text: str) -> float:
    """Estimated width of a text over the size of its type."""
    return sum(CAPITAL if letter.isupper() else CHARACTER for letter in text)


def _bare(line: _Line) -> _Line:
    """A row without its intervals."""
    cells = ((dataclasses.replace(text, half_width=""), cell) for text, cell in line.cells)
    return _Line(line.row, tuple(cells))


def _tabular(columns: list[Column], groups: list[tuple[Table, list[_Line]]]) -> Iterator[str]:
    lines = [line for _, group_lines in groups for line in group_lines]
    beside = [
        any(_beside(*line.cells[column_index]) for line in lines)
        for column_index in range(len(columns))
    ]
    kinds = [
        number_columns(line.cells[column_index][0].mean for line in lines)
        + (r"@{\,}l" if beside[column_index] else "")
        for column_index in range(len(columns))
    ]
    yield rf"\begin{{tabular}}{{@{{}}l{''.join(kinds)}@{{}}}}"
    yield r"\toprule"
    spans = [1 + wide for wide in beside]
    heads = [f"{escaped(column.label)} {ARROWS[column.direction]}".strip() for column in columns]
    yield _joined("Codec", [_spanning(*head) for head in zip(heads, spans, strict=True)])
    if any(column.unit for column in columns):
        units = [
            rf"\scriptsize {escaped(column.unit)}" if column.unit else "" for column in columns
        ]
        yield _joined("", [_spanning(*unit) for unit in zip(units, spans, strict=True)])
    for table, group_lines in groups:
        yield r"\midrule"
        if len(groups) > 1:
            head = f"{table.corpus.name}, {table.corpus.items} items"
            yield rf"\multicolumn{{{1 + sum(spans)}}}{{@{{}}l@{{}}}}{{\emph{{{escaped(head)}}}}} \\"
        for line in group_lines:
            fields = []
            for (text, cell), wide in zip(line.cells, beside, strict=True):
                number = number_field(text.mean, best=cell.best, second=cell.second)
                fields.append(f"{number} & {_beside(text, cell)}".rstrip() if wide else number)
            yield _joined(escaped(line.row.codec.label) + _raised(line.row.mark), fields)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _beside(text: CellText, cell: Cell) -> str:
    """The mark of a tie, the interval, and the count or the mark of a nominal rate."""
    tie = r"$^{\sim}$" if cell.tied else ""
    half = rf"\scriptsize$\pm$\,{text.half_width}" if text.half_width else ""
    count = _raised(text.count) if text.count == NOMINAL_MARK else rf"\scriptsize {text.count}"
    return " ".join(filter(None, (tie, half, count if text.count else "")))


def _notes(report: Report, lines: list[_Line]) -> Iterator[str]:
    """At most three: how to read the numbers, what is not complete, and what weights are."""
    cells = [entry for line in lines for entry in line.cells]
    legend = []
    if any(text.half_width for text, _ in cells):
        legend.append(r"$\pm$: half of the 95\% interval.")
    best = ["bold: best"] if any(cell.best for _, cell in cells) else []
    best += ["underlined: second"] if any(cell.second for _, cell in cells) else []
    if any(cell.tied for _, cell in cells):
        best.append(r"$\sim$: not told from the best (paired tests, Holm)")
    if best:
        legend.append(f"{', '.join([best[0].capitalize(), *best[1:]])}.")
    gaps = []
    if any(text.count.startswith("(") for text, _ in cells):
        gaps.append("(n/m): only n of m items have a score.")
    if any(text.count == NOMINAL_MARK for text, _ in cells):
        gaps.append(rf"\textsuperscript{{{NOMINAL_MARK}}}nominal rate, no bits counted.")
    shown = {line.row.mark for line in lines if line.row.mark}
    marked = [
        f"{_raised(note.mark)}{escaped(note.text)}."
        for note in dict.fromkeys((*(n for t in report.tables for n in t.notes), *report.notes))
        if note.mark in shown
    ]
    notes = [" ".join(part) for part in (legend, gaps, marked) if part]
    if notes:
        yield r"\par\smallskip\raggedright\footnotesize"
        yield from (rf"{note}\par" for note in notes)


def _comments(report: Report) -> Iterator[str]:
    """Every warning and note of the run, for the one who pastes the float."""
    notes = [(table.corpus.name, note) for table in report.tables for note in table.notes]
    notes += [("", note) for note in report.notes]
    for corpus, note in sorted(notes, key=lambda one: one[1].level != "warning"):
        parts = (corpus if len(report.tables) > 1 else "", note.subject, note.text)
        text = ": ".join(filter(None, parts))
        yield f"% {'WARNING: ' if note.level == 'warning' else ''}{' '.join(text.split())}"


def _caption(report: Report) -> str:
    if len(report.tables) != 1:
        return escaped(report.name)
    (table,) = report.tables
    return escaped(f"{report.name} on {table.corpus.name}, {table.corpus.items} items")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "results"


def _joined(first: str, fields: list[str]) -> str:
    return " & ".join([first, *fields]) + r" \\"


def _spanning(text: str, span: int) -> str:
    return rf"\multicolumn{{{span}}}{{c}}{{{text}}}"


def _raised(mark: str) -> str:
    return rf"\textsuperscript{{{mark}}}" if mark else ""
