"""The built study on disk: what the listener may know, and what only the experimenter may.

::

    STUDY/
      study.json     public: title, texts, languages, options, rates; no system, no item name
      key.json       private: which clip is which system, blocks, gains, alignment, digests
      clips/ID.wav   equal-length PCM, no metadata; ID is random and says nothing

A **stimulus** is one file. A **block** is everything one listener gets, in order: a list of
**pages**, numbered from 0; that number is the ``n`` of ``PUT /api/trials/{n}``. A page names its
stimuli in the order of their **positions**, also from 0. The listener's browser sees neither
stimulus ids nor items: :func:`synbench_listening.design.session_plan.plan_session` gives every
(page, position) a fresh clip id.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synbench.errors import UsageError
from synbench.results.confined import inside
from synbench_base.files import write_bytes
from synbench_listening.design.study import (
    Headphones,
    Language,
    Listening,
    Qualification,
    Question,
    Test,
)

FORMAT: Literal[1] = 1
Kind = Literal[
    "consent",
    "questionnaire",
    "headphones",
    "environment",
    "digits",
    "volume",
    "instructions",
    "mushra",
    "mushra1s",
    "bs1116",
    "abx",
    "ab",
    "acr",
    "dcr",
    "ccr",
    "effort",
    "transcription",
    "attention",
    "break",
    "finish",
]
Role = Literal[
    "reference",
    "hidden_reference",
    "low_anchor",
    "mid_anchor",
    "system",
    "headphones",
    "environment",
    "digits",
    "volume",
    "attention",
    "gold",
    "trap",
    "degraded",
]

__all__ = ["FORMAT", "Block", "BlockPage", "Key", "Kind", "PublicStudy", "Role", "Stimulus"]
__all__ += ["StudyFolder"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stimulus(_Frozen):
    """One file of ``clips/`` and everything that was done to it.

    ``condition`` is the codec's label in the run, ``reference`` for the open and the hidden
    reference, ``anchor35`` or ``anchor70``; rows of results carry it. ``item_condition`` is what
    was done to the item before anything coded it, such as ``babble 5 dB``, empty for the recording
    as it is; ``transcript`` is what is said in it.
    """

    id: str
    role: Role
    condition: str
    item: str
    item_condition: str = ""
    transcript: str = ""
    samples: int
    channels: int = 1
    sha256: str = Field(description="of the file")
    gain_db: float = Field(default=0.0, description="what was added for equal loudness")
    lufs: float | None = Field(default=None, description="BS.1770 loudness after the gain")
    lag_seconds: float = Field(default=0.0, description="residual, positive when late")
    lag_removed_samples: int = 0
    cut_samples: int = Field(default=0, description="negative where zeros were added")
    answer: int | None = Field(
        default=None, description="of a check: the right answer, positions from 0"
    )


class BlockPage(_Frozen):
    """One page of one block.

    ``reference`` is the open reference's stimulus id. ``stimuli`` are in the order of positions.
    ``x`` (abx) says which position X is a copy of; X is then the last of ``stimuli``.
    """

    kind: Kind
    item: str = ""
    reference: str | None = None
    stimuli: tuple[str, ...] = ()
    x: int | None = None
    training: bool = False
    replicate: int = 0
    check: Literal["", "gold", "trap", "bandwidth", "ears"] = Field(
        default="", description="a page whose answer is known beforehand; never in the ratings"
    )
    expected: tuple[float, float] | None = Field(
        default=None, description="of a check: lowest and highest right score, or choice"
    )


class Block(_Frozen):
    """What one listener gets; ``name`` goes into the results."""

    name: str
    pages: tuple[BlockPage, ...]


class PublicStudy(_Frozen):
    """``study.json``: all the page is told before a session exists. Texts are by language."""

    format: int = FORMAT
    name: str
    version: str = Field(description="digest of the key: results carry it")
    test: Test
    title: dict[Language, str]
    languages: tuple[Language, ...]
    sample_rate: int
    consent: dict[Language, str]
    consent_version: str = Field(description="digest of the consent text")
    instructions: dict[Language, str]
    questionnaire: tuple[Question, ...]
    headphones: Headphones
    environment: Qualification = Qualification()
    digits: Qualification = Qualification()
    listening: Listening
    no_preference: bool
    comments: bool
    scale: tuple[float, float]
    scale_step: float
    asks_consent: bool
    sound_test: bool = True
    traps: bool = False

    def qualification(self, kind: str) -> Qualification | None:
        """The rules of a page that qualifies, by its kind; ``None`` for all others."""
        rules = {
            "headphones": self.headphones,
            "environment": self.environment,
            "digits": self.digits,
        }
        return rules.get(kind)


class Key(_Frozen):
    """``key.json``: never served, never in an offline file."""

    format: int = FORMAT
    study: str
    made: str
    run: str
    run_started: str
    sample_rate: int
    seed: int
    design: dict[str, Any] = Field(description="study.yaml as it was")
    systems: tuple[str, ...]
    stimuli: dict[str, Stimulus]
    blocks: tuple[Block, ...]
    peaks: dict[str, tuple[int, ...]] = Field(
        description="of open references: lowest, highest, ... in -127..127, by stimulus id"
    )
    notes: tuple[str, ...] = Field(default=(), description="warnings of the build")
    completion_url: str = ""
    completion_code: str = ""

    def block(self, name: str) -> Block:
        """The block of that name; ``KeyError`` if there is none."""
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(name)

    def encode(self) -> bytes:
        """The bytes of ``key.json``; their SHA-256 is the study's version and commitment."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, indent=1
        ).encode()


Model = TypeVar("Model", Key, PublicStudy)


class StudyFolder:
    """Reads and writes a built study."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, key: Key, public: PublicStudy) -> None:
        """Write key and public part; ``study.json`` last, so that it marks a finished build."""
        write_bytes(self.path / "key.json", key.encode())
        write_bytes(self.path / "study.json", public.model_dump_json(indent=1).encode())

    def public(self) -> PublicStudy:
        """The public part.

        Raises:
            UsageError: no built study is here, or another version of synbench made it.
        """
        return self._read("study.json", PublicStudy)

    def key(self) -> Key:
        """The private part.

        Raises:
            UsageError: as :meth:`public`, or the key is not the one that the study was built with.
        """
        key = self._read("key.json", Key)
        digest = hashlib.sha256((self.path / "key.json").read_bytes()).hexdigest()
        if digest != self.public().version:
            raise UsageError(
                f"{self.path / 'key.json'} was changed after the build: build the study again"
            )
        return key

    def simulation_proof(self) -> str:
        """What a made-up listener shows, who needs no time: known to who has the key alone."""
        content = (self.path / "key.json").read_bytes()
        return hashlib.sha256(b"simulated listener\0" + content).hexdigest()

    def clip_path(self, stimulus: Stimulus) -> Path:
        """The file of a stimulus of the key. Only ids from the key become part of a path."""
        return inside(self.path, f"clips/{stimulus.id}.wav")

    def _read(self, name: str, model: type[Model]) -> Model:
        path = self.path / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            study_format = content.get("format")
            if study_format != FORMAT:
                raise UsageError(
                    f"{path} has format {study_format}, expected {FORMAT}: build it again"
                )
            return model.model_validate(content)
        except OSError as error:
            raise UsageError(
                f"{self.path} is no built study ({name} cannot be read: {error}); "
                "make one with: synbench listen build RUN --design study.yaml"
            ) from error
        except (ValueError, ValidationError, AttributeError) as error:
            raise UsageError(f"{path} is damaged: {error}") from error
