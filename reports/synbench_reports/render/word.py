"""A grid as a Word document with one plain table, written without any library for Word.

The parts are those of ECMA-376 (Office Open XML) that a table needs; a wide one lies across.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.sax.saxutils import escape

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

MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="word/document.xml" Type="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships/officeDocument"/></Relationships>'
)
# The date of every part, so that the same table gives the same bytes.
MOMENT = (1980, 1, 1, 0, 0, 0)
# A page of A4 in twentieths of a point, and how many columns it holds upright.
SHORT, LONG, UPRIGHT = 11906, 16838, 8
RULES = {"top": 8, "head": 4, "bottom": 8}

__all__ = ["render_word"]


def render_word(report: Report, layout: PaperTable) -> bytes:
    """The bytes of a ``.docx`` file."""
    grid = paper_grid(report, layout)
    caption = layout.caption if layout.caption is not None else grid.caption
    size = round(2 * SIZES[grid.size])
    body = [_paragraph(_run("Table 1. ", size, bold=True) + _run(caption, size))]
    body.append(_table(grid, size))
    for note in grid.notes:
        runs = "".join(
            (_run(mark, size, raised=True) if mark else "") + _run(f"{text} ", size)
            for mark, text in note
        )
        body.append(_paragraph(runs))
    across = len(grid.columns) > UPRIGHT
    wide, high = (LONG, SHORT) if across else (SHORT, LONG)
    turned = ' w:orient="landscape"' if across else ""
    section = (
        f'<w:sectPr><w:pgSz w:w="{wide}" w:h="{high}"{turned}/><w:pgMar w:top="1134" '
        'w:right="1134" w:bottom="1134" w:left="1134" w:header="709" w:footer="709" '
        'w:gutter="0"/></w:sectPr>'
    )
    document = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<w:document xmlns:w="{MAIN}"><w:body>{"".join(body)}{section}</w:body></w:document>'
    )
    parts = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELATIONS,
        "word/document.xml": document,
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, MOMENT), text.encode())
    return target.getvalue()


def _table(grid: PaperGrid, size: int) -> str:
    count = len(grid.columns)
    columns = '<w:gridCol w:w="900"/>' * count
    return (
        '<w:tbl><w:tblPr><w:tblW w:w="0" w:type="auto"/><w:tblLayout w:type="autofit"/>'
        '<w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/>'
        f'</w:tblCellMar></w:tblPr><w:tblGrid><w:gridCol w:w="2400"/>{columns}</w:tblGrid>'
        f"{''.join(_rows(grid, size))}</w:tbl>"
    )


def _rows(grid: PaperGrid, size: int) -> Iterator[str]:
    if grid.heads:
        cells = [_cell("", rule="top")]
        for head, span in grid.heads:
            runs = _run(head, size, bold=True) if head else ""
            cells.append(_cell(runs, rule="top", span=span, align="center"))
        yield _row(cells, head=True)
    rule = "" if grid.heads else "top"
    cells = [_cell(_run(grid.first, size, bold=True), rule=rule, align="left")]
    for column in grid.columns:
        runs = _run(f"{column.label} {column.arrow}".strip(), size, bold=True)
        runs += _run(column.mark, size, raised=True) if column.mark else ""
        runs += f"<w:r><w:br/></w:r>{_run(column.unit, size - 2)}" if column.unit else ""
        cells.append(_cell(runs, rule=rule))
    yield _row(cells, head=True)
    head = ""
    for row_index, row in enumerate(grid.rows):
        rule = "head" if row.head != head or row_index == 0 else ""
        if row.head and row.head != head:
            runs = _run(row.head, size, italic=True)
            yield _row([_cell(runs, rule=rule, span=len(grid.columns) + 1, align="left")])
            rule = ""
        head = row.head
        last = "bottom" if row_index == len(grid.rows) - 1 else ""
        label = _run(row.label, size) + (_run(row.mark, size, raised=True) if row.mark else "")
        cells = [_cell(label, rule=rule, last=last, align="left")]
        cells += [_cell(_number(one, size), rule=rule, last=last) for one in row.cells]
        yield _row(cells)


def _number(one: GridCell, size: int) -> str:
    text, cell = one.text, one.cell
    runs = _run(text.mean, size, bold=cell.best, underlined=cell.second)
    runs += _run(SIMILAR, size, raised=True) if cell.tied else ""
    runs += _run(f" ± {text.half_width}", size - 3) if text.half_width else ""
    if text.count == NOMINAL:
        return runs + _run(NOMINAL, size, raised=True)
    return runs + (_run(f" {text.count}", size - 3) if text.count else "")


def _row(cells: list[str], *, head: bool = False) -> str:
    repeated = "<w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>" if head else ""
    return f"<w:tr>{repeated}{''.join(cells)}</w:tr>"


def _cell(runs: str, *, rule: str = "", last: str = "", span: int = 1, align: str = "right") -> str:
    wide = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    lines = "".join(
        f'<w:{side} w:val="single" w:sz="{RULES[kind]}" w:space="0" w:color="auto"/>'
        for side, kind in (("top", rule), ("bottom", last))
        if kind
    )
    borders = f"<w:tcBorders>{lines}</w:tcBorders>" if lines else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="0" w:type="auto"/>{wide}{borders}</w:tcPr>'
        f"{_paragraph(runs, align=align)}</w:tc>"
    )


def _paragraph(runs: str, *, align: str = "left") -> str:
    return (
        '<w:p><w:pPr><w:spacing w:before="20" w:after="20"/>'
        f'<w:jc w:val="{align}"/></w:pPr>{runs}</w:p>'
    )


def _run(
    text: str,
    size: int,
    *,
    bold: bool = False,
    italic: bool = False,
    underlined: bool = False,
    raised: bool = False,
) -> str:
    """A piece of text; ``size`` is in half points."""
    looks = "".join(
        part
        for part, wanted in (
            ("<w:b/>", bold),
            ("<w:i/>", italic),
            (f'<w:sz w:val="{size}"/>', True),
            ('<w:u w:val="single"/>', underlined),
            ('<w:vertAlign w:val="superscript"/>', raised),
        )
        if wanted
    )
    plain = "".join(letter for letter in text if letter.isprintable())
    return f'<w:r><w:rPr>{looks}</w:rPr><w:t xml:space="preserve">{escape(plain)}</w:t></w:r>'
