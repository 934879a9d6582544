"""The rows of ``synbench codecs``: a line for each codec, or one for each of its points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import synbench_codecs
from synbench_base.close_names import suggestion
from synbench_base.errors import UsageError

WEIGHTS = "missing weights"
WHOLE_FILE = "whole file"
# In a table of points, where specs leave little room.
WHOLE = "file"

__all__ = ["as_chosen", "as_families", "family_row", "point_row", "shortened"]

Fact = dict[str, Any]


def as_chosen(names: Sequence[str]) -> list[str]:
    """The names of codecs that were asked for; all of them where none was.

    Raises:
        UsageError: there is no such codec; the message offers the close names.
    """
    known = synbench_codecs.names()
    for name in names:
        if name not in known:
            raise UsageError(f"unknown codec {name!r}; {suggestion(name, known)}")
    return list(names) or known


def as_families(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Operating points by the name of their codec."""
    families: dict[str, list[Fact]] = {}
    for fact in facts:
        families.setdefault(fact["spec"].partition(":")[0], []).append(fact)
    return families


def family_row(name: str, points: Sequence[Fact]) -> list[str]:
    """Name, bit rates, input rates, delays and number of points of one codec."""
    rates = [rate for rate in map(_kilobits, points) if rate is not None]
    hertz = sorted({fact["sample_rate"] for fact in points if fact.get("sample_rate")})
    return [
        name,
        _span(rates) or "-",
        ", ".join(f"{each / 1000:g}" for each in hertz) or "any",
        _delay_span(points),
        str(len(points)),
    ]


def point_row(fact: Fact) -> list[str]:
    """Spec, kbit/s, kHz, and in ms frame, look-ahead and delay of one operating point."""
    rate, hertz = _kilobits(fact), fact.get("sample_rate")
    return [
        fact["spec"],
        "-" if rate is None else f"{rate:.3g}",
        f"{hertz / 1000:g}" if hertz else "any",
        *_delays(fact),
    ]


def shortened(reason: str) -> str:
    """Why something cannot run, in one word where that is enough to find the cure."""
    return "weights" if reason.startswith(WEIGHTS) else reason


def _kilobits(fact: Fact) -> float | None:
    rate = fact.get("nominal_bitrate_bps")
    if rate is None:
        return None
    top, _, bottom = rate.partition("/")
    return int(top) / int(bottom or 1) / 1000


def _span(values: Sequence[float]) -> str:
    ends = [f"{end:.3g}" for end in (min(values), max(values))] if values else []
    return " to ".join(dict.fromkeys(ends))


def _delay_span(points: Sequence[Fact]) -> str:
    known = [synbench_codecs.delays_of(fact) for fact in points if "hop_length" in fact]
    finite = [1000 * delays.total for delays in known if delays.total is not None]
    if finite:
        return " to ".join(dict.fromkeys(f"{end:.0f}" for end in (min(finite), max(finite))))
    return WHOLE_FILE if any(delays.is_whole_file for delays in known) else "-"


def _delays(fact: Fact) -> tuple[str, str, str]:
    """Frame, look-ahead and algorithmic delay, which is both together."""
    if "hop_length" not in fact:
        return "-", "-", "-"
    delays = synbench_codecs.delays_of(fact)
    if delays.is_whole_file:
        return _milliseconds(delays.frame), WHOLE, WHOLE
    return _milliseconds(delays.frame), _milliseconds(delays.lookahead), _milliseconds(delays.total)


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.1f}"
