"""Whether a session is to be paid, and whether its answers are to be used: two questions.

Paid is who took part in earnest: finished, and every beep was counted and every trap was seen, as
these need attention alone. Used is what also came through headphones on both ears, in quiet, from
ears that tell a clean recording from a ruined one, and from somebody who did not always press the
same button.

Reference
    B. Naderi, R. Cutler, "An Open Source Implementation of ITU-T Recommendation P.808 with
    Validation", Interspeech 2020 (accept and pay apart from accept and use).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synbench_listening.answers.submission import (
    Answer,
    ChoiceAnswer,
    RatedAnswer,
    TranscriptionAnswer,
)
from synbench_listening.design.session_plan import TRIAL_KINDS
from synbench_listening.design.study_folder import Block

# Of the scale: who used less of it in so many ratings or more did not judge.
SPAN_PERCENT = 10
FEWEST_RATINGS = 6
FEWEST_CHOICES = 8
# Gold trials that may be wrong: no more than a fifth.
GOLD_PERCENT = 20
# What says that the sound arrives, and is heard.
HEARING = ("headphones", "environment", "digits", "bandwidth", "ears")

Checks = Mapping[str, tuple[int, int]]

__all__ = ["FEWEST_RATINGS", "SPAN_PERCENT", "Verdict", "too_little_span", "verdict"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Both answers, and the checks that were failed."""

    pay: bool
    use: bool
    reasons: tuple[str, ...]


def verdict(checks: Checks, *, finished: bool, simulated: bool, no_span: bool) -> Verdict:
    """Judge one session.

    Args:
        checks: passed and of how many, by kind.
        no_span: the answers hardly differ.
    """
    reasons = [] if finished else ["unfinished"]
    reasons += [kind for kind in ("attention", "trap") if _failed(checks, kind)]
    pay = not reasons and not simulated
    honest = not reasons
    reasons += [kind for kind in HEARING if _failed(checks, kind)]
    right, of = checks.get("gold", (0, 0))
    if 100 * (of - right) > GOLD_PERCENT * of:
        reasons.append("gold")
    if no_span:
        reasons.append("span")
    return Verdict(pay=pay, use=honest and not reasons, reasons=tuple(reasons))


def too_little_span(
    block: Block, answers: Mapping[int, Answer], *, scale: tuple[float, float]
) -> bool:
    """Whether one and the same answer was given all the time, training and checks left out."""
    scores: list[float] = []
    sides: list[int | None] = []
    texts: list[str] = []
    for n, page in enumerate(block.pages):
        answer = answers.get(n)
        if page.kind not in TRIAL_KINDS or page.training or page.check:
            continue
        if isinstance(answer, RatedAnswer):
            scores += [rating.score for rating in answer.ratings]
        elif isinstance(answer, ChoiceAnswer):
            sides.append(answer.choice)
        elif isinstance(answer, TranscriptionAnswer):
            texts.append(answer.text.strip())
    one_side = len(sides) >= FEWEST_CHOICES and len(set(sides)) == 1
    one_text = len(texts) >= FEWEST_RATINGS and len(set(texts)) == 1
    return narrow(scores, scale) or one_side or one_text


def narrow(scores: Sequence[float], scale: tuple[float, float]) -> bool:
    """Whether enough scores all lie within a tenth of the scale."""
    if len(scores) < FEWEST_RATINGS:
        return False
    return 100 * (max(scores) - min(scores)) < SPAN_PERCENT * (scale[1] - scale[0])


def _failed(checks: Checks, kind: str) -> bool:
    right, of = checks.get(kind, (0, 0))
    return right < of
