"""Which corpora of a run a listening test takes: one, or one under several of its conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synbench.conditions.condition import CLEAN_LABEL
from synbench.errors import UsageError
from synbench_base.close_names import suggestion

__all__ = ["CorpusPart", "corpora_under", "offer", "one_of"]


@dataclass(frozen=True, kw_only=True)
class CorpusPart:
    """A corpus of the run, by the name under which its rows are kept.

    ``label`` is that of its condition, as items and results carry it; empty for the recordings.
    """

    corpus: str
    digest: str
    label: str = ""


def corpora_under(
    entries: Sequence[dict[str, Any]], *, corpus: str | None, conditions: Sequence[str]
) -> tuple[CorpusPart, ...]:
    """The corpora that are wanted, in the order of ``conditions``.

    Args:
        entries: of the manifest.

    Raises:
        UsageError: the run has no such corpus or condition, or a condition is named twice.
    """
    if not conditions:
        name = one_of("corpus", corpus, [entry["name"] for entry in entries])
        entry = next(entry for entry in entries if entry["name"] == name)
        return (_part(entry),)
    # Recordings that were no part of the run themselves are there by their name all the same.
    clean = list(dict.fromkeys(entry.get("clean") or entry["name"] for entry in entries))
    name = one_of("corpus", corpus, clean)
    forms = {
        entry.get("condition") or CLEAN_LABEL: entry
        for entry in entries
        if (entry.get("clean") or entry["name"]) == name
    }
    if len(set(conditions)) < len(conditions):
        raise UsageError(f"items.conditions: each once, got {', '.join(conditions)}")
    return tuple(_part(forms[one_of("condition", label, list(forms))]) for label in conditions)


def _part(entry: dict[str, Any]) -> CorpusPart:
    return CorpusPart(
        corpus=entry["name"], digest=entry["digest"], label=entry.get("condition", "")
    )


def one_of(kind: str, wanted: str | None, there: list[str]) -> str:
    """What is wanted, or the only one there is.

    Raises:
        UsageError: there is none of that name; the close one is offered.
    """
    if wanted is None and len(there) == 1:
        return there[0]
    if wanted is None or wanted not in there:
        named = f"no {kind} {wanted!r}" if wanted else f"several: name one as {kind}"
        raise UsageError(f"the run has {named}; {offer(wanted or '', there)}")
    return wanted


def offer(name: str, there: Sequence[str]) -> str:
    """The close name, or all there are."""
    return suggestion(name, there, f"it has: {', '.join(there) or 'none'}")
