"""Runs put together: one board for each corpus, with the codecs of every run that coded it.

Two runs stand on one board where they coded the same samples (every item has the same digest) by
the same policy. A codec or a metric is the same where its identity is, so a cell that two runs have
is counted once: the later start counts, a score before a gap. Codecs of different identity that
have one label are told apart by the name of their run.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.results.cells import MEASURES, MISSING, NOT_PLANNED, OK, Cells, Store
from synbench.results.planned import PlannedCodec, PlannedCorpus, PlannedMetric, PlannedRun

ITEMS = """
SELECT item, item_digest, speaker, transcript, gender, language, accent
FROM items WHERE corpus = ? ORDER BY item_index
"""

__all__ = ["Board", "BoardItems", "RunShare", "boards_of"]


@dataclass(frozen=True, kw_only=True)
class BoardItems:
    """What is known of the items of a board; every tuple has one entry an item, empty if unknown.

    ``digests`` say which samples and which transcript an item is.
    """

    names: tuple[str, ...]
    digests: tuple[str, ...]
    speakers: tuple[str, ...]
    transcripts: tuple[str, ...]
    genders: tuple[str, ...]
    languages: tuple[str, ...]
    accents: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RunShare:
    """What one run has of a board.

    Attributes:
        run: its number among the runs.
        order: of each item of the board, its place in this run.
    """

    run: int
    store: Store
    planned: PlannedRun
    corpus: PlannedCorpus
    cells: Cells
    order: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Board:
    """One corpus, perhaps under a condition, and all that was measured on it.

    Attributes:
        planned: its codecs and metrics, of all runs together.
        cells: on these axes.
        owners: of each codec, the part that it was coded in.
        parts: the runs that coded the corpus.
    """

    planned: PlannedRun
    corpus: PlannedCorpus
    cells: Cells
    items: BoardItems
    owners: tuple[RunShare, ...]
    parts: tuple[RunShare, ...]


def boards_of(runs: Sequence[PlannedRun]) -> list[Board]:
    """The boards of some runs, in the order in which the runs name their corpora.

    Raises:
        UsageError: a file of a run is absent or damaged.
    """
    codecs, metrics = _told_apart(runs), _columns_told_apart(runs)
    gathered: dict[Any, tuple[BoardItems, list[RunShare]]] = {}
    for number, run in enumerate(runs):
        store = Store(run)
        for planned, corpus, cells in store.corpora():
            items = _items(store, corpus.name)
            pairs = list(zip(items.names, items.digests, strict=True))
            same = frozenset(pairs)
            key = (run.policy_id, corpus.condition, same)
            known, parts = gathered.setdefault(key, (items, []))
            index_of = {pair: index for index, pair in enumerate(pairs)}
            order = [index_of[pair] for pair in zip(known.names, known.digests, strict=True)]
            parts.append(
                RunShare(
                    run=number,
                    store=store,
                    planned=planned,
                    corpus=corpus,
                    cells=cells,
                    order=np.array(order, dtype=np.int64),
                )
            )
    return [_board(items, parts, codecs, metrics) for items, parts in gathered.values()]


def _items(store: Store, corpus: str) -> BoardItems:
    rows = store.counted.tuples(ITEMS, corpus)
    columns = [tuple(column) for column in zip(*rows, strict=True)] if rows else [()] * 7
    return BoardItems(
        names=columns[0],
        digests=columns[1],
        speakers=columns[2],
        transcripts=columns[3],
        genders=columns[4],
        languages=columns[5],
        accents=columns[6],
    )


def _told_apart(runs: Sequence[PlannedRun]) -> dict[str, PlannedCodec]:
    """Every codec by its identity, with a label that no other has."""
    codecs = {codec.codec_id: codec for run in runs for codec in run.codecs}
    owners = {codec.codec_id: run.name for run in runs for codec in run.codecs}
    for several in (owners.__getitem__, lambda codec_id: codec_id[:8]):
        labels = Counter(codec.label for codec in codecs.values())
        codecs = {
            codec_id: codec
            if labels[codec.label] == 1
            else dataclasses.replace(codec, label=f"{codec.label} ({several(codec_id)})")
            for codec_id, codec in codecs.items()
        }
    return codecs


def _columns_told_apart(runs: Sequence[PlannedRun]) -> dict[str, PlannedMetric]:
    """Every metric by its identity; the version stands at those that share a column."""
    metrics = {metric.metric_id: metric for run in runs for metric in run.metrics}
    columns = Counter(metric.column for metric in metrics.values())
    numbers: Counter[str] = Counter()
    apart = {}
    for metric_id, metric in metrics.items():
        numbers[metric.column] += 1
        if columns[metric.column] > 1:
            label = f"{metric.label} ({metric.version or metric_id[:8]})"
            column = f"{metric.column}_{numbers[metric.column]}"
            apart[metric_id] = dataclasses.replace(metric, label=label, column=column)
        else:
            apart[metric_id] = metric
    return apart


def _board(
    items: BoardItems,
    parts: Sequence[RunShare],
    codecs: dict[str, PlannedCodec],
    metrics: dict[str, PlannedMetric],
) -> Board:
    codec_ids = _union(codec.codec_id for part in parts for codec in part.planned.codecs)
    metric_ids = _union(metric.metric_id for part in parts for metric in part.planned.metrics)
    first = parts[0]
    planned = dataclasses.replace(
        first.planned,
        codecs=tuple(codecs[codec_id] for codec_id in codec_ids),
        metrics=tuple(metrics[metric_id] for metric_id in metric_ids),
        parts=(),
    )
    cells, owners = first.cells, tuple([first] * len(codec_ids))
    if len(parts) > 1:
        cells, owners = _merged(parts, codec_ids, metric_ids)
    return Board(
        planned=planned,
        corpus=first.corpus,
        cells=cells,
        items=items,
        owners=owners,
        parts=tuple(parts),
    )


def _merged(
    parts: Sequence[RunShare], codec_ids: list[str], metric_ids: list[str]
) -> tuple[Cells, tuple[RunShare, ...]]:
    first = parts[0].cells
    shape = (len(first.seconds), len(codec_ids), len(metric_ids))
    status = np.full(shape, NOT_PLANNED, dtype=np.int8)
    values, sizes = np.full(shape, np.nan), np.full(shape, np.nan)
    pooled = np.full(shape[1:], np.nan)
    dimensions = np.zeros(shape[2], dtype=np.int64)
    decode_status = np.full(shape[:2], MISSING, dtype=np.int8)
    measures = {name: np.full(shape[:2], np.nan) for name in MEASURES}
    owners = [parts[0]] * len(codec_ids)
    lag_profiles: list[tuple[bytes, ...]] = [()] * len(codec_ids)
    failures: Counter[str] = Counter()
    for part in sorted(parts, key=lambda part: part.planned.started):
        cells, order = part.cells, part.order
        chosen = [codec_ids.index(codec.codec_id) for codec in part.planned.codecs]
        columns = [metric_ids.index(metric.metric_id) for metric in part.planned.metrics]
        block = np.ix_(np.arange(shape[0]), np.array(chosen, int), np.array(columns, int))
        own = cells.status[order]
        better = (own == OK) | (status[block] == NOT_PLANNED)
        better |= (status[block] == MISSING) & (own != NOT_PLANNED)
        for target, source in ((status, own), (values, cells.values), (sizes, cells.sizes)):
            filled = source if source is own else source[order]
            target[block] = np.where(better, filled, target[block])
        cell = (block[1][0], block[2][0])
        pooled[cell] = np.where(np.isfinite(cells.pooled), cells.pooled, pooled[cell])
        dimensions[columns] = np.maximum(dimensions[columns], cells.dimensions)
        for own_index, number in enumerate(chosen):
            coded = cells.decode_status[order, own_index]
            if (coded == OK).sum() >= (decode_status[:, number] == OK).sum():
                owners[number] = part
                decode_status[:, number] = coded
                lag_profiles[number] = cells.lag_profiles[own_index]
                for name, measure in measures.items():
                    measure[:, number] = cells.measures[name][order, own_index]
        failures.update(dict(cells.failures))
    cells = Cells(
        seconds=first.seconds,
        clusters=first.clusters,
        status=status,
        values=values,
        sizes=sizes,
        pooled=pooled,
        dimensions=dimensions,
        decode_status=decode_status,
        measures=measures,
        failures=tuple(failures.most_common()),
        lag_profiles=tuple(lag_profiles),
    )
    return cells, tuple(owners)


def _union(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
