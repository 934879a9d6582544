"""Who a session belongs to: hashed identities of crowd platforms, and numbers that a lab gives.

A person finishes a study once. That is asked when they begin, and again when they finish: two
sessions of one person may have run side by side.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from synbench_listening.server.database import platform_ids, sessions

# Ids of a person, not of a visit.
PERSONS = ("PROLIFIC_PID", "workerId")
SIMULATED = "SIMULATED"
OVER_STATES = ("finished", "ended")

__all__ = ["SIMULATED", "finished_elsewhere", "identity_rows", "taken_part"]


def identity_rows(platform: Mapping[str, str], *, salt: str) -> dict[str, str]:
    """Hashes by the name of the id; the ids themselves are kept nowhere."""
    return {
        name: hmac.new(salt.encode(), f"{name}\0{value}".encode(), hashlib.sha256).hexdigest()
        for name, value in platform.items()
        if name != SIMULATED and value
    }


def taken_part(
    connection: Connection, study: str, hashes: Mapping[str, str], listener: str | None
) -> bool:
    """Whether this person has finished the study, or was sent away by a check."""
    mine = [hashes[name] for name in PERSONS if name in hashes]
    return _count(connection, study, mine, listener, OVER_STATES) > 0


def finished_elsewhere(connection: Connection, session: Row[Any]) -> bool:
    """Whether another session of the same person is finished."""
    mine = connection.scalars(
        select(platform_ids.c.hash).where(
            platform_ids.c.session == session.id, platform_ids.c.name.in_(PERSONS)
        )
    )
    listener = session.listener or None
    finished = ("finished",)
    return _count(connection, session.study, list(mine), listener, finished, session.id) > 0


def _count(
    connection: Connection,
    study: str,
    hashes: list[str],
    listener: str | None,
    states: tuple[str, ...],
    but: int = -1,
) -> int:
    if not hashes and not listener:
        return 0
    of_person = select(platform_ids.c.session).where(platform_ids.c.hash.in_(hashes))
    same: list[ColumnElement[bool]] = [sessions.c.id.in_(of_person)] if hashes else []
    same += [sessions.c.listener == listener] if listener else []
    count = connection.scalar(
        select(func.count())
        .select_from(sessions)
        .where(
            or_(*same),
            sessions.c.study == study,
            sessions.c.state.in_(states),
            sessions.c.id != but,
        )
    )
    return int(count or 0)
