"""Answers as webMUSHRA names them, in its session JSON and (by other column names) in its CSV.

A paired comparison of webMUSHRA asks which of two is the reference: ``correct`` means that the
hidden reference was found. That is an identification (abx), never a preference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synbench_base.text_table import parse_number
from synbench_listening.answers.ratings import check_score

ANSWERS = {"correct": 1.0, "incorrect": 0.0, "undecided": 0.0}

__all__ = ["Unusable", "score_fields"]


class Unusable(ValueError):
    """An answer that cannot become a rating; the message is the reason."""


def score_fields(kind: str, response: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What one response says: ``test``, ``condition``, ``versus``, ``score``, per rating.

    Args:
        kind: the page type of webMUSHRA.
        response: with the names of the session JSON.

    Raises:
        Unusable: unanswered, no number, or a page type without ratings.
    """
    if kind == "mushra":
        return [_fields("mushra", response, "stimulus", _score("mushra", response.get("score")))]
    if kind == "paired_comparison":
        answer = str(response.get("answer") or "").strip()
        if answer not in ANSWERS:
            raise Unusable(f"answer {answer!r}, expected one of {', '.join(ANSWERS)}")
        abx_fields = _fields("abx", response, "nonReference", ANSWERS[answer])
        return [abx_fields | {"versus": "reference", "answer": answer}]
    if kind == "bs1116":
        pair = [
            _fields(
                "bs1116",
                response,
                "nonReference",
                _score("bs1116", response.get("nonReferenceScore")),
            ),
            _fields(
                "bs1116", response, "reference", _score("bs1116", response.get("referenceScore"))
            ),
        ]
        pair[0]["versus"], pair[1]["versus"] = pair[1]["condition"], pair[0]["condition"]
        return pair
    if kind in ("likert_single_stimulus", "likert_multi_stimulus"):
        return [
            _fields(
                "likert", response, "stimulus", _score("likert", response.get("stimulusRating"))
            )
        ]
    raise Unusable(f"pages of type {kind!r} hold no ratings that synbench knows")


def _fields(test: str, response: Mapping[str, Any], name: str, score: float) -> dict[str, Any]:
    condition = str(response.get(name) or "").strip()
    if not condition:
        raise Unusable(f"no {name}")
    return {"test": test, "condition": condition, "score": score}


def _score(test: str, given: Any) -> float:
    text = str("" if given is None else given).strip()
    if text in ("", "NA", "null"):
        raise Unusable("no score was given")
    try:
        return check_score(test, parse_number(text))
    except ValueError as error:
        raise Unusable(str(error)) from None
