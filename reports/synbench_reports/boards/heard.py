"""What a recogniser heard in every reconstruction, beside what it should have heard.

Kept with the scores of the word and character error rates, as both texts after normalisation.
"""

from __future__ import annotations

import json
from typing import Any

from synbench.results import queries
from synbench.results.counted_rows import CountedRows
from synbench_reports.boards.combine import Board

DETAILS = f"""
SELECT corpus_index, codec_index, metric_index, details FROM counted_scores {queries.IN_CORPUS}
AND details IS NOT NULL
"""

__all__ = ["heard_texts"]

Record = dict[str, Any]


def heard_texts(board: Board) -> dict[int, Record]:
    """By the number of the metric: ``said`` per item, and ``heard`` per codec and item.

    What is the same as what was said is ``1``, and nothing is known where it is ``None``.
    """
    rates = [index for index, metric in enumerate(board.planned.metrics) if metric.is_rate]
    count = len(board.items.names)
    texts: dict[int, Record] = {
        index: {
            "said": [None] * count,
            "heard": [[None] * count for _ in board.planned.codecs],
        }
        for index in rates
    }
    codec_ids = [codec.codec_id for codec in board.planned.codecs]
    metric_ids = [board.planned.metrics[index].metric_id for index in rates]
    for part in board.parts if rates else ():
        rows = CountedRows(
            part.planned.folder,
            policy_id=part.planned.policy_id,
            codec_ids=codec_ids,
            metric_ids=metric_ids,
        )
        rows.count("scores", (*queries.FATE_COLUMNS, "value", "details"))
        index_of = {int(own): index for index, own in enumerate(part.order)}
        for own, codec, rate, details in rows.tuples(DETAILS, part.corpus.name):
            said, heard = _both(details)
            if said is None or heard is None:
                continue
            record, index = texts[rates[rate]], index_of[own]
            if record["said"][index] in (None, said):
                record["said"][index] = said
                record["heard"][codec][index] = 1 if heard == said else heard
    return {index: record for index, record in texts.items() if any(record["said"])}


def _both(details: str) -> tuple[str | None, str | None]:
    """The two texts of a stored record; it may be a stranger's."""
    try:
        record = json.loads(details)
    except (ValueError, RecursionError):
        return None, None
    texts = (record.get("reference"), record.get("hypothesis")) if isinstance(record, dict) else ()
    if len(texts) == 2 and all(isinstance(text, str) for text in texts):
        return texts
    return None, None
