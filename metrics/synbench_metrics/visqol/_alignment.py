"""Alignment of ViSQOL: the lag at which two upper envelopes agree best.

Conventions
    waves      mono float64, ``(samples,)``
    lag        samples; positive when the degraded wave is early and must be delayed

The reference program calls its envelope a Hilbert envelope, but inverts the analytic spectrum with
a real inverse transform, which throws the analytic part away. What it computes, and what its
published conformance scores rest on, is :func:`upper_envelope`; a true Hilbert envelope picks other
lags on some files and moves their scores: by up to 0.03 on the conformance files, and by 0.146 on
the one of all files tried that moved most.

Reference:
    google/visqol 3.3.3, ``envelope.cc``, ``xcorr.cc``, ``alignment.cc``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synbench_metrics.visqol._gammatone_energy import even_fast_length

Samples = NDArray[np.float64]

__all__ = [
    "Spectrum",
    "align",
    "align_and_truncate",
    "best_lag",
    "envelope_spectrum",
    "upper_envelope",
]


def upper_envelope(wave: Samples) -> Samples:
    """Twice the centred wave less its Nyquist component, rectified, plus the mean.

    With c the centred wave, X0 and XN its sums without and with alternating signs, and P the power
    of two that the wave (n samples) is padded to::

        y[k] = 2 c[k] - X0 / P - (2 - q) (XN / P) (-1)^k        q = 1 if n = P, else 0
        envelope[k] = |y[k]| + mean
    """
    mean = float(np.mean(wave))
    centred = wave - mean
    padded = max(32, _power_of_two(wave.size))
    signs = np.ones(wave.size)
    signs[1::2] = -1.0
    nyquist = float(centred @ signs) / padded * (1.0 if wave.size == padded else 2.0)
    return np.abs(2.0 * centred - float(centred.sum()) / padded - nyquist * signs) + mean


@dataclass(frozen=True)
class Spectrum:
    """The transform of an upper envelope of ``samples`` samples, padded to ``points``."""

    values: NDArray[np.complex128]
    samples: int
    points: int


def envelope_spectrum(wave: Samples, *, longest: int = 0) -> Spectrum:
    """Transform an upper envelope, with room for the lags of a wave of ``longest`` samples."""
    points = even_fast_length(2 * max(wave.size, longest) - 1)
    return Spectrum(np.fft.rfft(upper_envelope(wave), points), wave.size, points)


def best_lag(reference: Spectrum, degraded: Spectrum) -> int:
    """The lag of the largest cross-correlation of two envelopes; the smallest of equals."""
    points, longest = reference.points, max(reference.samples, degraded.samples)
    correlation = np.fft.irfft(reference.values * np.conj(degraded.values), points)
    lags = np.concatenate([correlation[points - longest + 1 :], correlation[:longest]])
    return int(np.argmax(lags)) - (longest - 1)


def align(
    reference: Samples, degraded: Samples, *, envelope: Spectrum | None = None
) -> tuple[Samples, int]:
    """The degraded wave moved to the reference, and its lag; lengths may come to differ.

    A lag beyond half the reference is taken for an error and ignored. A negative lag cuts the front
    of the degraded wave, a positive one puts zeros there. ``envelope`` is that of the reference,
    where it is known already.
    """
    if envelope is None or degraded.size > reference.size:
        envelope = envelope_spectrum(reference, longest=degraded.size)
    lag = best_lag(envelope, envelope_spectrum(degraded, longest=reference.size))
    if lag == 0 or abs(lag) > reference.size / 2:
        return degraded, 0
    if lag < 0:
        return degraded[-lag:], lag
    return np.concatenate([np.zeros(lag), degraded]), lag


def align_and_truncate(
    reference: Samples,
    degraded: Samples,
    sample_rate: int,
    *,
    envelope: Spectrum | None = None,
) -> tuple[Samples, Samples, float]:
    """Both waves aligned and cut to one length, and the lag in seconds."""
    moved, lag = align(reference, degraded, envelope=envelope)
    seconds = lag / float(sample_rate)
    # The lag goes through seconds and back, as in the reference program: the truncation of that
    # product decides which sample comes first.
    start = int(seconds * sample_rate)
    if moved.size > reference.size and start > 0:
        reference, moved = reference[start:], moved[start:]
    shortest = min(reference.size, moved.size)
    return reference[:shortest], moved[:shortest], seconds


def _power_of_two(at_least: int) -> int:
    """The smallest power of two that is not below ``at_least``."""
    return 1 << max(at_least - 1, 0).bit_length()
