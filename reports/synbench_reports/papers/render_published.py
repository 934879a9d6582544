"""A published table beside measured values: as the paper lays it out, then cell by cell."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from synbench_base.decimals import fixed
from synbench_reports.figures.complexity import COLUMNS
from synbench_reports.papers import stream_facts
from synbench_reports.papers.not_run import Absent
from synbench_reports.papers.published import VERDICTS, Line
from synbench_reports.papers.specification import PublishedColumn, PublishedTable
from synbench_reports.render.latex import PACKAGES, SETUP, escaped, number_columns, number_field
from synbench_reports.render.layout import ABSENT_VALUE
from synbench_reports.render.markdown import escaped_markdown
from synbench_reports.tables.table import Cell, Report

MARKS = {
    "agrees": "=",
    "differs": "\N{NOT EQUAL TO}",
    "cannot tell": "?",
    "other weights": "w",
    "not run": "",
}
LATEX_MARKS = MARKS | {"agrees": "$=$", "differs": r"$\neq$"}
HEADINGS = (
    "Codec",
    "Column",
    "Published",
    "Measured",
    "Items",
    "Difference",
    "Tolerance",
    "Verdict",
)

__all__ = ["HEADINGS", "reasons", "render_cells", "render_latex", "render_markdown", "tally"]


def tally(lines: Sequence[Line]) -> str:
    """How often each verdict was given, ``3 agrees, 1 differs, 36 not run``."""
    counts = {verdict: sum(line.verdict == verdict for line in lines) for verdict in VERDICTS}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)


def reasons(lines: Sequence[Line]) -> Iterator[str]:
    """Why each cell has its verdict, one text for all cells of one reason."""
    cells: dict[tuple[str, str], list[str]] = {}
    for verdict in VERDICTS:
        for line in lines:
            if line.verdict == verdict:
                named = f"{line.codec} {line.column.heading}"
                cells.setdefault((verdict, " ".join(line.reason.split())), []).append(named)
    for (kind, reason), names in cells.items():
        yield f"{kind}, because {reason}: {'; '.join(names)} ({len(names)})"


def render_markdown(
    table: PublishedTable,
    lines: Sequence[Line],
    reports: Sequence[Report],
    absent: Absent = (),
    *,
    level: int = 1,
) -> str:
    """Both tables, the reasons and the notes, ending in a newline.

    Args:
        level: of the heading.
    """
    text = [f"{'#' * level} {_caption(table)}", "", f"Verdicts: {tally(lines)}.", ""]
    columns = [escaped_markdown(column.heading) for column in table.columns]
    text += [_row(["Codec", "", *columns]), _row(["---", "---", *("---:" for _ in columns)])]
    for name, row_lines in _rows(table, lines):
        published = [_published(table, line) for line in row_lines]
        text.append(_row([escaped_markdown(name), "published", *published]))
        text.append(_row(["", "measured", *map(_measured, row_lines)]))
    text += ["", *render_cells(lines), ""]
    notes = [escaped_markdown(note) for note in _notes(table, lines, reports, absent)]
    return "\n".join([*text, *(f"- {note}" for note in notes)]) + "\n"


def render_cells(lines: Sequence[Line]) -> list[str]:
    """A row per published value, and then the reasons of the verdicts."""
    text = [_row(HEADINGS), "|---|---|---:|---:|---:|---:|---:|---|"]
    text += [_row(map(escaped_markdown, _fields(line))) for line in lines]
    return [*text, "", *(f"- {escaped_markdown(reason)}" for reason in reasons(lines))]


def _published(table: PublishedTable, line: Line | None) -> str:
    if line is None:
        return ABSENT_VALUE
    mark = _mark(table, line)
    return f"{mark}{_number(line.published, line.column)}{mark}"


def render_latex(
    table: PublishedTable, lines: Sequence[Line], reports: Sequence[Report], absent: Absent = ()
) -> str:
    r"""Both tables and the notes, to be read with ``\input``."""
    text = [f"% needs {PACKAGES}"]
    text += [r"\begin{table*}", r"\centering", r"\small", SETUP]
    text.append(r"\setlength{\tabcolsep}{2.5pt}")
    text.append(rf"\caption{{{escaped(_caption(table))}}}")
    text += _paper_layout(table, lines)
    text += [r"\end{table*}", r"\begin{table*}", r"\centering", r"\footnotesize", SETUP]
    text.append(rf"\caption{{{escaped('Verdicts: ' + tally(lines))}}}")
    text += _verdicts(lines)
    text.append(r"\par\medskip\raggedright\footnotesize")
    notes = [*reasons(lines), *_notes(table, lines, reports, absent)]
    text += [rf"{escaped(note)}\par" for note in notes]
    text.append(r"\end{table*}")
    return "\n".join(text) + "\n"


def _paper_layout(table: PublishedTable, lines: Sequence[Line]) -> Iterator[str]:
    """Two rows per codec: what was published, marked as the paper marks it, and what we measure."""
    rows = list(_rows(table, lines))
    kinds = []
    for column_index, column in enumerate(table.columns):
        known = [members[column_index] for _, members in rows]
        texts = [_number(line.published, column) for line in known if line is not None]
        cells = (None if line is None else line.cell for line in known)
        texts += [_number(cell.mean, column) for cell in cells if cell and cell.mean is not None]
        kinds.append(number_columns(texts) + r"@{\,}l")
    yield rf"\begin{{tabular}}{{ll{''.join(kinds)}}}"
    yield r"\toprule"
    groups = [
        (name, len(list(members)))
        for name, members in itertools.groupby(column.group for column in table.columns)
    ]
    heads = [rf"\multicolumn{{{2 * count}}}{{c}}{{{escaped(name)}}}" for name, count in groups]
    yield _line(["", "", *heads])
    first = 3
    for _, count in groups:
        yield rf"\cmidrule(lr){{{first}-{first + 2 * count - 1}}}"
        first += 2 * count
    labels = [rf"\multicolumn{{2}}{{c}}{{{escaped(column.label)}}}" for column in table.columns]
    yield _line(["Codec", "", *labels])
    yield r"\midrule"
    for name, members in rows:
        published, measured = [], []
        for line in members:
            if line is None:
                published += ["{--}", ""]
                measured += ["{--}", ""]
                continue
            mark = _mark(table, line)
            number = _number(line.published, line.column)
            published += [number_field(number, best=mark == "**", second=mark == "*"), ""]
            measured += _latex_measured(line)
        yield _line([escaped(name), "published", *published])
        yield _line(["", "measured", *measured])
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _latex_measured(line: Line) -> list[str]:
    cell = line.cell
    if cell is None or cell.mean is None:
        return ["{--}", ""]
    half = cell.half_width
    spread = "" if half is None else rf"\scriptsize$\pm$\,{_number(half, line.column)}"
    mark = LATEX_MARKS[line.verdict]
    return [_number(cell.mean, line.column), rf"{spread}\textsuperscript{{{mark}}}"]


def _verdicts(lines: Sequence[Line]) -> Iterator[str]:
    yield r"\begin{tabular}{llrrrrrl}"
    yield r"\toprule"
    yield _line(list(HEADINGS))
    yield r"\midrule"
    for line in lines:
        fields = list(_fields(line))
        fields[5] = fields[5].replace("-", "\N{MINUS SIGN}")
        yield _line([escaped(field) for field in fields])
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _line(fields: Sequence[str]) -> str:
    return " & ".join(fields) + r" \\"


def _row(fields: Iterable[str]) -> str:
    return f"| {' | '.join(fields)} |"


def _rows(table: PublishedTable, lines: Sequence[Line]) -> Iterator[tuple[str, list[Line | None]]]:
    """By row one line per column, ``None`` where nothing is printed."""
    by_cell = {(line.row, line.column): line for line in lines}
    for row in table.rows:
        yield row, [by_cell.get((row, column)) for column in table.columns]


def _caption(table: PublishedTable) -> str:
    status = "" if table.status == "final" else f" [{table.status}]"
    number = f"Table {table.number}" if table.number[:1].isdigit() else table.number
    return f"{table.paper}, {number}{status}: {table.caption}"


def _mark(table: PublishedTable, line: Line) -> str:
    """``**`` for the best published value of a column, ``*`` for the second, as papers print."""
    if len(table.rows) < 3 or table.standard:
        return ""
    index = table.columns.index(line.column)
    column = [row[index] for row in table.rows.values()]
    values = sorted({value for value in column if value is not None})
    ordered = values[::-1] if line.column.direction == "up" else values
    return {0: "**", 1: "*"}.get(ordered.index(line.published), "")


def _number(value: float, column: PublishedColumn) -> str:
    return fixed(value, column.decimals)


def _measured(line: Line | None) -> str:
    cell = None if line is None else line.cell
    if line is None or cell is None or cell.mean is None:
        return ABSENT_VALUE
    half = cell.half_width
    spread = "" if half is None else f" ± {_number(half, line.column)}"
    return f"{_number(cell.mean, line.column)}{spread} {MARKS[line.verdict]}"


def _fields(line: Line) -> tuple[str, ...]:
    cell, difference = line.cell, line.difference
    measured = items = gap = ABSENT_VALUE
    if cell is not None and cell.mean is not None and difference is not None:
        half = cell.half_width
        spread = "" if half is None else f" ± {_number(half, line.column)}"
        measured = _number(cell.mean, line.column) + spread
        gap = fixed(difference, line.column.decimals, sign=True)
        if cell.planned is not None:
            items = str(cell.scored) if cell.scored == cell.planned else _share(cell)
    return (
        line.codec,
        line.column.heading,
        _number(line.published, line.column),
        measured,
        items,
        gap,
        f"{line.column.tolerance:g}",
        _verdict_text(line),
    )


def _verdict_text(line: Line) -> str:
    needed = line.items_needed
    return line.verdict if needed is None else f"{line.verdict} (takes about {needed} items)"


def _share(cell: Cell) -> str:
    return f"{cell.scored}/{cell.planned}"


def _notes(
    table: PublishedTable, lines: Sequence[Line], reports: Sequence[Report], absent: Absent
) -> Iterator[str]:
    yield f"Published: {table.source}; weights {table.weights}."
    corpora = [corpus_table.corpus for report in reports for corpus_table in report.tables]
    measured = "; ".join(
        f"{corpus.name}, {corpus.items} items, digest {corpus.digest[:12]}" for corpus in corpora
    )
    yield f"Measured on: {measured or 'nothing'}."
    yield (
        "= agrees: the whole 95 % interval of the measured mean lies within the tolerance of the "
        "published value; \N{NOT EQUAL TO} differs: all of it lies outside; ? cannot tell: it "
        "reaches across, with the items that would decide where the difference stays as it is; w "
        "other weights than the published; \N{EN DASH} not run. ± is half of the interval. "
        "Published values are taken as exact: their own items are not known here."
    )
    if any(line.column.metric in COLUMNS and line.cell for line in lines):
        yield (
            "Complexity: multiply-accumulates and parameters as thop counts them on 1 s of audio, "
            "of our networks; no weights are needed. They are exact counts without a sampling "
            "error: where they differ the networks or the counting do. DAC's count here is of 51 "
            "frames for 1 s where 50 hold the audio, 2 % more."
        )
    yield from table.remarks
    if any(line.column.metric in stream_facts.COLUMNS and line.cell for line in lines):
        yield (
            "Bits are counted in streams that were coded here, the delay is measured from waves "
            "and bytes; windows that fade out at the end of a frame hide up to 2 ms of it."
        )
    if table.standard:
        yield "Codecs without weights: what follows its standard counts as what was published."
    elif table.released:
        yield "A codec that loads the released checkpoint counts as having the published weights."
    else:
        yield (
            "Recordings are taken as decoded with the paper's weights; whether the items are the "
            "paper's is not checked."
        )
    for name, warning in dict.fromkeys((line.codec, line.note) for line in lines if line.note):
        yield f"Weights of {name}: {warning}"
    used = {line.column.metric for line in lines}
    for report in reports:
        labels = {
            column.label: column.name
            for corpus_table in report.tables
            for column in corpus_table.columns
        }
        for note in report.notes:
            if labels.get(note.subject) in used:
                yield f"{note.subject}: {note.text}"
    for corpus_note in dict.fromkeys(
        (note.subject, note.text)
        for report in reports
        for corpus_table in report.tables
        for note in corpus_table.notes
        if note.level == "warning"
    ):
        yield f"Warning: {corpus_note[0]}: {corpus_note[1]}"
    for name, reason in dict.fromkeys(absent):
        yield f"Not run: {name}: {' '.join(reason.split())}"
