"""Intonation: is the melody of the voice still there?

STOI, PESQ and DNSMOS do not hear whether a voice has a pitch: a codec that whispers passes them.
These columns do. Conventions, estimators and frames are those of :mod:`synbench_metrics.voice`.

``f0_semitone_<f0>``, 0 to 1, bigger is better
    Share of the frames that are voiced in the reference in which the degraded wave is voiced too
    and its fundamental frequency lies within a semitone. A voice without pitch has about 0; a
    reference without a voiced frame has no score.

``f0_correlation_<f0>``, -1 to 1, bigger is better
    Pearson correlation of the logarithms of the fundamental frequencies over frames that are voiced
    in both. Fewer than ten such frames, or a constant pitch, have no score. Jumps by an octave cost
    much, and frames that lost their voice cost nothing: read it beside the share.

``voicing_error_<f0>``, 0 to 1, smaller is better
    Share of all frames in which one wave is voiced and the other is not.

Pitfalls
    - Creaky voice and background music mislead both estimators; the share of the anchors shows how
      far they can be trusted on a corpus.

References:
    The semitone is the tolerance of one half of a tone in music information retrieval (Raffel et
    al., "mir_eval", ISMIR 2014). Voicing error: W. Chu, A. Alwan, "Reducing F0 frame error of F0
    tracking algorithms under noisy conditions with an unvoiced/voiced classification frontend",
    ICASSP 2009.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import NotApplicable
from synbench_base.packages import installed_version
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics.voice import (
    ESTIMATORS,
    HIGHEST,
    LONGEST_SECONDS,
    LOWEST,
    check_world,
    pitch,
)

Array = NDArray[np.float64]

SEMITONE_OCTAVES = 1 / 12  # octaves
FEWEST_FRAMES = 10

__all__ = [
    "METRICS",
    "correlation",
    "pitch_correlation",
    "pitch_within_a_semitone",
    "share_within_a_semitone",
    "voicing_error",
    "voicing_mistakes",
]


def pitch_within_a_semitone(
    *, reference: Wave, degraded: Wave, sample_rate: int, estimator: str
) -> float:
    """Share of the reference's voiced frames whose pitch is kept.

    Raises:
        NotApplicable: the reference has no voiced frame.
    """
    first, second = (pitch(wave, sample_rate, estimator) for wave in (reference, degraded))
    return share_within_a_semitone(reference=first, degraded=second)


def pitch_correlation(
    *, reference: Wave, degraded: Wave, sample_rate: int, estimator: str
) -> float:
    """Correlation of the logarithms of the fundamental frequencies.

    Raises:
        NotApplicable: too few frames are voiced in both, or a pitch does not move.
    """
    first, second = (pitch(wave, sample_rate, estimator) for wave in (reference, degraded))
    return correlation(reference=first, degraded=second)


def voicing_error(*, reference: Wave, degraded: Wave, sample_rate: int, estimator: str) -> float:
    """Share of the frames whose voicing decisions differ."""
    first, second = (pitch(wave, sample_rate, estimator) for wave in (reference, degraded))
    return voicing_mistakes(reference=first, degraded=second)


def share_within_a_semitone(*, reference: Array, degraded: Array) -> float:
    """The share, from fundamental frequencies in Hz, ``(frames,)``, 0 where unvoiced."""
    voiced = reference > 0
    if not voiced.any():
        raise NotApplicable("the reference has no voiced frame")
    both = voiced & (degraded > 0)
    near = np.abs(np.log2(degraded[both] / reference[both])) <= SEMITONE_OCTAVES
    return float(np.count_nonzero(near) / np.count_nonzero(voiced))


def correlation(*, reference: Array, degraded: Array) -> float:
    """The correlation, from fundamental frequencies in Hz, ``(frames,)``, 0 where unvoiced."""
    both = (reference > 0) & (degraded > 0)
    if np.count_nonzero(both) < FEWEST_FRAMES:
        raise NotApplicable(f"fewer than {FEWEST_FRAMES} frames are voiced in both waves")
    first, second = np.log(reference[both]), np.log(degraded[both])
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        raise NotApplicable("a pitch does not move, so nothing correlates with it")
    return float(np.clip(np.corrcoef(first, second)[0, 1], -1, 1))


def voicing_mistakes(*, reference: Array, degraded: Array) -> float:
    """The share, from fundamental frequencies in Hz, ``(frames,)``, 0 where unvoiced."""
    return float(np.mean((reference > 0) != (degraded > 0)))


def _metrics(estimator: str) -> tuple[Metric, ...]:
    name = estimator.capitalize()
    cost = 0.015 if estimator == "dio" else 0.25
    table = (
        ("f0_semitone", "F0 within a semitone", True, 0.0, pitch_within_a_semitone),
        ("f0_correlation", "F0 correlation", True, -1.0, pitch_correlation),
        ("voicing_error", "Voicing error", False, 0.0, voicing_error),
    )
    return tuple(
        Metric(
            MetricInfo(
                column=f"{column}_{estimator}",
                label=f"{label} ({name})",
                unit="",
                direction="up" if up else "down",
                minimum=minimum,
                maximum=1.0,
                sample_rates=(16000,),
                minimum_seconds=0.1,
                longest_seconds=LONGEST_SECONDS[estimator],
                implementation="pyworld",
                version=installed_version("pyworld"),
                mode=f"{name}, {LOWEST:g} to {HIGHEST:g} Hz, every 5 ms",
                licence="MIT (pyworld), BSD-3-Clause (WORLD)",
                cpu_seconds_per_audio_second=cost,
                source="Chu and Alwan 2009, doi:10.1109/ICASSP.2009.4960497",
            ),
            functools.partial(compute, estimator=estimator),
            check_world,
        )
        for column, label, up, minimum, compute in table
    )


METRICS = tuple(metric for estimator in ESTIMATORS for metric in _metrics(estimator))
