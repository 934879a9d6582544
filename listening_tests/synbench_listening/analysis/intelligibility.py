"""Word scores of a transcription test: pooled over words, with intervals by listener and by item.

As with recognisers, the number of a condition is that of all its words together, not the mean of
its sentences: a sentence of ten words counts ten times as much as one of a single word. Words
understood and word error rate differ where listeners add or confuse words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from synbench.statistics.means import Estimates, estimate_means
from synbench_listening.analysis.rated_rows import Row
from synbench_listening.analysis.result_table import ResultTable
from synbench_listening.analysis.table_columns import make_table
from synbench_listening.answers.ratings import Rating

__all__ = ["intelligibility_table"]


def intelligibility_table(ratings: Sequence[Rating], order: Sequence[str]) -> ResultTable | None:
    """A row per condition, in this order; nothing where the ratings do not count their words."""
    counted = [rating for rating in ratings if rating.words]
    rows = [_row(name, mine) for name in order if (mine := _of(counted, name))]
    if not rows:
        return None
    return make_table(
        "intelligibility",
        "Words understood, in percent of all words said",
        rows,
        "all words of a condition together; 95 % intervals once over listeners, once over items: "
        "each takes the other as given",
        "WER: words wrong, missing or added, of all words said; texts are normalised as those of "
        "the recognisers",
    )


def _of(ratings: Sequence[Rating], condition: str) -> list[Rating]:
    return [rating for rating in ratings if rating.condition == condition]


def _row(name: str, ratings: Sequence[Rating]) -> Row:
    understood = _rate(ratings, lambda r: r.score, lambda r: r.listener)
    over_items = _rate(ratings, lambda r: r.score, lambda r: r.item)
    errors = _rate(ratings, lambda r: 100 * (r.word_errors or 0) / (r.words or 1), _listener)
    return {
        "condition": name,
        "percent": understood.mean[0],
        # The ends of an interval of percentages stay on their scale.
        "low": max(0.0, understood.low[0]),
        "high": min(100.0, understood.high[0]),
        "low_items": max(0.0, over_items.low[0]),
        "high_items": min(100.0, over_items.high[0]),
        "wer": errors.mean[0],
        "words": sum(rating.words or 0 for rating in ratings),
        "sentences": len(ratings),
        "nothing": sum(not rating.answer.strip() for rating in ratings),
        "listeners": len({rating.listener for rating in ratings}),
        "items": len({rating.item for rating in ratings}),
    }


def _listener(rating: Rating) -> str:
    return rating.listener


def _rate(
    ratings: Sequence[Rating], share: Callable[[Rating], float], unit: Callable[[Rating], str]
) -> Estimates:
    """All words together; what is drawn at random is listeners, or items."""
    names = sorted({unit(rating) for rating in ratings})
    return estimate_means(
        np.array([[share(rating)] for rating in ratings], dtype=np.float64),
        clusters=np.array([names.index(unit(rating)) for rating in ratings]),
        sizes=np.array([[rating.words or 0] for rating in ratings], dtype=np.float64),
    )
