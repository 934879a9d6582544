"""The results document: what runs found as one JSON object, ``results.json``.

Pages are made of it, ``synbench pack`` puts it beside the files of a run, and other programs read
it. Its shape is published in ``results.schema.json``; ``version`` rises when that changes so that
an older reader would go wrong. Rates are in kbit/s, real-time factors in seconds per second,
numbers have full precision, and nothing is ``null`` that is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from synbench.results.planned import PlannedCodec, PlannedMetric, PlannedRun
from synbench_reports.boards.breakdown import breakdowns
from synbench_reports.boards.citations import citations, made_with
from synbench_reports.boards.combine import Board
from synbench_reports.boards.published_values import published_values
from synbench_reports.figures.correlation import correlations
from synbench_reports.figures.robustness import condition_axis
from synbench_reports.tables.build_report import build_table
from synbench_reports.tables.columns import printed_decimals
from synbench_reports.tables.footnotes import codec_marks
from synbench_reports.tables.notes import run_notes
from synbench_reports.tables.rate_curves import curve_labels, curve_name
from synbench_reports.tables.robustness import drops, has_conditions
from synbench_reports.tables.table import Cell, Note, Row, Table

SCHEMA = "synbench results"
VERSION = 1

__all__ = ["SCHEMA", "VERSION", "as_json", "results_document", "results_schema"]

Record = dict[str, Any]
Costs = Mapping[str, Mapping[str, float]]


def results_document(
    runs: Sequence[PlannedRun],
    boards: Sequence[Board],
    *,
    name: str,
    complexity: Costs | None = None,
    published: bool = True,
    listening: Sequence[Mapping[str, Any]] = (),
) -> Record:
    """The whole document.

    Args:
        boards: of the runs.
        name: what the results are called.
        complexity: by codec label, ``giga_macs`` and ``mega_parameters``.
        published: with the values of papers beside those measured.
        listening: results of listening tests, from :func:`read_listening`.
    """
    codecs = _numbered(codec for board in boards for codec in board.planned.codecs)
    metrics = _numbered(metric for board in boards for metric in board.planned.metrics)
    labels = curve_labels(codecs)
    tables = [build_table(board.planned, board.corpus, board.cells) for board in boards]
    own: list[list[Table]] = [[] for _ in runs]
    for board, table in zip(boards, tables, strict=True):
        for number in {part.run for part in board.parts}:
            own[number].append(table)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "synbench": made_with(),
        "name": name,
        "runs": [_run(run) for run in runs],
        "codecs": [_codec(codec, labels[curve_name(codec)], complexity or {}) for codec in codecs],
        "metrics": [_metric(metric) for metric in metrics],
        "boards": [
            _board(board, table, runs, codecs=codecs, metrics=metrics)
            for board, table in zip(boards, tables, strict=True)
        ],
        "published": published_values(runs, own) if published else [],
        "listening": list(listening),
        "citations": [{"name": entry, "text": text} for entry, text in citations(boards)],
    }


def results_schema() -> Record:
    """The JSON Schema of the document."""
    path = resources.files("synbench_reports.boards") / "results.schema.json"
    schema: Record = json.loads(path.read_text(encoding="utf-8"))
    return schema


def as_json(record: object) -> str:
    """A record as JSON on one line; the same record gives the same text."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _numbered(entries: Iterable[Any]) -> dict[Any, int]:
    return {entry: number for number, entry in enumerate(dict.fromkeys(entries))}


def _run(run: PlannedRun) -> Record:
    daggers = set(codec_marks(run).values())
    return {
        "name": run.name,
        "started": run.started,
        "processor": run.processor,
        "policy_id": run.policy_id,
        "policy": run.policy,
        # Notes on weights stand at the boards; marks of metrics differ from run to run.
        "notes": [
            note | {"mark": ""} for note in _notes(run_notes(run)) if note["mark"] not in daggers
        ],
    }


def _codec(codec: PlannedCodec, curve_label: str, complexity: Costs) -> Record:
    own = complexity.get(codec.label, {})
    return {
        "label": codec.label,
        "codec_id": codec.codec_id,
        "spec": codec.spec,
        "kind": codec.kind,
        "curve": curve_name(codec),
        "curve_label": curve_label,
        "nominal_kbps": None if codec.nominal_bps is None else codec.nominal_bps / 1000,
        "bits_counted": codec.bits_counted,
        "implementation": codec.implementation,
        "source": codec.source,
        "weights": list(codec.weights),
        "training_note": codec.training_note,
        "training_data": list(codec.training_data),
        "missing": codec.missing,
        "giga_macs": own.get("giga_macs"),
        "mega_parameters": own.get("mega_parameters"),
    }


def _metric(metric: PlannedMetric) -> Record:
    return {
        "column": metric.column,
        "metric_id": metric.metric_id,
        "label": metric.label,
        "unit": metric.unit,
        "direction": metric.direction,
        "decimals": printed_decimals(metric),
        "pooling": metric.pooling,
        "sample_rates": list(metric.sample_rates),
        "implementation": metric.implementation,
        "version": metric.version,
        "mode": metric.mode,
        "weights_sha256": metric.weights_sha256,
        "source": metric.source,
    }


