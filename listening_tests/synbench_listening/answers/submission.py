"""What a page sends back, and what is wrong with it.

``PUT /api/trials/{n}`` carries a :class:`Submission`. The answers of all kinds are one union,
told apart by ``kind``. The same checks run in the browser before it sends and on whoever receives:
:func:`find_problems` returns codes, no sentences, and nothing where all is well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from synbench_listening.design.session_plan import REFERENCE, PlanPage
from synbench_listening.design.study_folder import BlockPage, Key, PublicStudy

# Play intervals are measured by the audio clock and sent in ms.
HEARD_TOLERANCE_SECONDS = 0.05
Milliseconds = Annotated[int, Field(ge=0, le=10**9)]
FreeText = Annotated[str, Field(max_length=4000)]

__all__ = ["Answer", "AttentionAnswer", "ChoiceAnswer", "DigitsAnswer", "EnvironmentAnswer"]
__all__ += ["Event", "HeadphonesAnswer", "Heard", "QualifyingAnswer"]
__all__ += ["QuestionnaireAnswer", "RatedAnswer", "SeenAnswer", "Submission", "SubmittedRating"]
__all__ += ["TranscriptionAnswer", "VolumeAnswer", "find_problems", "is_right"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Heard(_Strict):
    """How much of one stimulus was heard; ``position`` -1 is the open reference."""

    position: int = Field(ge=REFERENCE, le=20)
    plays: int = Field(ge=0, le=100_000)
    seconds: float = Field(ge=0, le=100_000, description="distinct seconds, repeats counted once")


class SubmittedRating(_Strict):
    """One grade."""

    position: int = Field(ge=0, le=20)
    score: float
    first_touch_ms: Milliseconds


class _Timed(_Strict):
    total_ms: Milliseconds = Field(default=0, description="on the page, until it was left")


class RatedAnswer(_Timed):
    """Grades of every position; of a ccr page position 1 alone, relative to position 0."""

    kind: Literal["mushra", "mushra1s", "bs1116", "acr", "dcr", "ccr", "effort"]
    ratings: tuple[SubmittedRating, ...] = Field(max_length=20)
    heard: tuple[Heard, ...] = Field(max_length=20)
    comment: FreeText = ""


class ChoiceAnswer(_Timed):
    """abx: the position that X is; ab: the preferred position, ``None`` for no preference."""

    kind: Literal["abx", "ab"]
    choice: Literal[0, 1] | None
    heard: tuple[Heard, ...] = Field(max_length=20)
    comment: FreeText = ""


class TranscriptionAnswer(_Timed):
    """What was understood, as it was typed; empty where nothing was."""

    kind: Literal["transcription"]
    text: FreeText
    heard: tuple[Heard, ...] = Field(max_length=20)
    comment: FreeText = ""


class QuestionnaireAnswer(_Timed):
    """Values by the question's name; a choice by its number from 0, ``None`` if left out."""

    kind: Literal["questionnaire"]
    values: dict[str, FreeText | float | None] = Field(max_length=60)


class QualifyingAnswer(_Timed):
    """An answer that can be tried again."""

    attempt: int = Field(default=1, ge=1, le=20)


class HeadphonesAnswer(QualifyingAnswer):
    """The interval (0, 1, 2) taken for the quietest, per trial."""

    kind: Literal["headphones"]
    choices: tuple[Literal[0, 1, 2], ...] = Field(max_length=12)


class EnvironmentAnswer(QualifyingAnswer):
    """Which of two (0, 1) is the better one, 2 where no difference is heard, per trial."""

    kind: Literal["environment"]
    choices: tuple[Literal[0, 1, 2], ...] = Field(max_length=12)


class DigitsAnswer(QualifyingAnswer):
    """The digits that were understood, per trial."""

    kind: Literal["digits"]
    written: tuple[Annotated[str, Field(pattern=r"^[0-9]{0,3}$")], ...] = Field(max_length=12)


class VolumeAnswer(_Timed):
    """The volume that the listener chose, relative to the files."""

    kind: Literal["volume"]
    gain_db: float = Field(ge=-120, le=0)


class AttentionAnswer(_Timed):
    """How many beeps were counted."""

    kind: Literal["attention"]
    count: int = Field(ge=0, le=20)


class SeenAnswer(_Timed):
    """A page that asks nothing."""

    kind: Literal["consent", "instructions", "break"]


Answer = Annotated[
    RatedAnswer
    | ChoiceAnswer
    | TranscriptionAnswer
    | QuestionnaireAnswer
    | HeadphonesAnswer
    | EnvironmentAnswer
    | DigitsAnswer
    | VolumeAnswer
    | AttentionAnswer
    | SeenAnswer,
    Field(discriminator="kind"),
]


class Submission(_Strict):
    """One save. The same ``uuid`` again is the same save; a higher ``revision`` replaces."""

    uuid: str = Field(pattern=r"^[0-9a-f-]{32,36}$")
    revision: int = Field(ge=1, le=100_000)
    client_ms: int = Field(ge=0, le=10**14, description="clock of the client, ms since 1970")
    answer: Answer


class Event(_Strict):
    """One thing that happened: audio context, play intervals, loops, visibility, trouble."""

    n: int = Field(ge=0, le=10_000)
    t_ms: Milliseconds = Field(description="since the page was loaded")
    type: str = Field(pattern=r"^[a-z_]{1,40}$")
    data: dict[str, str | float | bool | None] = Field(default={}, max_length=20)


