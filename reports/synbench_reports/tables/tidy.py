"""A report as tidy lines: one per corpus, codec and column, for CSV, Parquet and other programs."""

from __future__ import annotations

from collections.abc import Iterator

from synbench_reports.tables.table import Report

COLUMNS = {
    "corpus": "string",
    "codec": "string",
    "codec_spec": "string",
    "codec_id": "string",
    "kind": "string",
    "group": "string",
    "column": "string",
    "metric_id": "string",
    "unit": "string",
    "mean": "float64",
    "low": "float64",
    "high": "float64",
    "n_planned": "int64",
    "n_scored": "int64",
    "n_failed": "int64",
    "n_not_applicable": "int64",
    "n_missing": "int64",
    "best": "bool_",
    "note": "string",
    "training_note": "string",
}

Line = tuple[str | float | int | bool | None, ...]

__all__ = ["COLUMNS", "tidy_lines"]


def tidy_lines(report: Report) -> Iterator[Line]:
    """Lines in the order of :data:`COLUMNS`.

    The group "count" is left out, since every line has its own counts; counts are empty where a
    number is no mean over items. Rates are in kbit/s, real-time factors have no unit.
    """
    for table in report.tables:
        for row in table.rows:
            codec = row.codec
            for column, cell in zip(table.columns, row.cells, strict=True):
                if column.group == "count":
                    continue
                counts = (cell.scored, cell.failed, cell.not_applicable, cell.missing)
                yield (
                    table.corpus.name,
                    codec.label,
                    codec.spec,
                    codec.codec_id,
                    codec.kind,
                    column.group,
                    column.name,
                    column.metric_id,
                    "" if column.group == "cost" else column.unit,
                    cell.mean,
                    cell.low,
                    cell.high,
                    cell.planned,
                    *((None,) * 4 if cell.planned is None else counts),
                    cell.best,
                    cell.note,
                    codec.training_note,
                )
