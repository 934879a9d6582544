"""Sessions as webMUSHRA's page sends them: the JSON itself, a raw POST body, or a list of either.

The page sends ``sessionJSON=`` and raw JSON, *not* URL-encoded although its content type says so.
A form parser ends the value at the first ``&`` and turns ``+`` into a space; so the body is read
as bytes, and nothing in it is decoded but UTF-8.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from synbench_listening.answers.ratings import Rating
from synbench_listening.importers.report import Imported, number_trials
from synbench_listening.importers.responses import Unusable, score_fields

PREFIX = b"sessionJSON="

__all__ = ["PREFIX", "parse_body", "read_session", "session_of"]


def parse_body(body: bytes) -> dict[str, Any]:
    """The session in a POST body, with or without the prefix.

    Raises:
        ValueError: no UTF-8, no JSON, or JSON of another shape.
    """
    content = json.loads(body.removeprefix(PREFIX).decode("utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("trials"), list):
        raise ValueError("expected an object with trials")
    return content


def read_session(
    session: Mapping[str, Any], *, source: str, listener: str | None = None
) -> Imported:
    """The ratings of one session.

    Args:
        source: for messages, such as the file's name.
        listener: question whose answer names the listener; the session's uuid if absent.
    """
    done = Imported()
    uuid, who = session_of(session, listener)
    ratings: list[Rating] = []
    for row, (trial, response) in enumerate(_responses(session), 1):
        done.read += 1
        try:
            scores = score_fields(str(trial.get("type") or ""), response)
        except Unusable as error:
            done.refuse(source, row, f"{trial.get('id')}: {error}")
            continue
        for fields in scores:
            ratings.append(
                Rating(
                    study=str(session.get("testId") or ""),
                    session=uuid,
                    listener=who,
                    item=str(trial.get("id") or ""),
                    total_ms=_time(response),
                    comment=str(response.get("comment") or ""),
                    **fields,
                )
            )
    done.ratings = number_trials(ratings)
    return done


def session_of(session: Mapping[str, Any], listener: str | None) -> tuple[str, str]:
    """Session id and listener."""
    participant = session.get("participant") or {}
    answers = dict(
        zip(participant.get("name") or (), participant.get("response") or (), strict=False)
    )
    uuid = str(session.get("uuid") or "")
    name = listener or ("listener" if "listener" in answers else "")
    who = str(answers.get(name) or "").strip() or uuid
    return uuid or who, who


def _responses(session: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for trial in session["trials"]:
        responses = trial.get("responses") if isinstance(trial, dict) else None
        for response in responses if isinstance(responses, list) else ():
            if isinstance(response, dict):
                yield trial, response


def _time(response: Mapping[str, Any]) -> float | None:
    value = response.get("time")
    return float(value) if isinstance(value, int | float) else None
