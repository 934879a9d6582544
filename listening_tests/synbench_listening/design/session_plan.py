"""What one listener's browser is told: pages in order, with clip ids made for this session alone.

The ids are 128 random bits each, one per page and position, so that neither two pages nor two
listeners share one, and the hidden reference cannot be told from anything else by its name.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from synbench_listening.design.study_folder import Block, BlockPage, Key, Kind, Stimulus

# Position of the open reference in everything that names positions.
REFERENCE = -1
TRIAL_KINDS = frozenset(
    {"mushra", "mushra1s", "bs1116", "abx", "ab", "acr", "dcr", "ccr", "effort", "transcription"}
)

__all__ = [
    "REFERENCE",
    "TRIAL_KINDS",
    "Clip",
    "PlanPage",
    "SessionPlan",
    "SessionState",
    "new_clip_id",
]
__all__ += ["plan_session"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Clip(_Frozen):
    """One file as the browser knows it: ``GET /api/clip/{id}``."""

    id: str
    samples: int
    channels: int


class PlanPage(_Frozen):
    """One page. ``trial`` counts rated pages from 1 (training apart), 0 on other pages."""

    n: int
    kind: Kind
    training: bool
    trial: int
    reference: Clip | None
    stimuli: tuple[Clip, ...]
    peaks: tuple[int, ...] = Field(description="of the open reference; lowest, highest, ...")


class SessionPlan(_Frozen):
    """All pages of one session."""

    sample_rate: int
    trials: int
    pages: tuple[PlanPage, ...]


class SessionState(_Frozen):
    """What ``POST /api/sessions`` and ``GET /api/session`` answer.

    ``answers`` holds the last accepted answer of each page, by ``n`` as a string. ``token`` is
    given once, at the start. ``next`` is the first page without an answer. ``completion_url`` and
    ``completion_code`` come from ``POST /api/finish`` only.
    """

    session: str = Field(description="pseudonymous listener code, shown to the listener")
    token: str | None = None
    state: Literal["running", "finished", "ended", "withdrawn"]
    language: str
    plan: SessionPlan
    next: int
    answers: Mapping[str, Mapping[str, object]]
    completion_url: str = ""
    completion_code: str = ""


def new_clip_id() -> str:
    """128 random bits, hex."""
    return secrets.token_hex(16)


def plan_session(
    key: Key, block: Block, new_id: Callable[[], str] = new_clip_id
) -> tuple[SessionPlan, dict[str, str]]:
    """The plan of a session over a block, and its private map from clip id to stimulus id.

    A server stores both: on resume the same ids come back.
    """
    stimulus_of: dict[str, str] = {}
    pages: list[PlanPage] = []
    trial = 0

    def clip(stimulus: Stimulus) -> Clip:
        name = new_id()
        stimulus_of[name] = stimulus.id
        return Clip(id=name, samples=stimulus.samples, channels=stimulus.channels)

    for n, page in enumerate(block.pages):
        rated = page.kind in TRIAL_KINDS and not page.training
        trial += rated
        pages.append(
            PlanPage(
                n=n,
                kind=page.kind,
                training=page.training,
                trial=trial if rated else 0,
                reference=clip(key.stimuli[page.reference]) if page.reference else None,
                stimuli=tuple(clip(key.stimuli[name]) for name in page.stimuli),
                peaks=_peaks(key, page),
            )
        )
    return SessionPlan(sample_rate=key.sample_rate, trials=trial, pages=tuple(pages)), stimulus_of


def _peaks(key: Key, page: BlockPage) -> tuple[int, ...]:
    return key.peaks.get(page.reference, ()) if page.reference else ()
