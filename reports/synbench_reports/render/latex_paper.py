r"""A grid as one LaTeX float for a paper, one column wide (``table``) or two (``table*``).

Costs, counts, identities of metrics and all that is to be known of a run are in the tables of
:mod:`~.latex`; here every warning and note stands as a comment above the float, so that none is
lost and none has to be cut out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synbench_reports.render.latex import (
    PACKAGES,
    SETUP,
    escaped,
    number_columns,
    number_field,
)
from synbench_reports.render.paper_grid import (
    NOMINAL,
    GridCell,
    GridColumn,
    GridRow,
    PaperGrid,
    PaperTable,
    paper_grid,
)
from synbench_reports.tables.table import Report

__all__ = ["PaperTable", "render_paper"]


def render_paper(report: Report, layout: PaperTable | None = None) -> str:
    """The float, to be read with ``\\input``; ends in a newline."""
    layout = PaperTable() if layout is None else layout
    grid = paper_grid(report, layout)
    text = [f"% needs {PACKAGES}", *(f"% {comment}" for comment in grid.comments)]
    if not grid.fits:
        text.append("% wider than the page: name fewer columns with --metrics, or --columns 2")
    star = "*" if layout.columns == 2 else ""
    text += [rf"\begin{{table{star}}}[t]", r"\centering", rf"\{grid.size}", SETUP]
    caption = layout.caption if layout.caption is not None else escaped(grid.caption)
    label = layout.label if layout.label is not None else grid.label
    text += [rf"\caption{{{caption}}}", rf"\label{{{label}}}"]
    text += _tabular(grid)
    text += _notes(grid)
    text.append(rf"\end{{table{star}}}")
    return "\n".join(text) + "\n"


def _tabular(grid: PaperGrid) -> Iterator[str]:
    columns, rows = grid.columns, grid.rows
    beside = [
        any(_beside(row.cells[column_index]) for row in rows)
        for column_index in range(len(columns))
    ]
    kinds = [
        number_columns(row.cells[column_index].text.mean for row in rows)
        + (r"@{\,}l" if wide else "")
        for column_index, wide in enumerate(beside)
    ]
    spans = [1 + wide for wide in beside]
    yield rf"\begin{{tabular}}{{@{{}}l{''.join(kinds)}@{{}}}}"
    yield r"\toprule"
    yield from _spanning_heads(grid, spans)
    yield _joined(grid.first, _spread([_label(column) for column in columns], spans))
    if any(column.unit for column in columns):
        units = [
            rf"\scriptsize {escaped(column.unit)}" if column.unit else "" for column in columns
        ]
        yield _joined("", _spread(units, spans))
    head = ""
    for row in rows:
        if row.head != head or row is rows[0]:
            head = row.head
            yield r"\midrule"
            if head:
                span = 1 + sum(spans)
                yield rf"\multicolumn{{{span}}}{{@{{}}l@{{}}}}{{\emph{{{escaped(head)}}}}} \\"
        yield _row(row, beside)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _spanning_heads(grid: PaperGrid, spans: Sequence[int]) -> Iterator[str]:
    """A line of heads, and a rule below each that leaves a gap to its neighbours."""
    fields, rules = [], []
    column_index, start = 0, 2
    for head, count in grid.heads:
        width = sum(spans[column_index : column_index + count])
        fields.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(head)}}}")
        if head:
            rules.append(rf"\cmidrule(lr){{{start}-{start + width - 1}}}")
        column_index, start = column_index + count, start + width
    if fields:
        yield _joined("", fields)
        yield "".join(rules)


def _row(row: GridRow, beside: Sequence[bool]) -> str:
    fields = []
    for one, wide in zip(row.cells, beside, strict=True):
        number = number_field(one.text.mean, best=one.cell.best, second=one.cell.second)
        fields.append(f"{number} & {_beside(one)}".rstrip() if wide else number)
    return _joined(escaped(row.label) + _raised(row.mark), fields)


def _label(column: GridColumn) -> str:
    return f"{escaped(column.label)}{_raised(column.mark)} {escaped(column.arrow)}".strip()


def _beside(one: GridCell) -> str:
    """The mark of a tie, the interval, and the count or the mark of a nominal rate."""
    text = one.text
    tie = r"$^{\sim}$" if one.cell.tied else ""
    half = rf"\scriptsize$\pm$\,{text.half_width}" if text.half_width else ""
    count = _raised(text.count) if text.count == NOMINAL else rf"\scriptsize {text.count}"
    return " ".join(filter(None, (tie, half, count if text.count else "")))


def _notes(grid: PaperGrid) -> Iterator[str]:
    if grid.notes:
        yield r"\par\smallskip\raggedright\footnotesize"
    for note in grid.notes:
        yield " ".join(f"{_raised(mark)}{escaped(text)}" for mark, text in note) + r"\par"


def _spread(texts: Sequence[str], spans: Sequence[int]) -> list[str]:
    # A heading wider than its numbers begins where they do: what is left over is behind both.
    return [
        rf"\multicolumn{{{span}}}{{{'l' if span > 1 else 'c'}}}{{{text}}}"
        for text, span in zip(texts, spans, strict=True)
    ]


def _joined(first: str, fields: Sequence[str]) -> str:
    return " & ".join([first, *fields]) + r" \\"


def _raised(mark: str) -> str:
    return rf"\textsuperscript{{{mark}}}" if mark else ""
