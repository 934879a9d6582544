"""Values that papers published, as records that stand apart from everything measured here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synbench.results.planned import PlannedRun
from synbench_reports.papers.published import Line, compare
from synbench_reports.papers.specification import PublishedTable, read_paper
from synbench_reports.tables.table import Report, Table

PAPERS = ("p2psyncodec",)

__all__ = ["PAPERS", "published_values"]

Record = dict[str, Any]


def published_values(runs: Sequence[PlannedRun], tables: Sequence[Sequence[Table]]) -> list[Record]:
    """One record per table of the packaged papers that names a codec of the runs.

    Args:
        tables: of each run.
    """
    from synbench_reports.commands.reproduce import sample_rates

    reports = [
        Report(name=run.name, folder=run.folder, tables=tuple(own), notes=())
        for run, own in zip(runs, tables, strict=True)
    ]
    rates = {run.folder: sample_rates(run.folder) for run in runs}
    known = {_plain(codec.label) for run in runs for codec in run.codecs}
    records = []
    for paper in PAPERS:
        for table in read_paper(paper).tables.values():
            names = {_plain(row) for row in table.rows}
            if any(label.startswith(name) for label in known for name in names):
                records.append(_record(table, compare(table, reports, rates)))
    return records


def _record(table: PublishedTable, lines: Sequence[Line]) -> Record:
    width = len(table.columns)
    rows = [lines[start : start + width] for start in range(0, len(lines), width)]
    return {
        "paper": table.paper,
        "source": table.source,
        "weights": table.weights,
        "table": table.number,
        "caption": table.caption,
        "status": table.status,
        "columns": [
            {
                "label": column.label,
                "group": column.group,
                "metric": column.metric,
                "direction": column.direction,
                "decimals": column.decimals,
                "bitrate_kbps": column.bitrate_bps / 1000 if column.bitrate_bps else None,
                "sample_rate": column.sample_rate or None,
            }
            for column in table.columns
        ],
        "rows": [
            {
                "codec": name,
                "values": [line.published for line in row],
                "measured": [_measured(line) for line in row],
            }
            for name, row in zip(table.rows, rows, strict=True)
        ],
    }


def _measured(line: Line) -> Record | None:
    if line.cell is None or line.cell.mean is None:
        return None
    cell = line.cell
    return {
        "mean": cell.mean,
        "low": cell.low,
        "high": cell.high,
        "items": cell.scored,
        "verdict": line.verdict,
    }


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
