"""Words that a listener wrote down against the words that were said.

Both texts go through the normaliser and the counting of the recognisers' word error rates, so that
listeners and recognisers are scored alike: no case, no punctuation, contractions and numbers in one
form. A score is the share of the words said that were understood (hits); words that were added to
them are errors of the error rate alone, as nobody is asked to hold back.
"""

from __future__ import annotations

from dataclasses import dataclass

from synbench_base.packages import install, requires
from synbench_metrics.word_errors import count_errors

__all__ = ["WordScore", "score_words"]

_texts = requires(jiwer="jiwer", whisper_normalizer="whisper-normalizer", advice=install("metrics"))


@dataclass(frozen=True, kw_only=True)
class WordScore:
    """Of one sentence: words said, of these understood, and all errors with words added."""

    words: int
    hits: int
    errors: int

    @property
    def percent(self) -> float:
        """Words understood, 0 to 100."""
        return 100 * self.hits / self.words


def score_words(*, said: str, written: str) -> WordScore:
    """Count.

    Raises:
        NotApplicable: nothing was said.
        Unavailable: the packages of the metrics are missing.
    """
    _texts()
    counted = count_errors(reference=said, hypothesis=written, unit="words")
    words = int(counted.weight)
    return WordScore(
        words=words, hits=int(counted.details["hits"]), errors=round(counted.value * words)
    )
