"""Whether an answer can have come about: sound takes its time, and no more of it can be heard.

All by the server's own clock and its own record of when clips were fetched: what the page says of
its times proves nothing. Simulated listeners need no time; who is one has to prove it.
"""

from __future__ import annotations

from collections.abc import Iterable

from synbench_listening.answers.submission import (
    Answer,
    AttentionAnswer,
    ChoiceAnswer,
    QualifyingAnswer,
    RatedAnswer,
    TranscriptionAnswer,
)
from synbench_listening.design.session_plan import PlanPage

# Clocks of sound cards differ by far less; a session of minutes must not fail by rounding.
CLOCK_SHARE = 0.02
CLOCK_SECONDS = 1.0
# Of a check's sound that has to be over before the page lets anybody answer.
CHECK_SHARE = 0.85

__all__ = ["in_time", "seconds_needed"]


def seconds_needed(page: PlanPage, answer: Answer, *, sample_rate: int) -> float:
    """Seconds of sound that an answer speaks of: what it says was heard, or the check's length."""
    if isinstance(answer, RatedAnswer | ChoiceAnswer | TranscriptionAnswer):
        return sum(entry.seconds for entry in answer.heard)
    if isinstance(answer, QualifyingAnswer | AttentionAnswer):
        length = sum(clip.samples for clip in page.stimuli) / sample_rate
        return CHECK_SHARE * length
    return 0.0


def in_time(
    needed: float, others: Iterable[float], *, since_fetched: float | None, since_begun: float
) -> bool:
    """Whether so much sound fits into the time that has passed.

    Args:
        needed: seconds of sound of this page.
        others: of the other pages that are answered already.
        since_fetched: seconds since the first clip of this page was sent, where that is known.
            An answer may come late, with others after a broken connection, but never early.
        since_begun: seconds since the session began.
    """

    def fits(sound: float, passed: float) -> bool:
        return sound <= passed * (1 + CLOCK_SHARE) + CLOCK_SECONDS

    if since_fetched is not None and not fits(needed, since_fetched):
        return False
    return fits(needed + sum(others), since_begun)
