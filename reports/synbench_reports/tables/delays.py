"""How long each codec keeps speech back, and whether it keeps to the limits that were asked for.

A tandem adds up what its codecs wait for. Multiply-accumulates are counted at the published width,
encoder and decoder together, for one second; only networks have them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from synbench.errors import SynbenchError, UsageError
from synbench.results.planned import PlannedCodec, PlannedCorpus, PlannedRun
from synbench_base.close_names import suggestion
from synbench_base.text_table import parse_number
from synbench_reports.tables.table import Cell, Column, Note

LIMITS = {"latency_ms": "ms of delay", "giga_macs": "10^9 MACs per second"}
WHOLE_FILE = "whole file"
# What is asked for to three digits is kept to by what is equal to it.
SLACK = 1e-6

__all__ = ["LIMITS", "delay_columns", "limit_columns", "limit_notes", "read_limits"]

Filled = tuple[Column, list[Cell]]


def delay_columns(planned: PlannedRun, corpus: PlannedCorpus) -> list[Filled]:
    """Frame, look-ahead and both, in ms; nothing where no codec declares a frame."""
    if not any(codec.delays.frame for codec in planned.codecs):
        return []
    totals = [_total(codec, corpus) for codec in planned.codecs]
    return [
        (
            _column("frame_ms", "Frame"),
            [_milliseconds(codec.delays.frame) for codec in planned.codecs],
        ),
        (
            _column("lookahead_ms", "Look-ahead"),
            [
                Cell(note=WHOLE_FILE)
                if codec.delays.is_whole_file
                else _milliseconds(codec.delays.lookahead)
                for codec in planned.codecs
            ],
        ),
        (_column("delay_ms", "Delay"), totals),
    ]


def limit_columns(planned: PlannedRun, corpus: PlannedCorpus) -> list[Filled]:
    """Who keeps to the limits, and the numbers behind it; nothing where there are no limits."""
    limits = planned.limits
    if not limits:
        return []
    filled = []
    macs = [giga_macs(codec) if "giga_macs" in limits else None for codec in planned.codecs]
    if "giga_macs" in limits:
        column = Column(name="giga_macs", label="MACs", unit="G/s", group="delay", decimals=2)
        filled.append((column, [Cell(mean=count) for count in macs]))
    kept = [
        Cell(note=_verdict(limits, _total(codec, corpus), count))
        for codec, count in zip(planned.codecs, macs, strict=True)
    ]
    detail = ", ".join(f"{value:g} {_unit(name)}" for name, value in limits.items())
    column = Column(
        name="within_limits", label="Within limits", unit=detail, group="delay", decimals=0
    )
    return [*filled, (column, kept)]


def limit_notes(planned: PlannedRun) -> list[Note]:
    """What the marks are about."""
    if not planned.limits:
        return []
    asked = [f"at most {value:g} {LIMITS[name]}" for name, value in planned.limits.items()]
    text = (
        f"{' and '.join(asked)}; delay is frame and look-ahead as declared, without the time of "
        "computing; MACs are those of encoder and decoder; ? where a codec declares none or has no "
        "network to count"
    )
    return [Note(level="note", subject="Within limits", text=text)]


def read_limits(text: str) -> dict[str, float]:
    """Limits as they are typed: ``latency_ms=30,giga_macs=0.7``.

    Raises:
        UsageError: an unknown name (the close one is offered), or no number above 0.
    """
    limits = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, typed = (piece.strip() for piece in part.partition("="))
        if name not in LIMITS:
            hint = suggestion(name, LIMITS, f"known: {', '.join(LIMITS)}")
            raise UsageError(f"unknown limit {name!r}; {hint}")
        try:
            value = parse_number(typed)
        except ValueError:
            value = 0.0
        if not value > 0:
            raise UsageError(f"expected a number above 0, such as {name}=30, got {part!r}")
        limits[name] = value
    return limits


def giga_macs(codec: PlannedCodec) -> float | None:
    """Multiply-accumulates for one second of audio in 10^9; ``None`` where they are not counted."""
    return _counted(codec.spec)


@functools.cache
def _counted(spec: str) -> float | None:
    import synbench_codecs

    try:
        if not synbench_codecs.has_costs(spec.partition(":")[0]):
            return None
        costs = synbench_codecs.count_costs(spec)
    except SynbenchError:
        return None
    return (costs.encoder_macs_per_second + costs.decoder_macs_per_second) / 1e9


def _verdict(limits: Mapping[str, float], delay: Cell, macs: float | None) -> str:
    broken: list[bool | None] = []
    if "latency_ms" in limits:
        known = None if delay.mean is None else delay.mean > limits["latency_ms"] * (1 + SLACK)
        broken.append(True if delay.note == WHOLE_FILE else known)
    if "giga_macs" in limits:
        broken.append(None if macs is None else macs > limits["giga_macs"] * (1 + SLACK))
    if True in broken:
        return "no"
    return "?" if None in broken else "yes"


def _total(codec: PlannedCodec, corpus: PlannedCorpus) -> Cell:
    if codec.delays.is_whole_file or corpus.earlier_delay is None:
        return Cell(note=WHOLE_FILE)
    own = codec.delays.total
    return _milliseconds(None if own is None else corpus.passes * own + corpus.earlier_delay)


def _milliseconds(seconds: float | None) -> Cell:
    return Cell(mean=None if seconds is None else 1000 * seconds)


def _column(name: str, label: str) -> Column:
    return Column(name=name, label=label, unit="ms", group="delay", decimals=1)


def _unit(name: str) -> str:
    return {"latency_ms": "ms", "giga_macs": "G/s"}[name]
