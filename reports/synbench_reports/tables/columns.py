"""The columns of a table and their cells, group by group, from the arrays of one corpus.

Each function returns pairs of a column and its cells, one cell per codec.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synbench.results.cells import (
    FAILED,
    MISSING,
    NOT_APPLICABLE,
    NOT_PLANNED,
    OK,
    Cells,
    Codes,
    Floats,
)
from synbench.results.planned import PlannedMetric, PlannedRun
from synbench.statistics.means import estimate_means
from synbench_reports.tables.table import Cell, Column, Group

Filled = tuple[Column, list[Cell]]

__all__ = [
    "Filled",
    "cost_columns",
    "count_columns",
    "metric_column",
    "metric_columns",
    "printed_decimals",
    "rate_columns",
]


def rate_columns(planned: PlannedRun, cells: Cells) -> list[Filled]:
    """Bit rates in kbit/s: from the documents, counted, and the counted part that is no code.

    What the ``.syn`` files add to the payload has a column where it is known: of runs by older
    versions it is not.
    """
    nominal = [
        Cell(mean=None if codec.nominal_bps is None else codec.nominal_bps / 1000)
        for codec in planned.codecs
    ]
    filled = [
        (_column("nominal_kbps", "Nominal", "kbit/s", "rate"), nominal),
        (
            _column("payload_kbps", "Payload", "kbit/s", "rate"),
            [
                _per_second(cells, index, "payload_bits", 1000)
                if codec.bits_counted
                else DECLARED_CELL
                for index, codec in enumerate(planned.codecs)
            ],
        ),
        (
            _column("side_kbps", "Side", "kbit/s", "rate"),
            [
                _per_second(cells, index, "side_bits", 1000) if codec.bits_counted else Cell()
                for index, codec in enumerate(planned.codecs)
            ],
        ),
    ]
    if np.isfinite(cells.measures["header_bits"]).any():
        headers = [
            _per_second(cells, index, "header_bits", 1000) if codec.bits_counted else Cell()
            for index, codec in enumerate(planned.codecs)
        ]
        filled.append((_column("header_kbps", "Side", "file, kbit/s", "rate"), headers))
    return filled


def metric_columns(planned: PlannedRun, cells: Cells) -> list[Filled]:
    """Means and intervals of all metrics."""
    items, codecs, metrics = cells.values.shape
    flat = (items, codecs * metrics)
    estimates = estimate_means(
        cells.values.reshape(flat),
        clusters=cells.speakers,
        sizes=cells.sizes.reshape(flat),
    )
    low, high, long_tailed = estimates.low, estimates.high, estimates.long_tailed
    filled = []
    for metric_index, metric in enumerate(planned.metrics):
        column_cells = [
            replace(
                _counted(cells.status[:, codec, metric_index]),
                mean=_number(estimates.mean[codec * metrics + metric_index]),
                low=_number(low[codec * metrics + metric_index]),
                high=_number(high[codec * metrics + metric_index]),
                long_tail=bool(long_tailed[codec * metrics + metric_index]),
            )
            for codec in range(codecs)
        ]
        if metric.is_distance:
            # One value of the whole corpus, biased by its size: no interval.
            column_cells = [
                replace(cell, mean=_number(value), low=None, high=None, long_tail=False)
                for cell, value in zip(column_cells, cells.pooled[:, metric_index], strict=True)
            ]
        filled.append((metric_column(metric), column_cells))
    return filled


def cost_columns(planned: PlannedRun, cells: Cells) -> list[Filled]:
    """Real-time factors: seconds of work per second of audio, with the number of threads."""
    threads = _threads(cells)
    filled = []
    for stage in ("encode", "decode"):
        for clock in ("cpu", "wall"):
            column = Column(
                name=f"{stage}_rtf_{clock}",
                label=f"{stage.capitalize()} RTF",
                unit=clock,
                detail=threads,
                group="cost",
                direction="down",
            )
            measure = f"{stage}_{clock}_seconds"
            column_cells = [
                _per_second(cells, index, measure, 1) if codec.bits_counted else Cell()
                for index, codec in enumerate(planned.codecs)
            ]
            filled.append((column, column_cells))
    return filled


def count_columns(planned: PlannedRun, cells: Cells) -> list[Filled]:
    """How many items were coded, and how the scores of all metrics ended."""
    codecs = range(len(planned.codecs))
    filled = [
        (_count("items", "Items", "planned"), [_whole(len(cells.seconds)) for _ in codecs]),
        (
            _count("decoded", "Decoded", "items"),
            [_whole(_times(cells.decode_status[:, codec], OK)) for codec in codecs],
        ),
    ]
    for name, label, code in (
        ("scored", "Scored", OK),
        ("failed", "Failed", FAILED),
        ("not_applicable", "N/A", NOT_APPLICABLE),
        ("missing", "Missing", MISSING),
    ):
        column_cells = [_whole(_times(cells.status[:, codec], code)) for codec in codecs]
        filled.append((_count(name, label, "scores"), column_cells))
    return filled


DECLARED_CELL = Cell(note="declared")


def _per_second(cells: Cells, codec: int, measure: str, unit: int) -> Cell:
    """Total of a measure over the total duration of the items that have it, in ``unit``."""
    status = cells.decode_status[:, codec]
    values: Floats = cells.measures[measure][:, codec]
    known = (status == OK) & np.isfinite(values)
    seconds = float(cells.seconds[known].sum())
    mean = float(values[known].sum()) / seconds / unit if seconds > 0 else None
    return replace(_counted(status), mean=mean, scored=int(known.sum()))


def _counted(status: Codes) -> Cell:
    planned = status.size - _times(status, NOT_PLANNED)
    return Cell(
        note="" if planned or not status.size else "not run",
        planned=planned,
        scored=_times(status, OK),
        failed=_times(status, FAILED),
        not_applicable=_times(status, NOT_APPLICABLE),
        missing=_times(status, MISSING),
    )


def _times(status: Codes, code: int) -> int:
    return int(np.count_nonzero(status == code))


def _number(value: np.float64) -> float | None:
    return float(value) if np.isfinite(value) else None


def _whole(count: int) -> Cell:
    return Cell(mean=float(count))


def _count(name: str, label: str, unit: str) -> Column:
    return Column(name=name, label=label, unit=unit, group="count", decimals=0)


def _column(name: str, label: str, unit: str, group: Group) -> Column:
    return Column(name=name, label=label, unit=unit, group=group, decimals=2)


def metric_column(metric: PlannedMetric) -> Column:
    """How the numbers of a metric are headed and printed."""
    return Column(
        name=metric.column,
        label=metric.label,
        unit=metric.unit,
        group="input" if metric.against == "input" else "metric",
        direction=metric.direction,
        decimals=printed_decimals(metric),
        is_share=metric.is_share,
        metric_id=metric.metric_id,
    )


def printed_decimals(metric: PlannedMetric) -> int:
    """A score between 0 and 1 needs one digit more than one on a scale of 5 or in dB.

    Of a share it is one digit of the per cent.
    """
    unit_scale = metric.maximum is not None and metric.maximum <= 1
    return 3 if unit_scale or metric.is_share else 2


def _threads(cells: Cells) -> str:
    """``1 thread``, or a range where the codecs differ; empty before anything was coded."""
    known = cells.measures["threads"][cells.decode_status == OK]
    if not known.size:
        return ""
    fewest, most = int(known.min()), int(known.max())
    count = str(fewest) if fewest == most else f"{fewest} to {most}"
    return f"{count} thread" if most == 1 else f"{count} threads"
