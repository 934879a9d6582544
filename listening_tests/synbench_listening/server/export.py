"""What the server stored, as tables: ratings, sessions, questionnaire, events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, select

from synbench_listening.answers.browser import browser_name, device_kind, system_name
from synbench_listening.answers.protocol import ClientInfo
from synbench_listening.answers.ratings import Rating
from synbench_listening.answers.session_ratings import (
    CHECKS,
    questionnaire_values,
    session_checks,
    session_ratings,
)
from synbench_listening.answers.submission import Answer, VolumeAnswer
from synbench_listening.answers.verdict import too_little_span, verdict
from synbench_listening.delivery.webmushra_export import KEY_NAME
from synbench_listening.importers.report import Imported
from synbench_listening.importers.webmushra_key import unblind_webmushra
from synbench_listening.importers.webmushra_session import parse_body, read_session
from synbench_listening.server.database import Database, answers, collected, events, sessions
from synbench_listening.server.sessions import ServedStudy

_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)

__all__ = ["Export", "export_study"]


@dataclass(frozen=True, kw_only=True)
class Export:
    """All tables; ``other_version`` sessions belong to an earlier build of the study.

    ``collected`` is what came without a token, from webMUSHRA's page: never among ``ratings``.
    """

    ratings: list[Rating]
    sessions: list[dict[str, Any]]
    questionnaire: list[dict[str, Any]]
    events: list[dict[str, Any]]
    collected: Imported
    left_out: int
    other_version: int


def export_study(database: Database, study: ServedStudy, *, unfinished: bool = False) -> Export:
    """Read all finished sessions, and with ``unfinished`` the others but the withdrawn."""
    public = study.public
    with database.reading() as connection:
        rows = connection.execute(
            select(sessions).where(sessions.c.study == public.name).order_by(sessions.c.id)
        ).all()
        given = _answers(list(connection.execute(select(answers).order_by(answers.c.id))))
        happened = list(connection.execute(select(events).order_by(events.c.id)))
        posts = list(
            connection.execute(
                select(collected).where(collected.c.study == public.name).order_by(collected.c.id)
            )
        )
    current = [row for row in rows if row.version == public.version]
    wanted = [
        row
        for row in current
        if row.state == "finished" or (unfinished and row.state != "withdrawn")
    ]
    codes = {row.id: row.code for row in wanted}
    result = Export(
        ratings=[],
        sessions=[_session(study, row, given.get(row.id, {})) for row in current],
        questionnaire=[],
        events=[
            {"session": codes[row.session], "n": row.n, "t_ms": row.t_ms, "type": row.type}
            | {"data": row.data, "server_ms": row.server_ms}
            for row in happened
            if row.session in codes
        ],
        collected=_collected(study, posts),
        left_out=len(current) - len(wanted),
        other_version=len(rows) - len(current),
    )
    for row in wanted:
        mine = given.get(row.id, {})
        result.ratings.extend(
            session_ratings(
                study.key,
                public,
                block=row.block,
                session=row.code,
                answers=mine,
                simulated=row.simulated,
                listener=row.listener or "",
            )
        )
        result.questionnaire.extend(
            {"session": row.code, "question": name, "value": value}
            for name, value in questionnaire_values(public, mine).items()
        )
    return result


def _answers(rows: list[Row[Any]]) -> dict[int, dict[int, Answer]]:
    """The last answer of each page of each session."""
    answers: dict[int, dict[int, Answer]] = {}
    for row in rows:
        answers.setdefault(row.session, {})[row.page] = _ANSWER.validate_json(row.payload)
    return answers


def _session(study: ServedStudy, row: Row[Any], given: dict[int, Answer]) -> dict[str, Any]:
    passed = session_checks(study.key, study.public, block=row.block, answers=given)
    block = study.key.block(row.block)
    judged = verdict(
        passed,
        finished=row.state == "finished",
        simulated=row.simulated,
        no_span=too_little_span(block, given, scale=study.public.scale),
    )
    client = ClientInfo.model_validate_json(row.client) if row.client else ClientInfo()
    volume = [answer.gain_db for answer in given.values() if isinstance(answer, VolumeAnswer)]
    entry = {
        "session": row.code,
        "listener": row.listener or "",
        "block": row.block,
        "state": row.state,
        "language": row.language,
        "consent": row.consent or "",
        "begun_ms": row.begun_ms,
        "finished_ms": row.finished_ms,
        "pages_answered": len(given),
        "simulated": row.simulated,
    }
    for kind in CHECKS:
        right, of = passed.get(kind, (0, 0))
        entry |= {f"{kind}_passed": right, f"{kind}_of": of}
    entry |= {
        "pay": "yes" if judged.pay else "no",
        "use": "yes" if judged.use else "no",
        "reasons": " ".join(judged.reasons),
        "volume_db": volume[-1] if volume else None,
        "browser": browser_name(client.user_agent),
        "system": system_name(client.user_agent),
        "device": device_kind(client.user_agent),
        "screen": client.screen,
        "audio_rate": client.sample_rate or None,
        "user_agent": client.user_agent,
    }
    return entry


def _collected(study: ServedStudy, posts: list[Row[Any]]) -> Imported:
    done = Imported()
    for row in posts:
        done.extend(read_session(parse_body(row.body), source=f"post {row.id}"))
    if (study.folder.path / KEY_NAME).is_file():
        return unblind_webmushra(done, study.folder)
    return done
