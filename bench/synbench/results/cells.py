"""The stored rows of a run, reduced to the cells of its plan, as arrays.

Axes of every array
    item    of one corpus, in the order of ``items.parquet``
    codec   in the order of the suite
    metric  in the order of the suite

A row counts when it was made from the item, codec, metric and policy of the latest start, and is
the one of its cell that :mod:`synbench.results.counting` picks. A cell without any row is missing,
or not planned where none of several merged runs had it in its plan. DuckDB picks the rows, so a
million of them cost well under a second and no Python loop.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.results import queries
from synbench.results.counted_rows import CountedRows
from synbench.results.planned import PlannedCorpus, PlannedRun
from synbench.results.queries import (
    FAILED,
    MEASURES,
    MISSING,
    NOT_APPLICABLE,
    NOT_PLANNED,
    OK,
    STATUS_NAMES,
)

ROW_COLUMNS = {
    "corpus": "string",
    "item": "string",
    "item_digest": "string",
    "codec": "string",
    "codec_spec": "string",
    "codec_id": "string",
    "metric": "string",
    "metric_id": "string",
    "status": "string",
    "value": "float64",
    "weight": "float64",
    "reason": "string",
}

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

__all__ = [
    "FAILED",
    "MEASURES",
    "MISSING",
    "NOT_APPLICABLE",
    "NOT_PLANNED",
    "OK",
    "ROW_COLUMNS",
    "STATUS_NAMES",
    "Cells",
    "Store",
    "Unscored",
    "failure_counts",
]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cells of one corpus.

    Attributes:
        seconds: duration of each item, shape ``(item,)``.
        clusters: number of each item's speaker; an item that names none has its own number.
        status: a code of :data:`STATUS_NAMES`, shape ``(item, codec, metric)``.
        values: scores, NaN unless the status is ok, shape ``(item, codec, metric)``.
        sizes: how much each score counts in the number of the corpus, likewise: its reference words
            where a metric is all errors over all words, else 1.
        pooled: for metrics that compare the corpus as a whole, their one value; NaN for others,
            shape ``(codec, metric)``.
        dimensions: of the embeddings behind a pooled value, 0 for others, shape ``(metric,)``.
        decode_status: how coding and decoding ended, shape ``(item, codec)``.
        measures: by name of :data:`MEASURES`, NaN where not measured, shape ``(item, codec)``.
        failures: reasons of failed scores, the most frequent first, with their counts.
        lag_profiles: of some decoded items of each codec, see :mod:`synbench.lag`; none of rows
            that an older version wrote.
    """

    seconds: Floats
    clusters: NDArray[np.int64]
    status: Codes
    values: Floats
    sizes: Floats
    pooled: Floats
    dimensions: NDArray[np.int64]
    decode_status: Codes
    measures: dict[str, Floats]
    failures: tuple[tuple[str, int], ...]
    lag_profiles: tuple[tuple[bytes, ...], ...]

    @functools.cached_property
    def speakers(self) -> NDArray[np.int64] | None:
        """The clusters where they matter: several of them, one with several items; else None."""
        n_clusters = len(np.unique(self.clusters))
        return self.clusters if 1 < n_clusters < len(self.clusters) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unscored:
    """A cell that has a row and no score: which, and why.

    ``item_index`` counts within the corpus; ``status`` is one of :data:`STATUS_NAMES`.
    """

    item_index: int
    codec_id: str
    metric_id: str
    status: str
    reason: str


def failure_counts(planned: PlannedRun) -> Counter[str]:
    """How often each reason made a planned score fail, of the codecs and metrics that could run.

    Raises:
        UsageError: a Parquet file of the run is absent or damaged; the message names it.
    """
    counted = CountedRows(
        planned.folder,
        policy_id=planned.policy_id,
        codec_ids=[codec.codec_id for codec in planned.codecs if not codec.missing],
        metric_ids=[metric.metric_id for metric in planned.metrics if not metric.missing],
    )
    counted.load("scores")
    failures: Counter[str] = Counter()
    for corpus in planned.corpora:
        failures.update(dict(counted.tuples(queries.FAILURES, corpus.name)))
    return failures


