"""A grid as a Typst figure: one table with rules above, below and under its heads.

Every text is a string of Typst's own, so nothing that a run says can be code. In a document of two
columns ``--columns 2`` makes it span both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from synbench_reports.render.paper_grid import (
    NOMINAL,
    SIMILAR,
    SIZES,
    GridCell,
    PaperGrid,
    PaperTable,
    paper_grid,
)
from synbench_reports.tables.table import Report

__all__ = ["render_typst"]


def render_typst(report: Report, layout: PaperTable) -> str:
    """The figure, to be read with ``#include``; ends in a newline."""
    grid = paper_grid(report, layout)
    caption = f"[{layout.caption}]" if layout.caption is not None else _text(grid.caption)
    label = layout.label if layout.label is not None else grid.label
    count = len(grid.columns)
    lines = [f"// {comment}" for comment in grid.comments]
    lines.append("#figure(")
    if layout.columns == 2:
        lines.append('  scope: "parent", placement: top,')
    lines += [f"  caption: {caption},", "  kind: table,", "  {"]
    lines.append(f"    set text(size: {SIZES[grid.size]:g}pt)")
    lines.append("    table(")
    lines.append(f"      columns: {count + 1}, stroke: none, inset: (x: 3pt, y: 2pt),")
    lines.append(f"      align: (left,) + (right,) * {count},")
    lines += (f"      {line}" for line in _body(grid))
    lines.append("    )")
    if grid.notes:
        lines.append("    set par(leading: 0.5em)")
        lines.append("    align(left, text(size: 0.9em, {")
        for note in grid.notes:
            parts = " + ".join(
                f"super({_text(mark)}) + {_text(text + ' ')}" if mark else _text(f"{text} ")
                for mark, text in note
            )
            lines.append(f"      block(above: 0.4em, below: 0.4em, {parts})")
        lines.append("    }))")
    lines += ["  },", f") <{label}>"]
    return "\n".join(lines) + "\n"


def _body(grid: PaperGrid) -> Iterator[str]:
    yield "table.hline(stroke: 0.8pt),"
    if grid.heads:
        heads = (f"table.cell(colspan: {n}, align(center, {_text(h)}))" for h, n in grid.heads)
        yield f"[], {', '.join(heads)},"
        column_number = 1
        for head, count in grid.heads:
            if head:
                end = column_number + count
                yield f"table.hline(start: {column_number}, end: {end}, stroke: 0.4pt),"
            column_number += count
    labels = (
        _sum(
            _text(column.label),
            f"super({_text(column.mark)})" if column.mark else "",
            _text(f" {column.arrow}") if column.arrow else "",
            f"linebreak() + text(size: 0.85em, {_text(column.unit)})" if column.unit else "",
        )
        for column in grid.columns
    )
    yield f"{_text(grid.first)}, {', '.join(labels)},"
    head = ""
    for row in grid.rows:
        if row.head != head or row is grid.rows[0]:
            head = row.head
            yield "table.hline(stroke: 0.4pt),"
            if head:
                span = len(grid.columns) + 1
                yield f"table.cell(colspan: {span}, align: left, emph({_text(head)})),"
        label = _sum(_text(row.label), f"super({_text(row.mark)})" if row.mark else "")
        yield f"{label}, {', '.join(map(_cell, row.cells))},"
    yield "table.hline(stroke: 0.8pt),"


def _cell(one: GridCell) -> str:
    text, cell = one.text, one.cell
    mean = _text(text.mean)
    if cell.best:
        mean = f"strong({mean})"
    elif cell.second:
        mean = f"underline({mean})"
    half = f"text(size: 0.8em, {_text(f' ± {text.half_width}')})" if text.half_width else ""
    count = f"text(size: 0.8em, {_text(f' {text.count}')})" if text.count else ""
    if text.count == NOMINAL:
        count = f"super({_text(NOMINAL)})"
    return _sum(mean, f"super({_text(SIMILAR)})" if cell.tied else "", half, count)


def _sum(*parts: str) -> str:
    known = [part for part in parts if part]
    # A string alone is content only inside brackets.
    return " + ".join(known) if len(known) > 1 else f"[#{known[0]}]"


def _text(text: str) -> str:
    """A string of Typst: JSON without the escapes that Typst writes in another way."""
    line = " ".join(text.split()) if text.strip() == text else text
    plain = "".join(letter for letter in line if letter.isprintable())
    return json.dumps(plain, ensure_ascii=False)
