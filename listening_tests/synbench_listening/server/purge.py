"""What the experimenter may do to stored data: pause a study, delete sessions and identities."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from synbench.errors import UsageError
from synbench_listening.server.database import (
    Database,
    answers,
    audit,
    checks,
    clips,
    collected,
    events,
    platform_ids,
    sessions,
    studies,
)
from synbench_listening.server.sessions import now_ms

__all__ = ["purge_platform_ids", "purge_session", "purge_simulated", "purge_study", "set_paused"]


def set_paused(database: Database, study: str, paused: bool) -> None:
    """Stop or allow new sessions.

    Raises:
        UsageError: the database has no such study: it was never served.
    """
    with database.writing() as connection:
        done = connection.execute(
            update(studies).where(studies.c.name == study).values(paused=paused)
        )
        if not done.rowcount:
            raise UsageError(f"the database has no study {study!r}: serve it first")
        _note(connection, "pause" if paused else "resume", study)


def purge_session(database: Database, study: str, code: str) -> int:
    """Delete one session with everything that belongs to it.

    Raises:
        UsageError: no such session.
    """
    with database.writing() as connection:
        number = connection.scalar(
            select(sessions.c.id).where(sessions.c.study == study, sessions.c.code == code)
        )
        if number is None:
            raise UsageError(f"{study} has no session {code!r}")
        return _purge(connection, [number], f"{study} {code}")


def purge_simulated(database: Database, study: str) -> int:
    """Delete all simulated sessions of a study."""
    with database.writing() as connection:
        query = select(sessions.c.id).where(sessions.c.study == study, sessions.c.simulated)
        return _purge(connection, list(connection.scalars(query)), f"{study} simulated")


def purge_study(database: Database, study: str) -> int:
    """Delete all sessions of a study, and what webMUSHRA sent for it."""
    with database.writing() as connection:
        query = select(sessions.c.id).where(sessions.c.study == study)
        connection.execute(delete(collected).where(collected.c.study == study))
        return _purge(connection, list(connection.scalars(query)), study)


def purge_platform_ids(database: Database, study: str) -> int:
    """Delete the hashed identities; answers stay."""
    with database.writing() as connection:
        numbers = select(sessions.c.id).where(sessions.c.study == study)
        done = connection.execute(delete(platform_ids).where(platform_ids.c.session.in_(numbers)))
        _note(connection, "purge_platform_ids", study)
        return int(done.rowcount)


def _purge(connection: Connection, numbers: list[int], detail: str) -> int:
    for table in (answers, events, checks, platform_ids, clips):
        connection.execute(delete(table).where(table.c.session.in_(numbers)))
    connection.execute(delete(sessions).where(sessions.c.id.in_(numbers)))
    _note(connection, "purge", f"{detail}: {len(numbers)} sessions")
    return len(numbers)


def _note(connection: Connection, what: str, detail: str) -> None:
    connection.execute(insert(audit).values(server_ms=now_ms(), what=what, detail=detail))
