"""The design of a listening test, written in YAML and checked before anything is built.

::

    name: codecs-at-500
    test: mushra
    systems: [P2PSynCodec, WavTokenizer]
    items: {count: 8, stratify_by: pesq_wb}
    items_per_listener: 8
    languages: [en, de]

Everything else has a default. Unknown keys are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from synbench_base.option_values import written
from synbench_base.yaml_text import read_yaml_model

Test = Literal[
    "mushra", "mushra1s", "bs1116", "abx", "ab", "acr", "dcr", "ccr", "effort", "transcription"
]  # fmt: skip
PageName = Literal[
    "consent",
    "questionnaire",
    "volume",
    "headphones",
    "environment",
    "digits",
    "training",
    "trials",
    "finish",
]
AnchorName = Literal["anchor35", "anchor70"]
ANCHORS: tuple[AnchorName, ...] = ("anchor35", "anchor70")
Language = Literal["en", "de", "es", "fr", "zh"]
# Names that look like numbers stay what was written: 007, 1.10, 2024.
Written = Annotated[
    str, BeforeValidator(lambda given: written(given) if isinstance(given, int | float) else given)
]
Text = Written | dict[Language, Written]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]

__all__ = [
    "Digits",
    "Environment",
    "Headphones",
    "Items",
    "Language",
    "Listening",
    "Qualification",
    "Question",
    "StudyDesign",
    "Test",
    "Text",
    "load_study",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Items(_Strict):
    """Which utterances of the run are heard."""

    count: int = Field(default=8, ge=1, description="how many utterances the study has")
    corpus: Written | None = Field(default=None, description="corpus of the run; needed if several")
    conditions: list[Written] = Field(
        default=[],
        description="conditions of the run, by label: every utterance is an item under each",
    )
    reference: Literal["input", "clean"] = Field(
        default="input",
        description="what is compared with: what the codecs were given, noise included, or the "
        "recording",
    )
    only: list[Written] = Field(default=[], description="choose among these item ids, not all")
    without: list[Written] = Field(default=[], description="never choose these item ids")
    stratify_by: str | None = Field(
        default=None, description="metric whose mean over systems is spread evenly"
    )
    minimum_seconds: float = Field(default=1.0, gt=0)
    maximum_seconds: float = Field(default=12.0, gt=0)


class Question(_Strict):
    """One question of the questionnaire."""

    name: Name
    label: Text
    type: Literal["text", "long_text", "number", "choice"] = "text"
    choices: list[Text] = Field(default=[], description="for type choice; stored as its number")
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _choices_where_needed(self) -> Question:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError(f"question {self.name}: choices belong to type choice, and only there")
        return self


class Qualification(_Strict):
    """A check before the trials; sessions that fail it are not used, and end where it is required.

    Classes of their own say what is asked.
    """

    trials: int = Field(default=5, ge=2, le=12)
    needed: int = Field(default=4, ge=1, description="right answers that pass")
    attempts: int = Field(default=2, ge=1)
    required: bool = Field(default=False, description="end the session of who fails")

    @model_validator(mode="after")
    def _possible(self) -> Qualification:
        if self.needed > self.trials:
            raise ValueError("more answers needed than there are trials")
        return self


class Headphones(Qualification):
    """Antiphase test of three tones (Woods et al. 2017): loudspeakers cancel one of them."""

    trials: int = Field(default=6, ge=3, le=12)
    needed: int = Field(default=5, ge=1, description="right answers that pass")


class Environment(Qualification):
    """Quiet surroundings: which of two recordings has the faint noise? (Naderi, Möller 2020)"""

    trials: int = Field(default=4, ge=2, le=12)
    needed: int = Field(default=3, ge=1, description="right answers that pass")
    snr_db: float = Field(
        default=40.0, ge=10, le=60, description="speech to the faint noise of one of two"
    )


class Digits(Qualification):
    """Hearing: three digits in noise, typed (Smits et al. 2013).

    At -5 dB nearly every triplet is understood by who hears normally: half of them are near -9 dB.
    """

    trials: int = Field(default=5, ge=2, le=12)
    needed: int = Field(default=3, ge=1, description="right answers that pass")
    folder: str = Field(
        default="", description="recordings 0.wav to 9.wav of spoken digits, beside study.yaml"
    )
    snr_db: float = Field(default=-5.0, ge=-20, le=20, description="digits to speech-shaped noise")


class Listening(_Strict):
    """What has to be heard, and how it is switched."""

    minimum_share: float = Field(
        default=0.8, ge=0, le=1, description="share of every stimulus that has to be heard"
    )
    rate_only_what_plays: bool = True
    on_switch: Literal["continue", "start_over"] = Field(
        default="continue", description="acr, dcr and ccr always start a recording over"
    )
    loop: bool = Field(default=True, description="offer loop regions, at least 500 ms long")
    require_hundred: Literal["off", "warn", "enforce"] = Field(
        default="warn", description="mushra: one stimulus of every trial must get 100"
    )
    back: bool = Field(default=True, description="a listener may go back to the trial before")
    most_plays: int | None = Field(
        default=None, ge=1, description="transcription: how often a recording may be played"
    )
    lufs: float = Field(default=-23.0, ge=-40, le=-10, description="BS.1770 target")


class StudyDesign(_Strict):
    """A listening test over the reconstructions of one run."""

    name: Written = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60, description="also the folder and address"
    )
    test: Test
    title: Text = ""
    seed: int = 1
    systems: list[Written] = Field(
        default=[], description="labels or specs of the run's codecs; all but anchors if empty"
    )
    items: Items = Items()
    items_per_listener: int | None = Field(
        default=None, ge=1, description="all items if absent; else items are split into groups"
    )
    training_items: int = Field(default=1, ge=0, description="further items, never in results")
    replicates: int = Field(default=0, ge=0, description="items that each listener gets twice")
    attention_checks: int = Field(default=0, ge=0, le=10, description="pages that count beeps")
    bandwidth_checks: int = Field(
        default=0, ge=0, le=4, description="pages that count beeps, some of them very high"
    )
    two_ear_checks: int = Field(
        default=0, ge=0, le=4, description="pages that count beeps, each of them in one ear alone"
    )
    gold_trials: int = Field(
        default=0, ge=0, le=10, description="trials whose answer is known: clean, or ruined"
    )
    traps: int = Field(
        default=0, ge=0, le=10, description="acr, dcr, effort: beeps say what to answer"
    )
    sound_test: bool = Field(default=True, description="asked first: is anything heard at all?")
    minimum_listeners: int | None = Field(
        default=None, ge=1, description="how many are wanted; progress and export say what lacks"
    )
    mnru: list[float] = Field(
        default=[],
        max_length=8,
        description="speech with modulated noise at these Q in dB, as further conditions (P.810)",
    )
    break_after: int | None = Field(default=None, ge=1, description="a break after so many trials")
    pages: list[PageName] = Field(
        default=["consent", "questionnaire", "volume", "headphones", "training", "trials", "finish"]
    )
    languages: list[Language] = Field(default=["en"], min_length=1)
    consent: Text = Field(default="", description="shown before anything is stored")
    instructions: Text = Field(default="", description="added to the training page")
    questionnaire: list[Question] = []
    headphones: Headphones = Headphones()
    environment: Environment = Environment()
    digits: Digits = Digits()
    listening: Listening = Listening()
    anchors: bool | list[AnchorName] | None = Field(
        default=None,
        description="low 3.5 kHz and mid 7 kHz; mushra has them, others may; a list names which",
    )
    not_standard: bool = Field(
        default=False, description="build even where the standard is broken; results say so"
    )
    no_preference: bool = Field(default=True, description="ab: offer a third answer")
    show_reference: bool = Field(default=True, description="ab: the reference beside A and B")
    pairs: Literal["with_reference", "between_systems"] | None = Field(
        default=None,
        description="abx, ab, ccr: what is compared; abx, ccr with_reference, ab between_systems",
    )
    comments: bool = Field(default=False, description="a field for free text on every trial")
    completion_url: Written = Field(default="", description="where a finished listener is sent")
    completion_code: Written = Field(default="", description="shown to a finished listener only")

    @property
    def pairs_are_between_systems(self) -> bool:
        """Whether both sides of abx, ab and ccr are systems, not the reference and a system."""
        default = "between_systems" if self.test == "ab" else "with_reference"
        return (self.pairs or default) == "between_systems"

    @property
    def anchor_names(self) -> tuple[AnchorName, ...]:
        """The anchors that are among what is rated."""
        if isinstance(self.anchors, list):
            return tuple(name for name in ANCHORS if name in self.anchors)
        wanted = self.test == "mushra" if self.anchors is None else self.anchors
        return ANCHORS if wanted else ()

    def _texts(self) -> list[dict[Language, str]]:
        """All texts that are given by language."""
        texts = [self.title, self.consent, self.instructions]
        for question in self.questionnaire:
            texts += [question.label, *question.choices]
        return [text for text in texts if isinstance(text, dict)]

    @model_validator(mode="after")
    def _consistent(self) -> StudyDesign:
        if len(set(self.pages)) != len(self.pages):
            raise ValueError("pages: each page once")
        if "trials" not in self.pages or self.pages[-1] != "finish":
            raise ValueError("pages: trials are needed, and finish has to be the last page")
        if "consent" in self.pages and self.pages[0] != "consent":
            raise ValueError("pages: consent has to be the first page")
        if self.items_per_listener and self.items_per_listener > self.items.count:
            raise ValueError(
                f"items_per_listener is {self.items_per_listener}, there are {self.items.count}"
            )
        if self.items_per_listener and self.items.count % self.items_per_listener:
            raise ValueError(
                f"items.count {self.items.count} is no multiple of items_per_listener "
                f"{self.items_per_listener}: some item would be rated more often than another"
            )
        if self.replicates > (self.items_per_listener or self.items.count):
            raise ValueError("replicates: more than the items of a listener")
        if "digits" in self.pages and not self.digits.folder:
            raise ValueError("digits: name the folder of the recordings 0.wav to 9.wav")
        for text in self._texts():
            missing = [name for name in self.languages if name not in text]
            if missing and text:
                raise ValueError(f"no {missing[0]!r} text beside {next(iter(text.values()))!r}")
        names = [question.name for question in self.questionnaire]
        if len(set(names)) != len(names):
            raise ValueError("questionnaire: every name once")
        return self


def load_study(path: Path) -> StudyDesign:
    """Read and check a design.

    Raises:
        UsageError: no YAML, an unknown key (the close one is offered), or a value out of range.
    """
    keys = "name, test, systems, items"
    design = read_yaml_model(path, StudyDesign, what="design", keys=keys, written=True)
    if not design.digits.folder:
        return design
    folder = str(path.parent / design.digits.folder)
    digits = design.digits.model_copy(update={"folder": folder})
    return design.model_copy(update={"digits": digits})
