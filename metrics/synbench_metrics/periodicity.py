"""Periodicity: does the voice still repeat itself, and after the right period?

Two columns that need no package and judge every frame by itself. The estimators behind
:mod:`synbench_metrics.intonation` want a pitch that is steady over several frames before they call
them voiced, so a hoarse copy with the right melody loses much there; here it loses less.

Conventions
    reference, degraded   mono, ``(samples,)``, full scale at -1 and 1, equal length
    sample_rate           16 kHz only
    frames                40 ms every 10 ms, compared one to one

Each frame ``x[0 .. n)`` is correlated with the ``n`` samples that begin ``k`` later, for periods
``k`` of 400 down to 60 Hz::

    r(k) = sum x[i] x[i + k] / sqrt(sum x[i]^2  sum x[i + k]^2)

A frame counts where the reference is voiced: its largest ``r`` is at least 0.6, and its power at
most 30 dB below that of its loudest frame. The period is the first local maximum of ``r`` from 0.92
of the largest on, so that twice the period does not win by a hair.

``f0_semitone_autocorrelation``, 0 to 1, bigger is better
    Share of these frames in which the degraded wave's largest ``r`` is at least 0.5 and its period
    lies within a semitone of the reference's. A whisper has 0; at 0.5 kbit/s the authors' own
    MDCTCodec has .45, P2PSynCodec .84 and BigCodec .91 on ten utterances.

``periodicity``, 0 to 1, bigger is better
    Mean over these frames of the degraded wave's largest ``r``. A tone in white noise has
    ``S / (S + N)``, a recording some 0.86, a whisper 0.26.

Pitfalls
    - `periodicity` rewards a buzz: a decoder that makes everything periodic has 1. Read it beside
      the share, and beside STOI.
    - Octave errors are rare, but they occur; the recording itself as a codec shows nothing of them.
    - The threshold of the degraded wave moves the share of hoarse codecs by some .07 for .1.

References:
    The normalised cross-correlation: D. Talkin, "A robust algorithm for pitch tracking (RAPT)",
    in Speech Coding and Synthesis, Elsevier, 1995. Thresholds are our own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import NotApplicable
from synbench_base.long_wave import on_disk
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._remember import remember

Array = NDArray[np.float64]

SAMPLE_RATE = 16000  # Hz
WINDOW, HOP = 640, 160  # samples
LOWEST, HIGHEST = 60.0, 400.0  # Hz
SHORTEST_PERIOD = int(SAMPLE_RATE / HIGHEST)  # samples
LONGEST_PERIOD = int(SAMPLE_RATE / LOWEST)  # samples
FFT_SIZE = 960  # samples; a frame and its longest shift, so that no lag up to there wraps
VOICED_SIMILARITY = 0.6
STILL_PERIODIC = 0.5
QUIETEST_DB = -30.0  # dB below the loudest frame
NEARLY_THE_LARGEST = 0.92
SILENT_POWER = 1e-12  # of a full-scale square wave, added so that silence has no similarity
SEMITONE_OCTAVES = 1 / 12  # octaves
BLOCK_FRAMES = 2000  # some 50 MB at a time

__all__ = ["METRICS", "periodicity", "periods_and_similarity", "share_of_kept_periods"]


def share_of_kept_periods(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """Share of the reference's voiced frames that are periodic still, within a semitone.

    Raises:
        NotApplicable: the reference has no voiced frame.
    """
    periods, voiced = _voiced(reference)
    made, similarity, _ = _analysed(degraded)
    near = np.abs(np.log2(made[voiced] / periods[voiced])) <= SEMITONE_OCTAVES
    return float(np.mean(near & (similarity[voiced] >= STILL_PERIODIC)))


def periodicity(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """Mean similarity of the degraded wave to itself one period later, in the voiced frames.

    Raises:
        NotApplicable: the reference has no voiced frame.
    """
    _, voiced = _voiced(reference)
    return float(np.mean(_analysed(degraded)[1][voiced]))


def periods_and_similarity(wave: Array) -> tuple[Array, Array, Array]:
    """Period in samples, similarity (0 to 1) and mean power of every frame, each ``(frames,)``."""
    size = WINDOW + LONGEST_PERIOD
    count = (wave.size - size) // HOP + 1
    blocks = []
    for first in range(0, count, BLOCK_FRAMES):
        last = min(first + BLOCK_FRAMES, count) - 1
        stretch = wave[first * HOP : last * HOP + size]
        blocks.append(_block(np.lib.stride_tricks.sliding_window_view(stretch, size)[::HOP]))
    periods, similarity, power = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return periods, similarity, power


def _block(frames: Array) -> tuple[Array, Array, Array]:
    """The same of frames ``(frames, WINDOW + LONGEST_PERIOD)``."""
    first = np.fft.rfft(frames[:, :WINDOW], FFT_SIZE)
    product = np.fft.irfft(first.conj() * np.fft.rfft(frames, FFT_SIZE), FFT_SIZE)
    sums = np.pad(np.cumsum(frames**2, axis=1), ((0, 0), (1, 0)))
    energies = sums[:, WINDOW:] - sums[:, : LONGEST_PERIOD + 1] + SILENT_POWER * WINDOW
    lags = slice(SHORTEST_PERIOD, LONGEST_PERIOD + 1)
    similarity = product[:, lags] / np.sqrt(energies[:, :1] * energies[:, lags])
    largest = similarity.max(axis=1)
    padded = np.pad(similarity, ((0, 0), (1, 1)), constant_values=-np.inf)
    peaks = (similarity >= padded[:, :-2]) & (similarity >= padded[:, 2:])
    chosen = np.argmax(peaks & (similarity >= NEARLY_THE_LARGEST * largest[:, None]), axis=1)
    power = energies[:, 0] / WINDOW - SILENT_POWER
    return (chosen + SHORTEST_PERIOD).astype(np.float64), largest.clip(0.0, 1.0), power


@remember(entries=3)
def _remembered(wave: Array) -> tuple[Array, Array, Array]:
    return periods_and_similarity(wave)


def _analysed(wave: Wave) -> tuple[Array, Array, Array]:
    return _remembered(wave if on_disk(wave) else np.ascontiguousarray(wave, dtype=np.float64))


def _voiced(reference: Wave) -> tuple[Array, NDArray[np.bool_]]:
    """Periods of the reference, and the frames in which it is voiced."""
    periods, similarity, power = _analysed(reference)
    voiced = (similarity >= VOICED_SIMILARITY) & (power >= power.max() * 10 ** (QUIETEST_DB / 10))
    if not voiced.any():
        raise NotApplicable("the reference has no voiced frame")
    return periods, voiced


def _metric(column: str, label: str, mode: str, compute: Callable[..., float]) -> Metric:
    return Metric(
        MetricInfo(
            column=column,
            label=label,
            unit="",
            direction="up",
            minimum=0.0,
            maximum=1.0,
            sample_rates=(SAMPLE_RATE,),
            minimum_seconds=0.1,
            by_stretches=True,
            implementation="synbench",
            version="1",
            mode=f"{mode}, {LOWEST:g} to {HIGHEST:g} Hz, 40 ms every 10 ms",
            licence="MIT",
            cpu_seconds_per_audio_second=0.02,
            source="Talkin 1995, Speech Coding and Synthesis",
        ),
        compute,
    )


METRICS = (
    _metric(
        "f0_semitone_autocorrelation",
        "F0 within a semitone (autocorrelation)",
        f"normalised cross-correlation, at least {STILL_PERIODIC:g} in the degraded wave",
        share_of_kept_periods,
    ),
    _metric("periodicity", "Periodicity", "largest normalised cross-correlation", periodicity),
)
