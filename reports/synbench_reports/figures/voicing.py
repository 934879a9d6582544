"""Where speech is voiced, unvoiced or silent, and how far a decoded wave is off in each class.

A frame is 32 ms every 10 ms. It is silent when its level is more than 40 dB below the loudest frame
of the utterance; of the others it is voiced when the normalised autocorrelation has a peak of at
least 0.5 at a lag of 2.5 to 16 ms (62.5 to 400 Hz), and unvoiced otherwise. That is a plain
detector without smoothing: it finds vowels and fricatives, and errs at onsets and in creaky voice.

The distance of a frame is the root mean square difference of the two log spectra (dB) over mel
bands of 0 to 8 kHz (or half the sample rate), levels below 60 dB under the loudest frame's loudest
band cut off, so that inaudible differences do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAME_SECONDS, HOP_SECONDS = 0.032, 0.010
SILENT_DB = -40.0
VOICED_CORRELATION = 0.5
SHORTEST_LAG, LONGEST_LAG = 0.0025, 0.016
MEL_BANDS = 40
HIGHEST_HZ = 8000.0
FLOOR_DB = -60.0
CLASSES = ("voiced", "unvoiced", "silent")

Floats = NDArray[np.float64]

__all__ = ["CLASSES", "ClassDistances", "class_distances", "classify"]


@dataclass(frozen=True)
class ClassDistances:
    """Mean distance in dB and number of frames per class, each shape ``(3,)``; NaN without any."""

    distances: Floats
    frames: NDArray[np.int64]


def classify(reference: Floats, sample_rate: int) -> NDArray[np.int64]:
    """The index in :data:`CLASSES` of every frame of a mono wave, shape ``(frame,)``."""
    frames = _frames(reference, sample_rate)
    power = (frames**2).mean(axis=1)
    loudest = power.max(initial=0.0)
    silent = power <= loudest * 10 ** (SILENT_DB / 10)
    voiced = _periodicity(frames, sample_rate) >= VOICED_CORRELATION
    return np.where(silent, 2, np.where(voiced, 0, 1))


def class_distances(
    reference: Floats, degraded: Floats, sample_rate: int, classes: NDArray[np.int64] | None = None
) -> ClassDistances:
    """Distances per class of two aligned waves; the reference decides on the classes.

    Args:
        classes: of the reference, where they are known already.

    Raises:
        ValueError: the waves have different shapes.
    """
    if reference.shape != degraded.shape:
        raise ValueError(f"expected equal shapes, got {reference.shape} and {degraded.shape}")
    frame_classes = classify(reference, sample_rate) if classes is None else classes
    first, second = (_log_bands(wave, sample_rate) for wave in (reference, degraded))
    floor = first.max(initial=-np.inf) + FLOOR_DB
    apart = np.maximum(first, floor) - np.maximum(second, floor)
    distances = np.sqrt((apart**2).mean(axis=1))
    counts = np.bincount(frame_classes, minlength=len(CLASSES))
    sums = np.bincount(frame_classes, weights=distances, minlength=len(CLASSES))
    with np.errstate(invalid="ignore"):
        return ClassDistances(np.where(counts > 0, sums / counts, np.nan), counts)


def _frames(wave: Floats, sample_rate: int) -> Floats:
    """Shape ``(frame, sample)``; a wave shorter than a frame is filled up with zeros."""
    length, hop = round(FRAME_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate)
    padded = np.pad(wave, (0, max(0, length - len(wave))))
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]


def _periodicity(frames: Floats, sample_rate: int) -> Floats:
    """Highest normalised autocorrelation of each frame over the lags of a voice."""
    centred = frames - frames.mean(axis=1, keepdims=True)
    length = centred.shape[1]
    shortest, longest = round(SHORTEST_LAG * sample_rate), round(LONGEST_LAG * sample_rate)
    spectrum = np.fft.rfft(centred, n=2 * length, axis=1)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, shortest : longest + 1]
    energy = np.cumsum(centred**2, axis=1)
    lags = np.arange(shortest, longest + 1)
    # Energies of the two parts that overlap at each lag, so that a long lag is no disadvantage.
    early = energy[:, length - 1 - lags]
    late = energy[:, -1:] - energy[:, lags - 1]
    norms = np.sqrt(np.maximum(early * late, 0))
    shares = np.divide(correlation, norms, out=np.zeros_like(correlation), where=norms > 0)
    highest: Floats = shares.max(axis=1, initial=0.0)
    return highest


def _log_bands(wave: Floats, sample_rate: int) -> Floats:
    """Levels in dB per frame and band, shape ``(frame, band)``."""
    frames = _frames(wave, sample_rate)
    power = np.abs(np.fft.rfft(frames * np.hanning(frames.shape[1]), axis=1)) ** 2
    edges = _mel_edges(min(HIGHEST_HZ, sample_rate / 2))
    frequencies_hz = np.fft.rfftfreq(frames.shape[1], 1 / sample_rate)
    # Triangles between each edge and the next but one.
    rising = (frequencies_hz - edges[:-2, None]) / np.diff(edges[:-1])[:, None]
    falling = (edges[2:, None] - frequencies_hz) / np.diff(edges[1:])[:, None]
    weights = np.maximum(0, np.minimum(rising, falling))
    with np.errstate(divide="ignore"):
        levels: Floats = 10 * np.log10(power @ weights.T)
    return levels


def _mel_edges(highest: float) -> Floats:
    """Edges of bands in Hz, evenly spaced on the mel scale of O'Shaughnessy (1987)."""
    top = 2595 * np.log10(1 + highest / 700)
    edges: Floats = 700 * (10 ** (np.linspace(0, top, MEL_BANDS + 2) / 2595) - 1)
    return edges