def _board(
    board: Board,
    table: Table,
    runs: Sequence[PlannedRun],
    *,
    codecs: Mapping[PlannedCodec, int],
    metrics: Mapping[PlannedMetric, int],
) -> Record:
    corpus = board.corpus
    speakers = {speaker for speaker in board.items.speakers if speaker}
    items, means = correlations(board.planned, board.cells)
    return {
        "corpus": corpus.name,
        "digest": corpus.digest,
        "items": corpus.items,
        "seconds": corpus.seconds,
        "speakers": len(speakers),
        "licence": corpus.licence,
        "clean": corpus.clean,
        "condition": corpus.condition,
        "condition_group": corpus.condition_group,
        "condition_value": corpus.condition_value,
        "condition_axis": condition_axis(corpus.condition_group) if corpus.condition_group else "",
        "runs": [part.run for part in board.parts],
        "metrics": [metrics[metric] for metric in board.planned.metrics],
        "rows": [
            _row(row, table, board.planned.metrics, codec=codecs[row.codec], run=owner.run)
            for row, owner in zip(table.rows, board.owners, strict=True)
        ],
        "notes": [*_notes(table.notes), *_weights_notes(board.planned)],
        "groups": breakdowns(board),
        "correlation": {"items": _matrix(items), "codecs": _matrix(means)},
        "robustness": _robustness(board, runs),
        "heard": [],
        "pictures": False,
        "voicing": None,
    }


def _row(
    row: Row, table: Table, metrics: Sequence[PlannedMetric], *, codec: int, run: int
) -> Record:
    cells = dict(zip((column.name for column in table.columns), row.cells, strict=True))
    scores = {
        column.metric_id: cell
        for column, cell in zip(table.columns, row.cells, strict=True)
        if column.metric_id
    }
    rates = ("payload_kbps", "side_kbps")
    costs = {
        column.name: cells[column.name].mean for column in table.columns if column.group == "cost"
    }
    counts = {
        column.name: int(cells[column.name].mean or 0)
        for column in table.columns
        if column.group == "count"
    }
    threads = {column.detail for column in table.columns if column.group == "cost"}
    return {
        "codec": codec,
        "run": run,
        "mark": row.mark,
        **{name: cells[name].mean for name in rates},
        "costs": costs,
        "threads": ", ".join(sorted(filter(None, threads))),
        "counts": counts,
        "scores": [_score(scores[metric.metric_id]) for metric in metrics],
    }


def _score(cell: Cell) -> Record:
    return {
        "mean": cell.mean,
        "low": cell.low,
        "high": cell.high,
        "planned": cell.planned or 0,
        "scored": cell.scored,
        "failed": cell.failed,
        "not_applicable": cell.not_applicable,
        "missing": cell.missing,
        "best": cell.best,
        "second": cell.second,
        "tied": cell.tied,
        "letters": cell.letters,
        "note": cell.note,
    }


def _robustness(board: Board, runs: Sequence[PlannedRun]) -> list[Record]:
    """What each condition costs, of a corpus as recorded; every run tests its own codecs."""
    if board.corpus.clean:
        return []
    records = []
    labels = {codec.codec_id: codec.label for codec in board.planned.codecs}
    for part in board.parts:
        if not has_conditions(runs[part.run]):
            continue
        # A run calls its codecs as it likes; on a board with others they may have longer names.
        names = {codec.label: labels.get(codec.codec_id) for codec in runs[part.run].codecs}
        for drop in drops(runs[part.run]):
            if drop.corpus == part.corpus.name and drop.group:
                numbers = (drop.drop, drop.drop_low, drop.drop_high, drop.p_holm)
                known = [float(number) if np.isfinite(number) else None for number in numbers]
                records.append(
                    {
                        "codec": names.get(drop.codec) or drop.codec,
                        "metric": drop.metric.column,
                        "condition": drop.condition,
                        **dict(zip(("drop", "low", "high", "p_holm"), known, strict=True)),
                    }
                )
    return records


def _notes(notes: Iterable[Note]) -> list[Record]:
    return [
        {"level": note.level, "subject": note.subject, "text": note.text, "mark": note.mark}
        for note in notes
    ]


def _weights_notes(planned: PlannedRun) -> list[Record]:
    marks = codec_marks(planned)
    notes = {marks[codec.codec_id]: codec for codec in planned.codecs if codec.training_note}
    labels = {
        mark: ", ".join(
            codec.label for codec in planned.codecs if marks.get(codec.codec_id) == mark
        )
        for mark in notes
    }
    return [
        {"level": "warning", "subject": labels[mark], "text": codec.training_note, "mark": mark}
        for mark, codec in notes.items()
    ]


def _matrix(values: Any) -> list[list[float | None]]:
    return [[float(value) if np.isfinite(value) else None for value in row] for row in values]