class Store:
    """Reads the rows of one run with an in-memory DuckDB.

    Raises:
        UsageError: a Parquet file of the run is absent or damaged; the message names it.
    """

    def __init__(self, planned: PlannedRun) -> None:
        self.planned = planned
        self.counted = CountedRows(
            planned.folder,
            policy_id=planned.policy_id,
            codec_ids=[codec.codec_id for codec in planned.codecs],
            metric_ids=[metric.metric_id for metric in planned.metrics],
        )
        self.counted.load("decodes")
        self.counted.load("scores")

    def corpora(self) -> Iterator[tuple[PlannedRun, PlannedCorpus, Cells]]:
        """Every corpus with its cells and the plan, without what was not planned for it."""
        for corpus in self.planned.corpora:
            cells = self.cells(corpus.name)
            if self.planned.asks_everything:
                yield self.planned, corpus, cells
                continue
            there = (cells.status != NOT_PLANNED).any(axis=(0, 2))
            there |= (cells.decode_status != MISSING).any(axis=0)
            codecs = np.flatnonzero(there | (not self.planned.parts))
            metrics = np.flatnonzero(
                [each.against == "clean" or corpus.damaged_input for each in self.planned.metrics]
            )
            if self.planned.metrics and not metrics.size:
                continue  # only scores against the damaged input are asked for, and this has none
            narrowed = replace(
                self.planned,
                codecs=tuple(self.planned.codecs[index] for index in codecs),
                metrics=tuple(self.planned.metrics[index] for index in metrics),
            )
            yield narrowed, corpus, _chosen(cells, codecs, metrics)

    def cells(self, corpus: str) -> Cells:
        """The cells of one corpus of the plan."""
        items = self.counted.columns(
            "SELECT seconds, coalesce(nullif(speaker, ''), 'item ' || item_index) AS speaker "
            "FROM items WHERE corpus = ? ORDER BY item_index",
            corpus,
        )
        decoded = self.counted.columns(queries.DECODED, corpus)
        scored = self.counted.columns(queries.SCORED, corpus)
        count, codecs = len(items["seconds"]), len(self.planned.codecs)
        pairs, triples = (count, codecs), (count, codecs, len(self.planned.metrics))
        pair = (decoded["corpus_index"], decoded["codec_index"])
        triple = (scored["corpus_index"], scored["codec_index"], scored["metric_index"])
        pooled, dimensions = self._pooled(corpus)
        values = _scattered(triples, triple, scored["value"], np.float64(np.nan))
        sizes = _scattered(triples, triple, scored["weight"], np.float64(np.nan))
        status = _scattered(triples, triple, scored["code"], np.int8(MISSING))
        status[(status == MISSING) & ~self._asked(corpus)] = NOT_PLANNED
        weighted = np.array([metric.is_rate for metric in self.planned.metrics], dtype=bool)
        return Cells(
            seconds=np.asarray(items["seconds"], dtype=np.float64),
            clusters=_numbered(items["speaker"]),
            status=status,
            values=values,
            sizes=np.where(weighted | np.isnan(values), sizes, 1.0),
            pooled=pooled,
            dimensions=dimensions,
            decode_status=_scattered(pairs, pair, decoded["code"], np.int8(MISSING)),
            measures={
                name: _scattered(pairs, pair, decoded[name], np.float64(np.nan))
                for name in MEASURES
            },
            failures=tuple(
                (reason, count) for reason, count in self.counted.tuples(queries.FAILURES, corpus)
            ),
            lag_profiles=self._lag_profiles(corpus),
        )

    def _lag_profiles(self, corpus: str) -> tuple[tuple[bytes, ...], ...]:
        profiles: list[list[bytes]] = [[] for _ in self.planned.codecs]
        for codec, profile in self.counted.tuples(queries.LAG_PROFILES, corpus):
            profiles[codec].append(profile)
        return tuple(map(tuple, profiles))

    def unscored(self, corpus: str) -> list[Unscored]:
        """The cells of a corpus that have a row and no score, in the order of the plan."""
        codecs, metrics = self.planned.codecs, self.planned.metrics
        return [
            Unscored(
                item_index=index,
                codec_id=codecs[codec].codec_id,
                metric_id=metrics[metric].metric_id,
                status=STATUS_NAMES[code],
                reason=reason,
            )
            for index, codec, metric, code, reason in self.counted.tuples(queries.UNSCORED, corpus)
        ]

    def _asked(self, corpus: str) -> NDArray[np.bool_]:
        """Whether each cell was planned, shape ``(codec, metric)``."""
        asked = [
            self.planned.asks(corpus=corpus, codec_id=codec.codec_id, metric_id=metric.metric_id)
            for codec in self.planned.codecs
            for metric in self.planned.metrics
        ]
        shape = len(self.planned.codecs), len(self.planned.metrics)
        return np.array(asked, dtype=bool).reshape(shape)

    def _pooled(self, corpus: str) -> tuple[Floats, NDArray[np.int64]]:
        """Values ``(codec, metric)`` of the corpus as a whole, and dimensions ``(metric,)``."""
        metrics = self.planned.metrics
        pooled = np.full((len(self.planned.codecs), len(metrics)), np.nan)
        dimensions = np.zeros(len(metrics), dtype=np.int64)
        if not any(metric.is_distance for metric in metrics):
            return pooled, dimensions
        from synbench_metrics.frechet import pooled as distance

        stored: dict[tuple[int, int], list[NDArray[np.float32]]] = {}
        vector_rows = self.counted.tuples(queries.VECTORS, corpus)
        for codec, metric, vector in vector_rows:
            if metrics[metric].is_distance:
                stored.setdefault((codec, metric), []).append(np.frombuffer(vector, dtype="<f4"))
        for cell, vectors in stored.items():
            pooled[cell] = distance(np.stack(vectors).astype(np.float64))
            dimensions[cell[1]] = vectors[0].size // 2
        return pooled, dimensions

    def rows(self, batch: int = 50_000) -> Iterator[list[tuple[Any, ...]]]:
        """One row per planned (item, codec, metric) in batches of tuples, see ROW_COLUMNS.

        Means of a table are means of ``value`` weighted by ``weight``, which is 1 but for error
        rates. A distance of the corpus is none of its items.
        The order is that of the plan, so the same rows always come out the same.
        """
        planned = self.planned
        cursor = self.counted.execute(
            queries.ROWS,
            {
                "corpora": [corpus.name for corpus in planned.corpora],
                "labels": [codec.label for codec in planned.codecs],
                "specs": [codec.spec for codec in planned.codecs],
                "columns": [metric.column for metric in planned.metrics],
                "rates": [metric.is_rate for metric in planned.metrics],
                "statuses": list(STATUS_NAMES),
                "absent": [codec.missing for codec in planned.codecs],
                "unmeasured": [metric.missing for metric in planned.metrics],
            },
        )
        corpus, codec, metric, status = map(
            list(ROW_COLUMNS).index, ("corpus", "codec_id", "metric_id", "status")
        )
        while rows := cursor.fetchmany(batch):
            if not planned.asks_everything:
                rows = [
                    row
                    for row in rows
                    if row[status] != "missing"
                    or planned.asks(corpus=row[corpus], codec_id=row[codec], metric_id=row[metric])
                ]
            yield rows


def _chosen(cells: Cells, codecs: NDArray[np.intp], metrics: NDArray[np.intp]) -> Cells:
    """The cells of some codecs by some metrics."""
    return replace(
        cells,
        status=cells.status[:, codecs][:, :, metrics],
        values=cells.values[:, codecs][:, :, metrics],
        sizes=cells.sizes[:, codecs][:, :, metrics],
        pooled=cells.pooled[codecs][:, metrics],
        dimensions=cells.dimensions[metrics],
        decode_status=cells.decode_status[:, codecs],
        measures={name: measure[:, codecs] for name, measure in cells.measures.items()},
        lag_profiles=tuple(cells.lag_profiles[codec] for codec in codecs),
    )


def _numbered(names: NDArray[Any]) -> NDArray[np.int64]:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def _scattered(
    shape: tuple[int, ...], index: tuple[NDArray[Any], ...], values: NDArray[Any], empty: Any
) -> NDArray[Any]:
    array = np.full(shape, empty)
    array[index] = values
    return array
