"""A collector that webMUSHRA's page can send to, in place of its own PHP script.

The body is kept as it came, byte for byte, so that ``&``, ``+`` and line breaks in free text lose
nobody. The page takes anything but status 200 with an empty body for an error.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import insert, select

from synbench_listening.importers.webmushra_session import parse_body
from synbench_listening.server.database import Database, collected
from synbench_listening.server.sessions import Refusal, now_ms

MOST_BYTES = 1_000_000

__all__ = ["MOST_BYTES", "collect"]


def collect(database: Database, study: str, body: bytes) -> None:
    """Store one session; the same bytes again are stored once.

    Raises:
        Refusal: the body is no session.
    """
    try:
        parse_body(body)
    except ValueError:
        raise Refusal(422, "no_session") from None
    digest = hashlib.sha256(body).hexdigest()
    with database.writing() as connection:
        known = connection.scalar(
            select(collected.c.id).where(collected.c.study == study, collected.c.digest == digest)
        )
        if known is None:
            row = {"study": study, "digest": digest, "body": body, "server_ms": now_ms()}
            connection.execute(insert(collected).values(**row))
