"""A collector that webMUSHRA's page can send to, in place of its own PHP script.

Off unless ``serve`` is told to collect. webMUSHRA has no token, so whoever opens the page can send
what they like: only pages and stimuli of this very export are taken, the answers go to a table of
their own, and they are exported apart from those of our own page.

The body is kept as it came, byte for byte, so that ``&``, ``+`` and line breaks in free text lose
nobody. The page takes anything but status 200 with an empty body for an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from synbench.errors import UsageError
from synbench_listening.delivery.webmushra_export import read_webmushra_key
from synbench_listening.importers.webmushra_session import parse_body
from synbench_listening.server.database import Database, collected
from synbench_listening.server.sessions import ServedStudy, SessionRefusal, now_ms

MOST_BYTES = 1_000_000
# Names of stimuli in a response, whatever the type of the page.
STIMULUS_FIELDS = ("stimulus", "reference", "nonReference")

__all__ = ["MOST_BYTES", "collect"]


def collect(database: Database, study: ServedStudy, body: bytes) -> None:
    """Store one session; the same bytes again are stored once.

    Raises:
        Refusal: the study was never exported, the body is no session, or not of this export.
    """
    try:
        pages = read_webmushra_key(study.folder)
    except UsageError:
        raise SessionRefusal(404, "not_exported") from None
    try:
        session = parse_body(body)
    except (ValueError, RecursionError):
        raise SessionRefusal(422, "no_session") from None
    if not _is_of(study.public.name, pages, session):
        raise SessionRefusal(422, "not_of_this_study")
    digest = hashlib.sha256(body).hexdigest()
    name = study.public.name
    with database.writing() as connection:
        known = connection.scalar(
            select(collected.c.id).where(collected.c.study == name, collected.c.digest == digest)
        )
        if known is None:
            row = {"study": name, "digest": digest, "body": body, "server_ms": now_ms()}
            connection.execute(insert(collected).values(**row))


def _is_of(study: str, pages: Mapping[str, Mapping[str, Any]], session: Mapping[str, Any]) -> bool:
    """Whether all trials are pages of the export, each once, with stimuli of their own."""
    trials = session["trials"]
    if session.get("testId") != study or not trials:
        return False
    if not all(isinstance(trial, dict) and isinstance(trial.get("id"), str) for trial in trials):
        return False
    names: list[str] = [trial["id"] for trial in trials]
    if len(set(names)) < len(names) or not all(name in pages for name in names):
        return False
    if all(pages[name]["training"] for name in names):
        return False
    return all(_stimuli_of(trial) <= _known(pages[trial["id"]]) for trial in trials)


def _known(page: Mapping[str, Any]) -> set[str]:
    # The page that asks whether anything is heard has one sound, which no key needs.
    return set(page["stimuli"]) or {"sound"}


def _stimuli_of(trial: Mapping[str, Any]) -> set[str]:
    responses = trial.get("responses")
    if not isinstance(responses, list) or not all(isinstance(each, dict) for each in responses):
        return {""}
    return {
        str(response[name]).strip()
        for response in responses
        for name in STIMULUS_FIELDS
        if response.get(name) is not None
    }
