"""Published tables beside measured means, with a verdict per cell.

A cell of a paper is matched by the codec's name, its nominal bit rate, and the metric's column; the
corpus must have been coded at the paper's sample rate. The verdict is one of

    agrees         the difference is within the tolerance that the specification states
    differs        it is not
    other weights  a score exists, but not of the weights that the paper scored
    not run        the run has no such score

Only recordings count as the paper's own weights: a specification says so where nothing else was
released. How far the paper's items are those of the run is for the reader to judge, so the number
of items stands in every line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from synbench.errors import UsageError
from synbench_reports.layout import NOTHING
from synbench_reports.table import Cell, Report

Verdict = Literal["agrees", "differs", "other weights", "not run"]
RATE_SLACK = 0.01

__all__ = ["Line", "PublishedTable", "Verdict", "compare", "read_paper", "render_lines"]


@dataclass(frozen=True, kw_only=True)
class PublishedColumn:
    """One column; ``tolerance`` is the difference that still agrees, in the metric's unit."""

    metric: str
    label: str
    sample_rate: int
    bitrate_bps: float
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class PublishedTable:
    """One table of a paper; ``rows`` has one value per column under each codec's name."""

    paper: str
    source: str
    weights: str
    number: str
    caption: str
    status: str
    columns: tuple[PublishedColumn, ...]
    rows: dict[str, tuple[float, ...]]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One published value and what was measured; ``cell`` is ``None`` where nothing was."""

    codec: str
    column: PublishedColumn
    published: float
    cell: Cell | None
    verdict: Verdict

    @property
    def difference(self) -> float | None:
        """Measured minus published."""
        mean = None if self.cell is None else self.cell.mean
        return None if mean is None else mean - self.published


def read_paper(name: str) -> dict[str, PublishedTable]:
    """The tables of a packaged specification, by number.

    Raises:
        UsageError: no paper of that name; the message offers the close ones.
    """
    import yaml

    folder = Path(str(resources.files("synbench_reports"))) / "papers"
    known = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if name not in known:
        close = difflib.get_close_matches(name, known)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
        raise UsageError(f"no paper {name!r}; {hint}")
    content: dict[str, Any] = yaml.safe_load(known[name].read_text(encoding="utf-8"))
    common = {key: content[key] for key in ("paper", "source", "weights")}
    return {number: _table(number, record, common) for number, record in content["tables"].items()}


def _table(number: str, record: dict[str, Any], common: dict[str, str]) -> PublishedTable:
    columns = tuple(PublishedColumn(**column) for column in record["columns"])
    rows = {codec: tuple(map(float, values)) for codec, values in record["rows"].items()}
    for codec, values in rows.items():
        if len(values) != len(columns):
            raise ValueError(f"{number}, {codec}: expected {len(columns)} values: {values}")
    return PublishedTable(
        **common,
        number=number,
        caption=record["caption"],
        status=record["status"],
        columns=columns,
        rows=rows,
    )


def compare(
    table: PublishedTable, reports: Sequence[Report], sample_rates: dict[Path, dict[str, int]]
) -> list[Line]:
    """One line per published value, in the paper's order.

    Args:
        reports: of any number of runs; the first that has a score counts.
        sample_rates: by run folder and corpus, in Hz.
    """
    lines = []
    for codec, values in table.rows.items():
        for column, published in zip(table.columns, values, strict=True):
            found = next(_measured(codec, column, reports, sample_rates), None)
            cell, own = found if found else (None, False)
            lines.append(
                Line(
                    codec=codec,
                    column=column,
                    published=published,
                    cell=cell,
                    verdict=_verdict(column, published, cell, own),
                )
            )
    return lines


def _measured(
    codec: str,
    column: PublishedColumn,
    reports: Sequence[Report],
    sample_rates: dict[Path, dict[str, int]],
) -> Iterator[tuple[Cell, bool]]:
    for report in reports:
        for table in report.tables:
            if sample_rates[report.folder].get(table.corpus.name) != column.sample_rate:
                continue
            for row in table.rows:
                rate = row.codec.nominal_bps
                if _plain(row.codec.label) != _plain(codec) or rate is None:
                    continue
                if abs(rate - column.bitrate_bps) > RATE_SLACK * column.bitrate_bps:
                    continue
                for place, measured in enumerate(table.columns):
                    if measured.name == column.metric and row.cells[place].mean is not None:
                        yield row.cells[place], not row.codec.bits_counted


def _verdict(column: PublishedColumn, published: float, cell: Cell | None, own: bool) -> Verdict:
    if cell is None or cell.mean is None:
        return "not run"
    if not own:
        return "other weights"
    # A hair more than the tolerance, so that rounding does not decide at its edge.
    near = abs(cell.mean - published) <= column.tolerance * (1 + 1e-9)
    return "agrees" if near else "differs"


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


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


def render_lines(
    table: PublishedTable, lines: Sequence[Line], reports: Sequence[Report], form: str
) -> str:
    """The comparison as ``markdown`` or ``latex``, ending in a newline."""
    status = "" if table.status == "final" else f" [{table.status}]"
    caption = f"{table.paper}, Table {table.number}{status}: {table.caption}"
    corpora = [found.corpus for report in reports for found in report.tables]
    measured = "; ".join(
        f"{corpus.name}, {corpus.items} items, digest {corpus.digest[:12]}" for corpus in corpora
    )
    note = (
        f"Published: {table.source}; weights {table.weights}. "
        f"Measured on: {measured or 'nothing'}. "
        "Recordings are taken as decoded with the paper's weights; whether the items are the "
        "paper's is not checked."
    )
    fields = [_fields(line) for line in lines]
    if form == "latex":
        from synbench_reports.render_latex import escaped

        body = [" & ".join(map(escaped, row)) + r" \\" for row in fields]
        return (
            "\n".join(
                (
                    r"% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}",
                    r"\begin{table*}",
                    r"\centering",
                    r"\small",
                    rf"\caption{{{escaped(caption)}}}",
                    r"\begin{tabular}{llrrrrrl}",
                    r"\toprule",
                    " & ".join(HEADINGS) + r" \\",
                    r"\midrule",
                    *body,
                    r"\bottomrule",
                    r"\end{tabular}",
                    r"\par\medskip\raggedright\footnotesize",
                    escaped(note),
                    r"\end{table*}",
                )
            )
            + "\n"
        )
    head = [f"| {' | '.join(HEADINGS)} |", "|---|---|---:|---:|---:|---:|---:|---|"]
    body = [f"| {' | '.join(row)} |" for row in fields]
    return "\n".join((f"# {caption}", "", *head, *body, "", note)) + "\n"


def _fields(line: Line) -> tuple[str, ...]:
    cell, difference = line.cell, line.difference
    measured = items = gap = NOTHING
    if cell is not None and cell.mean is not None and difference is not None:
        half = cell.half_width
        measured = f"{cell.mean:.3f}" + ("" if half is None else f" ± {half:.3f}")
        items, gap = str(cell.scored), f"{difference:+.3f}"
    return (
        line.codec,
        line.column.label,
        f"{line.published:.3f}",
        measured,
        items,
        gap,
        f"{line.column.tolerance:g}",
        line.verdict,
    )