def find_problems(page: PlanPage, answer: Answer, study: PublicStudy) -> list[str]:
    """Codes of what keeps an answer from being accepted: ``unrated``, ``unheard``, ...

    ``unheard`` goes by what the client says that it played.
    """
    if answer.kind != page.kind:
        return ["wrong_kind"]
    if isinstance(answer, RatedAnswer):
        return _rating_problems(page, answer, study) + _unheard(page, answer.heard, study)
    if isinstance(answer, ChoiceAnswer):
        undecided = answer.choice is None and not (page.kind == "ab" and study.no_preference)
        return ["unrated"] * undecided + _unheard(page, answer.heard, study)
    if isinstance(answer, TranscriptionAnswer):
        most = study.listening.most_plays
        too_often = most is not None and any(entry.plays > most for entry in answer.heard)
        return ["played_too_often"] * too_often + _unheard(page, answer.heard, study)
    if isinstance(answer, HeadphonesAnswer | EnvironmentAnswer | DigitsAnswer):
        rules = study.qualification(answer.kind)
        given = answer.written if isinstance(answer, DigitsAnswer) else answer.choices
        return ["incomplete"] * (rules is None or len(given) != rules.trials)
    if isinstance(answer, QuestionnaireAnswer):
        return _questionnaire_problems(answer, study)
    return []


def _rating_problems(page: PlanPage, answer: RatedAnswer, study: PublicStudy) -> list[str]:
    problems = []
    wanted = [1] if page.kind == "ccr" else list(range(len(page.stimuli)))
    given = sorted(rating.position for rating in answer.ratings)
    if len(set(given)) != len(given) or not set(given) <= set(wanted):
        problems.append("wrong_positions")
    elif given != wanted:
        problems.append("unrated")
    low, high = study.scale
    steps = [(rating.score - low) / study.scale_step for rating in answer.ratings]
    if any(not low <= rating.score <= high for rating in answer.ratings):
        problems.append("out_of_range")
    elif any(abs(step - round(step)) > 1e-6 for step in steps):
        problems.append("between_steps")
    if (
        page.kind == "mushra"
        and study.listening.require_hundred == "enforce"
        and not any(rating.score == high for rating in answer.ratings)
    ):
        problems.append("no_hundred")
    if page.kind == "bs1116" and not any(rating.score == high for rating in answer.ratings):
        problems.append("no_hidden_reference")
    return problems


def _unheard(page: PlanPage, heard: tuple[Heard, ...], study: PublicStudy) -> list[str]:
    seconds = {entry.position: entry.seconds for entry in heard}
    clips = dict(enumerate(page.stimuli))
    if page.reference is not None:
        clips[REFERENCE] = page.reference
    if len(seconds) < len(heard) or not set(seconds) <= set(clips):
        return ["wrong_positions"]
    for entry in heard:
        length = clips[entry.position].samples / study.sample_rate
        if entry.seconds > length + HEARD_TOLERANCE_SECONDS or (entry.seconds and not entry.plays):
            return ["impossible"]
    for position, clip in clips.items():
        needed = study.listening.minimum_share * clip.samples / study.sample_rate
        if seconds.get(position, 0.0) < needed - HEARD_TOLERANCE_SECONDS:
            return ["unheard"]
    return []


def _questionnaire_problems(answer: QuestionnaireAnswer, study: PublicStudy) -> list[str]:
    questions = {question.name: question for question in study.questionnaire}
    if not set(answer.values) <= set(questions):
        return ["unknown_question"]
    problems = set()
    for name, question in questions.items():
        value = answer.values.get(name)
        if value is None or value == "":
            problems |= set() if question.optional else {"incomplete"}
        elif question.type in ("number", "choice"):
            low = 0 if question.type == "choice" else question.minimum
            high = len(question.choices) - 1 if question.type == "choice" else question.maximum
            if not isinstance(value, float):
                problems.add("no_number")
            elif (low is not None and value < low) or (high is not None and value > high):
                problems.add("out_of_range")
        elif not isinstance(value, str):
            problems.add("no_text")
    return sorted(problems)


def is_right(key: Key, public: PublicStudy, page: BlockPage, answer: Answer) -> bool | None:
    """Whether a check or an abx page was answered rightly; ``None`` where nothing is right."""
    if page.expected is not None:
        return _as_expected(page, answer)
    if isinstance(answer, ChoiceAnswer) and page.kind == "abx":
        return answer.choice == page.x
    expected = [key.stimuli[name].answer for name in page.stimuli]
    rules = public.qualification(answer.kind)
    if isinstance(answer, HeadphonesAnswer | EnvironmentAnswer | DigitsAnswer) and rules:
        given: Sequence[int] = (
            [int(text or -1) for text in answer.written]
            if isinstance(answer, DigitsAnswer)
            else answer.choices
        )
        # Of a pair the first stimulus says which of the two it is.
        expected = expected[::2] if isinstance(answer, EnvironmentAnswer) else expected
        return sum(a == b for a, b in zip(given, expected, strict=False)) >= rules.needed
    if isinstance(answer, AttentionAnswer):
        return answer.count == expected[0]
    return None


def _as_expected(page: BlockPage, answer: Answer) -> bool:
    low, high = page.expected or (0.0, 0.0)
    if isinstance(answer, RatedAnswer):
        return all(low <= rating.score <= high for rating in answer.ratings)
    if isinstance(answer, ChoiceAnswer):
        return answer.choice is not None and low <= answer.choice <= high
    return False
