"""What measures of a system's decoded files make doubtful, said in words beside its scores.

One place for ``run``, whose tables read them from stored rows, and for ``score``. Every measure is
that of :class:`synbench.policy.Aligned`, one number per decoded item; NaN where it is not known, as
in rows of older runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.lag import FEW_ITEMS, SURE_HEIGHT, common_lag
from synbench.policy import TRUSTED_CORRELATION
from synbench_base.arrays import median

Floats = NDArray[np.float64]

# A lag of 1 ms is more than any rounding of a declared delay, and enough to move a score.
LAG_SECONDS = 1e-3
# Lags that differ by less are the same but for rounding; and the share of items that is most.
SAME_LAG_SECONDS = 4e-5
SAME_LAG_SHARE = 2 / 3
# Delays that only levels tell count from here on: of few items they are less sure.
LEVEL_LAG_SECONDS, LEVEL_LAG_SECONDS_OF_FEW = 5e-3, 0.015
# No usual codec has longer frames: what is missing or too much beyond them is no padding.
FRAME_SECONDS = 0.04
LEVEL_DB = 15.0
OFFSET_SHARE = 0.1  # of the level, which is -20 dB
# Codecs of speech, parametric ones too, keep their envelope to .75 and more, and their waveform to
# .08 and more; another utterance reaches .4 and .06 at most times.
SAME_ENVELOPE, SURELY_SAME_ENVELOPE = 0.5, 0.8
SAME_WAVEFORM_DISTANCE = 0.06

MEASURES = (
    "clipped_samples",
    "surplus_seconds",
    "lag_seconds",
    "correlation",
    "anticorrelation",
    "envelope_correlation",
    "level_db",
    "dc_offset",
)

# Key in the details of a score.
OTHER_SCRIPTS = "other_scripts"

__all__ = ["MEASURES", "OTHER_SCRIPTS", "Doubt", "doubts", "measures_of", "script_warning"]


def script_warning(scripts: Iterable[str]) -> str:
    """What must be said where an English normaliser met transcripts in other scripts."""
    return (
        f"an English normaliser met {', '.join(scripts)}: its rules for numbers, contractions and "
        f"spelling do not fit, texts are compared as they are written"
    )


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One sentence; ``serious`` where the scores may not mean what they seem to."""

    text: str
    serious: bool


def measures_of(aligned: Any) -> dict[str, float]:
    """The measures of one item as plain numbers."""
    return {name: float(getattr(aligned, name)) for name in MEASURES}


def doubts(
    measures: Mapping[str, Floats],
    *,
    items: int,
    lag_profiles: Sequence[bytes] = (),
    damaged: bool = False,
    padding: bool = True,
) -> Iterator[Doubt]:
    """What must be said about one system.

    Args:
        measures: each of shape ``(decoded items,)``, in one order; absent ones are not judged.
        items: how many there are in all, decoded or not.
        lag_profiles: of decoded items, see :mod:`synbench.lag`; without any, as in rows of older
            runs, a delay is told from ``lag_seconds``.
        damaged: the codec was given noise, loss or another level on purpose, so that its output
            need not resemble the reference.
        padding: also say what was cut or filled within a frame, as codecs of frames pad.
    """
    known = {name: np.asarray(measures.get(name, ()), dtype=np.float64) for name in MEASURES}
    if not damaged:
        yield from _paired_wrongly(known)
        yield from _upside_down(known)
    yield from _late(lag_profiles, damaged) if lag_profiles else _late_by_items(known)
    if not damaged:
        yield from _level(known)
        yield from _offset(known)
    yield from _length(known, items, padding)
    yield from _clipped(known, items)


def _median(values: Floats) -> float:
    values = values[~np.isnan(values)]
    return median(values) if values.size else float("nan")


def _paired_wrongly(known: Mapping[str, Floats]) -> Iterator[Doubt]:
    envelope = _median(known["envelope_correlation"])
    waveform = _median(np.maximum(known["correlation"], known["anticorrelation"]))
    if envelope < SAME_ENVELOPE or (
        waveform < SAME_WAVEFORM_DISTANCE and envelope < SURELY_SAME_ENVELOPE
    ):
        yield Doubt(
            text=f"files hardly resemble their references (median correlation of waveforms "
            f"{waveform:.2f}, of levels {envelope:.2f}): other utterances, paired wrongly?",
            serious=True,
        )


def _upside_down(known: Mapping[str, Floats]) -> Iterator[Doubt]:
    upright, inverted = known["correlation"], known["anticorrelation"]
    if upright.size != inverted.size:
        return
    turned = (inverted > TRUSTED_CORRELATION) & (inverted > 1.1 * upright)
    if 2 * np.count_nonzero(turned) > turned.size:
        yield Doubt(
            text=f"inverted polarity in {_of(turned)} files: metrics that compare waveforms suffer",
            serious=True,
        )


