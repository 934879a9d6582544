"""The rows of a run as pandas frames: one row per item, codec and metric, or item and codec.

Units: seconds, kbit/s, bits, Hz. A number that was not measured is NaN, a text that there is not is
empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synbench.results import queries
from synbench.results.cells import (
    FAILED,
    MEASURES,
    MISSING,
    NOT_PLANNED,
    OK,
    STATUS_NAMES,
    Cells,
    Store,
)
from synbench.results.planned import PlannedCodec, PlannedCorpus, PlannedRun

if TYPE_CHECKING:
    import pandas

ITEM_FIELDS = ("item", "item_digest", "speaker", "transcript", "seconds", "problem")
_ITEMS = f"SELECT {', '.join(ITEM_FIELDS)} FROM items WHERE corpus = ? ORDER BY item_index"

__all__ = ["decode_frame", "item_frame", "score_frame"]

# Of numpy, or as pandas keeps texts.
Columns = dict[str, Any]


def score_frame(planned: PlannedRun) -> pandas.DataFrame:
    """One row per planned item, codec and metric, in the order of the plan.

    Columns:
        corpus, item, speaker, seconds: the utterance and its duration.
        codec, codec_spec, codec_id, kind: the codec's label, what to type for it, its identity.
        nominal_kbps, payload_kbps: documented rate, and the counted rate of this very item.
        metric, metric_id, unit, direction: the column; which way is better.
        condition: what was done to the speech or its stream, empty for nothing.
        against: what a score compares with: ``clean`` recording or damaged ``input``.
        status: ``ok``, ``failed``, ``not_applicable`` or ``missing``.
        value: the score, NaN unless ok.
        weight: with which it enters a mean: words of the reference for error rates, else 1.
        reason: why there is no score.
    """
    import pandas

    store = Store(planned)
    parts = [_scores(store, narrowed, corpus, cells) for narrowed, corpus, cells in store.corpora()]
    return pandas.concat([_frame(part) for part in parts], ignore_index=True)


def decode_frame(planned: PlannedRun) -> pandas.DataFrame:
    """One row per item and codec, in the order of the plan.

    Columns, beside those of :func:`score_frame` that say which item and codec:
        status, reason: how coding and decoding ended.
        payload_kbps: counted bits over the duration of the item.
        payload_bits, side_bits: counted; side bits are part of the payload and no code.
        encode_cpu_seconds and the like: what coding and decoding took.
        threads: with how many threads.
        lag_seconds, correlation: of the decoded wave against the reference.
        clipped_samples, filled_samples: in the stored reconstruction.
        surplus_seconds, anticorrelation, envelope_correlation, level_db, dc_offset: as in
            :class:`synbench.policy.Aligned`.
        reconstruction, bitstream: paths of the files; empty where there is none.
    """
    import pandas

    store = Store(planned)
    parts = [
        _decodes(store, narrowed, corpus, cells) for narrowed, corpus, cells in store.corpora()
    ]
    return pandas.concat([_frame(part) for part in parts], ignore_index=True)


def item_frame(planned: PlannedRun) -> pandas.DataFrame:
    """One row per item: corpus, item, item_digest, speaker, transcript, seconds, problem."""
    import pandas

    store = Store(planned)
    return pandas.concat(
        [_frame(_items(store, corpus.name)) for corpus in planned.corpora], ignore_index=True
    )


def _frame(columns: Columns) -> pandas.DataFrame:
    import pandas

    return pandas.DataFrame(columns)


def _items(store: Store, corpus: str) -> Columns:
    items = store.counted.columns(_ITEMS, corpus)
    return {"corpus": _same(corpus, len(items["item"])), **items}


def _scores(store: Store, planned: PlannedRun, corpus: PlannedCorpus, cells: Cells) -> Columns:
    shape = cells.status.shape
    kept: Any = (cells.status != NOT_PLANNED).ravel()
    if kept.all():
        kept = slice(None)  # no copies of everything
    item, codec, metric = (axis.ravel()[kept] for axis in np.indices(shape))
    utterances = _items(store, corpus.name)
    # Texts by number: a million of Python's own take longer than all the rest.
    texts = {"": 0}
    reasons = np.zeros(shape, dtype=np.int64)
    for number, entry in enumerate(planned.codecs):
        absent = texts.setdefault(entry.missing, len(texts))
        reasons[:, number][cells.status[:, number] == MISSING] = absent
    for number, metric_entry in enumerate(planned.metrics):
        without = (cells.status[:, :, number] == MISSING) & (reasons[:, :, number] == 0)
        reasons[:, :, number][without] = texts.setdefault(metric_entry.missing, len(texts))
    codec_ids = {entry.codec_id: number for number, entry in enumerate(planned.codecs)}
    metric_ids = {entry.metric_id: number for number, entry in enumerate(planned.metrics)}
    for cell in store.unscored(corpus.name):
        if cell.codec_id in codec_ids and cell.metric_id in metric_ids:
            index = cell.item_index, codec_ids[cell.codec_id], metric_ids[cell.metric_id]
            reasons[index] = texts.setdefault(cell.reason, len(texts))
    rates = cells.measures["payload_bits"] / cells.seconds[:, None] / 1000
    counted = [entry.bits_counted for entry in planned.codecs]
    rates = np.where(np.array(counted, dtype=bool), rates, np.nan)
    weights = np.where(cells.status == OK, cells.sizes, np.nan)
    return {
        **_utterances(utterances, item),
        **_codecs(planned.codecs, codec),
        "payload_kbps": rates[item, codec],
        "metric": _texts([entry.column for entry in planned.metrics]).take(metric),
        "metric_id": _texts([entry.metric_id for entry in planned.metrics]).take(metric),
        "unit": _texts([entry.unit for entry in planned.metrics]).take(metric),
        "direction": _texts([entry.direction for entry in planned.metrics]).take(metric),
        "condition": _same(corpus.condition, item.size),
        "against": _texts([entry.against for entry in planned.metrics]).take(metric),
        "status": _texts(STATUS_NAMES).take(cells.status.ravel()[kept]),
        "value": cells.values.ravel()[kept],
        "weight": weights.ravel()[kept],
        "reason": _texts(list(texts)).take(reasons.ravel()[kept]),
    }


def _decodes(store: Store, planned: PlannedRun, corpus: PlannedCorpus, cells: Cells) -> Columns:
    shape = cells.decode_status.shape
    item, codec = (axis.ravel() for axis in np.indices(shape))
    utterances = _items(store, corpus.name)
    texts = {
        name: np.full(shape, "", dtype=object) for name in ("reason", "reconstruction", "bitstream")
    }
    for number, entry in enumerate(planned.codecs):
        texts["reason"][:, number][cells.decode_status[:, number] == MISSING] = entry.missing
    codecs = {entry.codec_id: number for number, entry in enumerate(planned.codecs)}
    numbers = [codecs.get(entry.codec_id) for entry in store.planned.codecs]
    for item_index, of, code, *values in store.counted.tuples(queries.DECODE_TEXTS, corpus.name):
        number = numbers[of]
        if number is None:
            continue
        reason, *files = values
        if code == FAILED:
            texts["reason"][item_index, number] = reason or ""
            continue
        for name, file in zip(("reconstruction", "bitstream"), files, strict=True):
            texts[name][item_index, number] = str(planned.folder / file) if file else ""
    measures = {name: cells.measures[name].ravel() for name in MEASURES}
    return {
        **_utterances(utterances, item),
        **_codecs(planned.codecs, codec),
        "status": _texts(STATUS_NAMES).take(cells.decode_status.ravel()),
        "reason": texts["reason"].ravel(),
        "payload_kbps": measures["payload_bits"] / utterances["seconds"][item] / 1000,
        **measures,
        "reconstruction": texts["reconstruction"].ravel(),
        "bitstream": texts["bitstream"].ravel(),
    }


def _utterances(utterances: Columns, item: NDArray[np.intp]) -> Columns:
    """The columns that say which utterance a row is about, and how long that is."""
    named = ("corpus", "item", "speaker")
    return {
        **{name: _texts(list(utterances[name])).take(item) for name in named},
        "seconds": utterances["seconds"][item],
    }


def _codecs(codecs: Sequence[PlannedCodec], index: NDArray[np.intp]) -> Columns:
    nominal = [
        np.nan if entry.nominal_bps is None else entry.nominal_bps / 1000 for entry in codecs
    ]
    return {
        "codec": _texts([entry.label for entry in codecs]).take(index),
        "codec_spec": _texts([entry.spec for entry in codecs]).take(index),
        "codec_id": _texts([entry.codec_id for entry in codecs]).take(index),
        "kind": _texts([entry.kind for entry in codecs]).take(index),
        "nominal_kbps": np.array(nominal, dtype=np.float64)[index],
    }


def _texts(texts: Sequence[str]) -> Any:
    """Some texts as pandas keeps a column; ``take`` makes long columns of them without Python."""
    import pandas

    return pandas.Series(list(texts)).array


def _same(text: str, count: int) -> Any:
    return _texts([text]).take(np.zeros(count, dtype=np.intp))
