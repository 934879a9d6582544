"""How the cells of a plan ended so far, as arrays: what a next start need not do again.

Axes
    item    of the plan
    codec   in the order of the suite
    metric  in the order of the suite
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.errors import EnvironmentFault, UsageError
from synbench.results import queries
from synbench.results.counted_rows import CountedRows, filled
from synbench.results.rows import Stage

# So often a failure that may pass is tried, one attempt at each start.
MOST_ATTEMPTS = 3

__all__ = ["MOST_ATTEMPTS", "Outcomes", "stored_outcomes"]


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """A cell that failed for a passing reason has attempts and no outcome, until it had too many.

    Attributes:
        decoded: whether an outcome of coding is stored, shape ``(item, codec)``.
        undecoded: the reason by (item, codec), where that outcome is a failure.
        decode_attempts: how often it was tried, 0 of a version that did not count, likewise.
        scored: whether an outcome is stored, shape ``(item, codec, metric)``.
        score_attempts: likewise.
    """

    decoded: NDArray[np.bool_]
    undecoded: dict[tuple[int, int], str]
    decode_attempts: NDArray[np.int32]
    scored: NDArray[np.bool_]
    score_attempts: NDArray[np.int32]


def stored_outcomes(
    folder: Path,
    *,
    items: tuple[Sequence[str], Sequence[str], Sequence[str]],
    policy_id: str,
    codec_ids: Sequence[str],
    metric_ids: Sequence[str],
    retry: bool = False,
) -> Outcomes:
    """Read what a run folder has of a plan.

    Args:
        items: corpora, ids and digests of the items.
        retry: no failure counts as an outcome, however often it was tried.

    Raises:
        EnvironmentFault: a stored file is damaged.
    """
    pairs = (len(items[0]), len(codec_ids))
    triples = (*pairs, len(metric_ids))
    rows = CountedRows(
        folder, policy_id=policy_id, codec_ids=codec_ids, metric_ids=metric_ids, items=items
    )
    decodes = _fetched(rows, "decodes", queries.DECODE_OUTCOMES)
    scores = _fetched(rows, "scores", queries.SCORE_OUTCOMES)
    pair = (decodes["item_index"], decodes["codec_index"])
    triple = (scores["item_index"], scores["codec_index"], scores["metric_index"])
    lasting = _lasting(decodes, retry=retry)
    undecoded = {
        (int(item), int(codec)): str(reason)
        for item, codec, reason in zip(
            pair[0][lasting], pair[1][lasting], decodes["reason"][lasting], strict=True
        )
        if reason is not None
    }
    return Outcomes(
        decoded=_scattered(pairs, pair, lasting, np.bool_),
        undecoded=undecoded,
        decode_attempts=_scattered(pairs, pair, decodes["attempt"], np.int32),
        scored=_scattered(triples, triple, _lasting(scores, retry=retry), np.bool_),
        score_attempts=_scattered(triples, triple, scores["attempt"], np.int32),
    )


def _lasting(rows: dict[str, NDArray[Any]], *, retry: bool) -> NDArray[np.bool_]:
    """Whether a row is an outcome: a passing failure is one after its last attempt."""
    failed = np.asarray(rows["failed"], dtype=bool)
    if retry:
        return ~failed
    again: NDArray[np.bool_] = failed & rows["transient"] & (rows["attempt"] < MOST_ATTEMPTS)
    return ~again


def _fetched(rows: CountedRows, stage: Stage, query: str) -> dict[str, NDArray[Any]]:
    try:
        rows.count(stage, (*queries.FATE_COLUMNS, *(["value"] if stage == "scores" else [])))
        answer = rows.execute(query).fetchnumpy()
    except UsageError as error:
        raise EnvironmentFault(
            f"{error}; remove the damaged file, then type the same command again"
        ) from error
    return {name: filled(column) for name, column in answer.items()}


def _scattered(
    shape: tuple[int, ...], index: tuple[NDArray[Any], ...], values: NDArray[Any], kind: Any
) -> NDArray[Any]:
    array = np.zeros(shape, dtype=kind)
    array[index] = values
    return array