def _late(lag_profiles: Sequence[bytes], damaged: bool) -> Iterator[Doubt]:
    """A delay that is left, by the correlations of all items.

    One below a millisecond matters where waves are compared sample by sample.
    """
    common = common_lag(lag_profiles)
    if common is None:
        return
    milliseconds = abs(1000 * common.seconds)
    items = f"{common.items} item{'s' if common.items > 1 else ''}"
    late = "an advance" if common.seconds < 0 else "a delay"
    if not common.is_exact:
        few = common.items < FEW_ITEMS
        least = LEVEL_LAG_SECONDS_OF_FEW if few else LEVEL_LAG_SECONDS
        # Reverberation, for one, delays levels and not waveforms.
        if abs(common.seconds) > least and not damaged:
            yield Doubt(
                text=f"{late} of about {milliseconds:.3g} ms remains (levels of {items}; waveforms "
                f"are too unlike to tell more exactly); scores that need alignment suffer",
                serious=True,
            )
        return
    left = f"{late} of {milliseconds:.3g} ms remains (correlations of {items})"
    if abs(common.seconds) > LAG_SECONDS:
        yield Doubt(text=f"{left}; scores that need alignment suffer", serious=True)
    elif abs(common.seconds) > SAME_LAG_SECONDS and common.height > SURE_HEIGHT:
        yield Doubt(text=f"{left}; it costs much of SI-SDR and little of others", serious=False)


def _late_by_items(known: Mapping[str, Floats]) -> Iterator[Doubt]:
    """The same from the highest peak of each item's correlation, one of many a pitch period apart.

    So lags count only where most items have one that can be trusted.
    """
    trusted = known["correlation"] > TRUSTED_CORRELATION
    lags = known["lag_seconds"][trusted]
    if not lags.size or lags.size < SAME_LAG_SHARE * np.count_nonzero(
        ~np.isnan(known["correlation"])
    ):
        return
    median = _median(np.abs(lags))
    alike = np.count_nonzero(np.abs(lags - np.median(lags)) <= SAME_LAG_SECONDS)
    left = f"a delay of {1000 * median:.3g} ms remains (median of {lags.size} items)"
    if median > LAG_SECONDS:
        yield Doubt(text=f"{left}; scores that need alignment suffer", serious=True)
    elif median > SAME_LAG_SECONDS and alike >= SAME_LAG_SHARE * lags.size:
        yield Doubt(text=f"{left}; it costs much of SI-SDR and little of others", serious=False)


def _level(known: Mapping[str, Floats]) -> Iterator[Doubt]:
    level = _median(known["level_db"])
    if abs(level) > LEVEL_DB:
        side = "below" if level < 0 else "above"
        yield Doubt(
            text=f"the level is {abs(level):.3g} dB {side} the references' (median); metrics that "
            f"do not normalise it suffer",
            serious=True,
        )


def _offset(known: Mapping[str, Floats]) -> Iterator[Doubt]:
    far = np.abs(known["dc_offset"]) > OFFSET_SHARE
    if far.any():
        share = _median(np.abs(known["dc_offset"][far]))
        yield Doubt(
            text=f"a constant offset (DC) of {share:.0%} of the level in {_of(far)} files",
            serious=True,
        )


def _length(known: Mapping[str, Floats], items: int, padding: bool) -> Iterator[Doubt]:
    surplus = np.nan_to_num(known["surplus_seconds"])
    sides = ((-surplus, "shorter", "filled with zeros"), (surplus, "longer", "cut"))
    for seconds, kind, done in sides:
        far = seconds > FRAME_SECONDS
        if far.any():
            yield Doubt(
                text=f"{kind} than the reference by more than a frame "
                f"({1000 * FRAME_SECONDS:g} ms) in {np.count_nonzero(far)} of {items} items, by "
                f"{seconds.max():.3g} s at most: {done} at the end",
                serious=True,
            )
    within = np.where(np.abs(surplus) > FRAME_SECONDS, 0.0, np.abs(surplus))
    if padding and within.any():
        yield Doubt(
            text=f"cut or filled at the end to the reference's length, by "
            f"{1000 * within.max():.3g} ms at most: {np.count_nonzero(within)} of {items} items",
            serious=False,
        )


def _clipped(known: Mapping[str, Floats], items: int) -> Iterator[Doubt]:
    clipped = np.nan_to_num(known["clipped_samples"])
    if clipped.any():
        yield Doubt(
            text=f"samples clipped at full scale: {int(clipped.sum())}, in "
            f"{np.count_nonzero(clipped)} of {items} items",
            serious=False,
        )


def _of(mask: NDArray[np.bool_]) -> str:
    return f"{np.count_nonzero(mask)} of {mask.size}"
