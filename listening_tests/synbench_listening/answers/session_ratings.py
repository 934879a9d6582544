"""Answers of one session and the study's key become ratings: the only place where blindness ends.

Used for what our server stored, and for the file of an offline session.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synbench_listening.answers.ratings import Rating
from synbench_listening.answers.submission import (
    Answer,
    ChoiceAnswer,
    Heard,
    RatedAnswer,
    TranscriptionAnswer,
    is_right,
)
from synbench_listening.answers.words import score_words
from synbench_listening.design.session_plan import REFERENCE, TRIAL_KINDS
from synbench_listening.design.study_folder import BlockPage, Key, PublicStudy, Stimulus

HIDDEN_REFERENCE = "hidden_reference"
CHECKS = (
    "headphones", "environment", "digits", "attention", "bandwidth", "ears", "gold", "trap"
)  # fmt: skip

__all__ = ["CHECKS", "questionnaire_values", "session_checks", "session_ratings"]


def session_ratings(
    key: Key,
    public: PublicStudy,
    *,
    block: str,
    session: str,
    answers: Mapping[int, Answer],
    simulated: bool,
    listener: str = "",
) -> list[Rating]:
    """All ratings of a session, without those of training pages and of checks.

    Args:
        answers: the valid answer of each page, by number.
        listener: the number that the experimenter gave; the session's code if empty.
    """
    shared = {
        "study": public.name,
        "version": public.version,
        "session": session,
        "listener": listener or session,
        "block": block,
        "simulated": simulated,
    }
    ratings: list[Rating] = []
    trial = 0
    for n, page in enumerate(key.block(block).pages):
        if page.kind not in TRIAL_KINDS or page.training:
            continue
        trial += 1
        if page.check:
            continue
        answer = answers.get(n)
        if not isinstance(answer, RatedAnswer | ChoiceAnswer | TranscriptionAnswer):
            continue
        stimuli = [key.stimuli[name] for name in page.stimuli]
        common = shared | {
            "test": page.kind,
            "page": n,
            "trial": trial,
            "item": page.item,
            "replicate": page.replicate,
            "total_ms": answer.total_ms,
            "comment": answer.comment,
            "item_condition": stimuli[0].item_condition,
        }
        if isinstance(answer, TranscriptionAnswer):
            ratings.append(_written(stimuli[0], answer, common))
        elif isinstance(answer, ChoiceAnswer):
            ratings.append(_choice(page, stimuli, answer, common))
        elif page.kind == "ccr":
            ratings += _relative(stimuli, answer, common)
        else:
            ratings += _grades(page, stimuli, answer, common)
    return ratings


def session_checks(
    key: Key, public: PublicStudy, *, block: str, answers: Mapping[int, Answer]
) -> dict[str, tuple[int, int]]:
    """Passed and of how many, by kind of check, by the last answers.

    Kinds are :data:`CHECKS`.
    """
    checks: dict[str, tuple[int, int]] = {}
    for n, page in enumerate(key.block(block).pages):
        name = page.check or page.kind
        if name in CHECKS and n in answers:
            right = is_right(key, public, page, answers[n])
            passed, of = checks.get(name, (0, 0))
            checks[name] = (passed + bool(right), of + 1)
    return checks


def questionnaire_values(public: PublicStudy, answers: Mapping[int, Answer]) -> dict[str, Any]:
    """Values by question; a choice by its first language's text."""
    values: dict[str, Any] = {}
    questions = {question.name: question for question in public.questionnaire}
    for answer in answers.values():
        if answer.kind == "questionnaire":
            for name, value in answer.values.items():
                question = questions.get(name)
                values[name] = value
                if question and question.type == "choice" and isinstance(value, float):
                    text = question.choices[int(value)]
                    values[name] = text if isinstance(text, str) else next(iter(text.values()))
    return values


def _grades(
    page: BlockPage, stimuli: list[Stimulus], answer: RatedAnswer, common: dict[str, Any]
) -> Iterator[Rating]:
    heard = {entry.position: entry for entry in answer.heard}
    pair = page.kind == "bs1116" and len(stimuli) == 2
    for rating in sorted(answer.ratings, key=lambda entry: entry.position):
        stimulus, mine = stimuli[rating.position], heard.get(rating.position)
        yield Rating(
            position=rating.position,
            condition=stimulus.condition,
            versus=stimuli[1 - rating.position].condition if pair else "",
            score=rating.score,
            first_touch_ms=rating.first_touch_ms,
            n_plays=mine.plays if mine else 0,
            heard_s=mine.seconds if mine else 0.0,
            **common,
        )


def _written(stimulus: Stimulus, answer: TranscriptionAnswer, common: dict[str, Any]) -> Rating:
    counted = score_words(said=stimulus.transcript, written=answer.text)
    return Rating(
        position=0,
        condition=stimulus.condition,
        score=counted.percent,
        answer=answer.text,
        words=counted.words,
        word_errors=counted.errors,
        **_heard(answer.heard),
        **common,
    )


def _relative(
    stimuli: list[Stimulus], answer: RatedAnswer, common: dict[str, Any]
) -> Iterator[Rating]:
    """Comparison grades: of the second relative to the first; the order of playing is undone."""
    condition = _object(stimuli)
    for rating in answer.ratings:
        sign = 1 if condition == 1 else -1
        yield Rating(
            position=condition,
            condition=stimuli[condition].condition,
            versus=stimuli[1 - condition].condition,
            # No minus zero.
            score=sign * rating.score + 0.0,
            first_touch_ms=rating.first_touch_ms,
            **_heard(answer.heard),
            **common,
        )


def _choice(
    page: BlockPage, stimuli: list[Stimulus], answer: ChoiceAnswer, common: dict[str, Any]
) -> Rating:
    condition = _object(stimuli[:2])
    if page.kind == "abx":
        right = answer.choice == page.x
        score, words = float(right), "correct" if right else "incorrect"
    elif answer.choice is None:
        score, words = 0.0, "none"
    else:
        preferred = answer.choice == condition
        score, words = (1.0, "condition") if preferred else (-1.0, "versus")
    return Rating(
        position=condition,
        condition=stimuli[condition].condition,
        versus=stimuli[1 - condition].condition,
        score=score,
        answer=words,
        **_heard(answer.heard),
        **common,
    )


def _object(stimuli: list[Stimulus]) -> int:
    """Which of two is the condition: never the reference; of two systems the first by name."""
    first, second = stimuli[0], stimuli[1]
    if HIDDEN_REFERENCE in (first.role, second.role) or "reference" in (first.role, second.role):
        return int(first.role in (HIDDEN_REFERENCE, "reference"))
    return int(second.condition < first.condition)


def _heard(heard: tuple[Heard, ...]) -> dict[str, Any]:
    """Plays and distinct seconds of all that was compared; the open reference apart."""
    mine = [entry for entry in heard if entry.position != REFERENCE]
    return {
        "n_plays": sum(entry.plays for entry in mine),
        "heard_s": sum(entry.seconds for entry in mine),
    }
