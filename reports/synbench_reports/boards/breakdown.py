"""The scores of a board by groups of its items: gender, language, accent, length, speaker.

Of every codec and metric the worst group is named. Some group is always the worst, so the number of
items stands beside each, and where groups are few, the 95 % interval. Numbers are those of a table:
means, or all errors over all words; a distance of the corpus has no groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.results.cells import Floats
from synbench.statistics.clusters import cluster_sums
from synbench.statistics.means import estimate_means
from synbench_reports.boards.combine import Board

# So many groups are shown one by one; of more, the worst and the best of each codec.
MOST_SHOWN = 8
LENGTHS = ("short", "middle", "long")

__all__ = ["breakdowns"]

Record = dict[str, Any]


def breakdowns(board: Board) -> list[Record]:
    """One record for each way to group the items that has at least two groups.

    ``groups`` has their names and numbers of items; ``scores`` has, per codec and metric of the
    board, the worst and the best group by number, and ``means`` (with ``low`` and ``high``) where
    all groups are shown.
    """
    items = board.items
    labels = {
        "gender": items.genders,
        "language": items.languages,
        "accent": items.accents,
        "length": _lengths(board.cells.seconds),
        "speaker": items.speakers,
    }
    records = []
    for name, texts in labels.items():
        known = sorted({text for text in texts if text})
        if 1 < len(known) < len(texts):
            records.append(_breakdown(board, name, known, texts))
    return records


def _lengths(seconds: Floats) -> Sequence[str]:
    if len(seconds) < 2 * len(LENGTHS):
        return ()
    edges = np.quantile(seconds, (1 / 3, 2 / 3))
    names = [f"up to {edges[0]:.1f} s", f"up to {edges[1]:.1f} s", f"above {edges[1]:.1f} s"]
    return [names[int(number)] for number in np.searchsorted(edges, seconds)]


def _breakdown(board: Board, name: str, known: list[str], texts: Sequence[str]) -> Record:
    numbers = {text: number for number, text in enumerate(known)}
    group = np.array([numbers.get(text, len(known)) for text in texts], dtype=np.int64)
    means = _means(board, group, len(known))
    few = len(known) <= MOST_SHOWN
    ends = [_ends(board, group == number) for number in range(len(known))] if few else []
    scores: list[Record] = []
    for codec, _ in enumerate(board.planned.codecs):
        for metric, kind in enumerate(board.planned.metrics):
            own = means[:, codec, metric]
            if kind.is_distance or np.isfinite(own).sum() < 2:
                continue
            turned = own if kind.direction == "down" else -own
            record: Record = {
                "codec": codec,
                "metric": metric,
                "worst": int(np.nanargmax(turned)),
                "best": int(np.nanargmin(turned)),
            }
            record["worst_mean"] = float(own[record["worst"]])
            record["best_mean"] = float(own[record["best"]])
            if few:
                record["means"] = [_number(value) for value in own]
                for side_index, side in enumerate(("low", "high")):
                    record[side] = [_number(pair[side_index][codec, metric]) for pair in ends]
            scores.append(record)
    counts = np.bincount(group, minlength=len(known))[: len(known)]
    groups = [
        {"name": text, "items": int(count)} for text, count in zip(known, counts, strict=True)
    ]
    return {"by": name, "groups": groups, "scores": scores}


def _means(board: Board, group: NDArray[np.int64], count: int) -> Floats:
    """Shape ``(group, codec, metric)``."""
    cells = board.cells
    shape = cells.values.shape
    known = np.isfinite(cells.values)
    weights = np.where(known, cells.sizes, 0.0).reshape(len(group), -1)
    sums = np.where(known, cells.values * cells.sizes, 0.0).reshape(len(group), -1)
    # A group without a name is the last, and left out.
    total, weight = (_summed(part, group, count + 1)[:count] for part in (sums, weights))
    with np.errstate(divide="ignore", invalid="ignore"):
        means: Floats = np.where(weight > 0, total / weight, np.nan)
    return means.reshape(count, *shape[1:])


def _summed(parts: Floats, group: NDArray[np.int64], count: int) -> Floats:
    present, numbers = np.unique(group, return_inverse=True)
    sums = np.zeros((count, parts.shape[1]))
    sums[present] = cluster_sums(parts, numbers)
    return sums


def _ends(board: Board, chosen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    cells = board.cells
    shape = cells.values.shape[1:]
    clusters = None
    if cells.speakers is not None:
        clusters = np.unique(cells.speakers[chosen], return_inverse=True)[1].astype(np.int64)
        clusters = clusters if len(np.unique(clusters)) > 1 else None
    estimates = estimate_means(
        cells.values[chosen].reshape(int(chosen.sum()), -1),
        clusters=clusters,
        sizes=cells.sizes[chosen].reshape(int(chosen.sum()), -1),
    )
    low, high = estimates.low, estimates.high
    return low.reshape(shape), high.reshape(shape)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
