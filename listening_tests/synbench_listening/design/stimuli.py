"""From a run's files to the waves of one item: aligned, of one length, with anchors, equally loud.

Conditions are named as in the results: ``reference``, ``anchor35``, ``anchor70`` and the labels of
the systems. The low anchor's mask is that of BS.1534-3; the standard gives the mid anchor none, so
it has the same mask at twice the frequencies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench.audio import read_audio
from synbench.errors import ItemError, UsageError
from synbench.policy import align, fit, read_reference
from synbench_codecs.adapters.anchors import filter_without_delay, lowpass_taps
from synbench_listening.design.loudness import equalise
from synbench_listening.design.mnru import mnru, mnru_label
from synbench_listening.design.run_material import Candidate, System

REFERENCE, LOW_ANCHOR, MID_ANCHOR = "reference", "anchor35", "anchor70"
ANCHOR_BANDS_HZ = {LOW_ANCHOR: (3500.0, 4000.0), MID_ANCHOR: (7000.0, 8000.0)}
# A lag is believed where the waves resemble each other, and removed where it is more than the
# fraction of a millisecond by which a codec that changes phases moves the correlation's peak.
LEAST_CORRELATION = 0.6
LEAST_LAG_SECONDS = 0.001

Wave = NDArray[np.float64]

__all__ = ["ANCHOR_BANDS_HZ", "LOW_ANCHOR", "MID_ANCHOR", "REFERENCE", "ItemWaves", "Treated"]
__all__ += ["anchor", "make_item"]


@dataclass(frozen=True, kw_only=True)
class Treated:
    """One wave of a trial and all that was done to it; the fields of a stimulus of the key."""

    wave: Wave
    gain_db: float = 0.0
    lufs: float = 0.0
    lag_seconds: float = 0.0
    lag_removed_samples: int = 0
    cut_samples: int = 0


@dataclass(frozen=True, kw_only=True)
class ItemWaves:
    """All conditions of one item, reference first, at one rate and of one length."""

    item: str
    sample_rate: int
    conditions: dict[str, Treated]
    candidate: Candidate


def anchor(name: str, wave: Wave, *, sample_rate: int) -> Wave:
    """The low or mid anchor of a reference: linear phase, no delay, same length.

    Raises:
        UsageError: the rate has no room for the filter's edge.
    """
    passband, stopband = ANCHOR_BANDS_HZ[name]
    if sample_rate < 2 * stopband:
        raise UsageError(
            f"{name} needs {2 * stopband:.0f} Hz or more, the items have {sample_rate}"
        )
    taps = lowpass_taps(sample_rate, passband_hz=passband, stopband_hz=stopband)
    return filter_without_delay(wave, taps)


def make_item(
    candidate: Candidate,
    systems: Sequence[System],
    *,
    anchors: Sequence[str],
    target_lufs: float,
    mnru_db: Sequence[float] = (),
) -> ItemWaves:
    """Read, align, cut or fill, low-pass and level everything of one item.

    Args:
        anchors: which of :data:`ANCHOR_BANDS_HZ`.
        mnru_db: Q of speech with modulated noise, a condition each.

    Raises:
        UsageError: a file is absent, damaged or silent; the message names item and condition.
    """
    try:
        reference, rate = read_reference(candidate.path, target_rate=candidate.target_rate)
        made = {REFERENCE: Treated(wave=reference)}
        for name in anchors:
            made[name] = Treated(wave=anchor(name, reference, sample_rate=rate))
        for q in mnru_db:
            noisy = mnru(reference, q_db=q, seed=f"{candidate.item} {q:g}")
            made[mnru_label(q)] = Treated(wave=noisy)
        for system, path in zip(systems, candidate.decoded, strict=True):
            audio = read_audio(path)
            if audio.sample_rate != rate:
                raise ItemError(f"{path} has {audio.sample_rate} Hz, the reference {rate} Hz")
            made[system.label] = _aligned(audio.wave, reference, rate)
        levelled = equalise(
            {name: treated.wave for name, treated in made.items()},
            sample_rate=rate,
            target_lufs=target_lufs,
        )
    except ItemError as error:
        raise UsageError(
            f"item {candidate.item}: {error}; leave it out with items.without: "
            f"[{candidate.utterance or candidate.item}]"
        ) from error
    return ItemWaves(
        item=candidate.item,
        sample_rate=rate,
        candidate=candidate,
        conditions={
            name: Treated(
                wave=levelled[name].wave,
                gain_db=round(levelled[name].gain_db, 4),
                lufs=round(levelled[name].lufs, 4),
                lag_seconds=treated.lag_seconds,
                lag_removed_samples=treated.lag_removed_samples,
                cut_samples=treated.cut_samples,
            )
            for name, treated in made.items()
        },
    )


def _aligned(wave: Wave, reference: Wave, rate: int) -> Treated:
    removed = 0
    aligned = align(
        wave, sample_rate=rate, delay_samples=0, reference=reference, reference_rate=rate
    )
    believed = aligned.correlation >= LEAST_CORRELATION
    if believed and abs(aligned.lag_seconds) >= LEAST_LAG_SECONDS:
        removed = round(aligned.lag_seconds * rate)
    moved = wave[removed:] if removed >= 0 else np.pad(wave, (-removed, 0))
    if removed:
        aligned = align(
            moved, sample_rate=rate, delay_samples=0, reference=reference, reference_rate=rate
        )
    return Treated(
        wave=fit(aligned.wave, n_samples=reference.size),
        lag_seconds=aligned.lag_seconds if believed else 0.0,
        lag_removed_samples=removed,
        cut_samples=int(moved.size - reference.size),
    )
