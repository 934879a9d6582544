"""Bodies of the requests and replies between page and server, and the file of an offline session.

::

    POST   /api/sessions     SessionRequest     -> SessionState with token
    GET    /api/session                         -> SessionState, 401 for an unknown token
    GET    /api/clip/{id}                       -> WAV
    PUT    /api/trials/{n}   Submission         -> SaveReply
    POST   /api/events       EventBatch         -> 204
    POST   /api/finish       {}                 -> SessionState with completion url and code
    DELETE /api/session                         -> 204

The token goes in the header :data:`TOKEN_HEADER`. Whatever is refused for good has a status from
400 to 499 (but 408 and 429) and a body ``{"problems": [codes]}``; anything else is tried again.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from synbench_listening.answers.submission import Event, Submission
from synbench_listening.design.study import Language
from synbench_listening.design.study_folder import FORMAT

TOKEN_HEADER = "X-Session-Token"
PlatformId = Annotated[str, Field(max_length=200)]

__all__ = ["TOKEN_HEADER", "ClientInfo", "EventBatch", "ResultFile", "SaveReply"]
__all__ += ["SessionRequest"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClientInfo(_Strict):
    """What the browser says of itself. It comes from outside, as everything the page sends."""

    user_agent: str = Field(default="", max_length=400)
    screen: str = Field(default="", pattern=r"^$|^\d{1,5}x\d{1,5}$", description="CSS px")
    touch: bool = False
    sample_rate: float = Field(default=0, ge=0, le=1e6, description="of the audio context, Hz")


class SessionRequest(_Strict):
    """Start of a session. The same ``uuid`` again is a repeated request of the same browser.

    ``consent`` is the version of the text that was agreed to, ``None`` where none is asked for.
    ``platform`` holds ids that Prolific or MTurk put into the address, ``listener`` the number that
    the experimenter gave.
    """

    uuid: str = Field(pattern=r"^[0-9a-f]{32}$")
    study: str
    version: str
    language: Language
    consent: str | None
    platform: dict[Annotated[str, Field(max_length=40)], PlatformId] = Field(
        default={}, max_length=10
    )
    listener: str = Field(default="", max_length=40)
    client: ClientInfo = ClientInfo()


class SaveReply(_Strict):
    """An answer is stored. ``passed`` is said of headphone checks alone.

    ``state`` is ``ended`` where a required headphone check has failed for the last time.
    """

    passed: bool | None = None
    state: Literal["running", "finished", "ended", "withdrawn"] = "running"


class EventBatch(_Strict):
    """Some events, in order."""

    events: tuple[Event, ...] = Field(max_length=500)


class ResultFile(_Strict):
    """What a listener of an offline file hands back: block and page numbers, no condition."""

    format: Literal[1] = FORMAT
    study: str
    version: str
    block: str
    session: str = Field(max_length=60)
    language: Language
    consent: str | None
    state: Literal["running", "finished", "ended", "withdrawn"]
    started_ms: int
    finished_ms: int | None
    user_agent: str = Field(max_length=1000)
    answers: dict[str, Submission] = Field(description="by page number")
    events: tuple[Event, ...]
