"""From a run folder to the table model."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from synbench.errors import UsageError
from synbench.results.cells import Cells, Store
from synbench.results.planned import PlannedCorpus, PlannedRun, read_planned
from synbench_base.close_names import suggestion
from synbench_metrics import family
from synbench_reports.tables.best import mark_best
from synbench_reports.tables.columns import (
    cost_columns,
    count_columns,
    metric_columns,
    rate_columns,
)
from synbench_reports.tables.delays import delay_columns, limit_columns, read_limits
from synbench_reports.tables.footnotes import codec_marks, metric_marks
from synbench_reports.tables.notes import corpus_notes, run_notes
from synbench_reports.tables.table import Report, Row, Table

__all__ = [
    "build_report",
    "build_table",
    "limited",
    "read_selection",
    "select",
    "within_limits",
]


def read_selection(
    folder: Path,
    *,
    corpus: str | None = None,
    metrics: Sequence[str] = (),
    codecs: Sequence[str] = (),
) -> PlannedRun:
    """The plan of a run, cut to one corpus, some metrics and some codecs (in the order asked for).

    Args:
        metrics: columns, whatever their case; `wer` is all of the run's word errors.
        codecs: labels.

    Raises:
        UsageError: no such corpus, metric or codec in the run, or a damaged manifest.
    """
    return select(read_planned(folder), corpus=corpus, metrics=metrics, codecs=codecs)


def select(
    planned: PlannedRun,
    *,
    corpus: str | None,
    metrics: Sequence[str],
    codecs: Sequence[str] = (),
) -> PlannedRun:
    """A plan cut likewise."""
    labels = {entry.label: entry for entry in planned.codecs}
    corpora = {entry.name: entry for entry in planned.corpora}
    columns = {entry.column: entry for entry in planned.metrics}
    if corpus is not None:
        _check("corpus", [corpus], corpora)
        planned = dataclasses.replace(planned, corpora=(corpora[corpus],))
    if metrics:
        meant = [family(name, among=columns) or (name,) for name in metrics]
        names = list(itertools.chain.from_iterable(meant))
        _check("metric", names, columns)
        chosen = tuple(columns[name] for name in dict.fromkeys(names))
        planned = dataclasses.replace(planned, metrics=chosen)
    if codecs:
        _check("codec", codecs, labels)
        kept = tuple(labels[name] for name in dict.fromkeys(codecs))
        planned = dataclasses.replace(planned, codecs=kept)
    return planned


def limited(planned: PlannedRun, text: str) -> PlannedRun:
    """The plan with limits as they are typed, ``latency_ms=30``; its own where nothing is.

    Raises:
        UsageError: an unknown limit, or no number.
    """
    return dataclasses.replace(planned, limits=read_limits(text)) if text else planned


def build_report(planned: PlannedRun) -> Report:
    """Read the rows of a plan and make one table per corpus.

    Raises:
        UsageError: a file of the run is absent or damaged.
    """
    tables = tuple(
        build_table(narrowed, corpus, cells, daggers=codec_marks(planned))
        for narrowed, corpus, cells in Store(planned).corpora()
    )
    return Report(name=planned.name, folder=planned.folder, tables=tables, notes=run_notes(planned))


def within_limits(report: Report) -> Report:
    """The same tables with only those codecs that keep to the limits.

    Raises:
        UsageError: there are no limits, or no codec keeps to them.
    """
    tables = []
    for table in report.tables:
        column_indices = [
            n for n, column in enumerate(table.columns) if column.name == "within_limits"
        ]
        if not column_indices:
            raise UsageError(
                "no limits to keep to: add --limits latency_ms=30 or giga_macs=0.7, or limits: to "
                "the suite"
            )
        kept = tuple(row for row in table.rows if row.cells[column_indices[0]].note == "yes")
        tables.append(dataclasses.replace(table, rows=kept))
    kept_tables = tuple(table for table in tables if table.rows)
    if not kept_tables:
        raise UsageError("no codec keeps to the limits; see who comes near without --within")
    return dataclasses.replace(report, tables=kept_tables)


def build_table(
    planned: PlannedRun,
    corpus: PlannedCorpus,
    cells: Cells,
    *,
    daggers: Mapping[str, str] | None = None,
) -> Table:
    """The table of one corpus, from its cells.

    Args:
        daggers: marks by codec id, where the notes are of more codecs than the table.
    """
    filled = [
        *rate_columns(planned, cells),
        *metric_columns(planned, cells),
        *delay_columns(planned, corpus),
        *limit_columns(planned, corpus),
        *cost_columns(planned, cells),
        *count_columns(planned, cells),
    ]
    marked, doubts = mark_best(planned, cells, filled)
    letters = metric_marks(planned)
    daggers = codec_marks(planned) if daggers is None else daggers
    return Table(
        corpus=corpus,
        columns=tuple(
            dataclasses.replace(column, mark=letters.get(column.metric_id, ""))
            for column, _ in marked
        ),
        rows=tuple(
            Row(
                codec=codec,
                cells=tuple(column_cells[codec_index] for _, column_cells in marked),
                mark=daggers.get(codec.codec_id, ""),
            )
            for codec_index, codec in enumerate(planned.codecs)
        ),
        notes=corpus_notes(planned, corpus, cells, doubts, marked),
    )


def _check(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    offered = list(known)
    for name in names:
        if name not in offered:
            hint = suggestion(name, offered, f"it has: {', '.join(offered)}")
            raise UsageError(f"the run has no {kind} {name!r}; {hint}")
