"""STOI and ESTOI: short-time objective intelligibility.

Conventions
    reference, degraded   mono, ``(samples,)``, equal length
    sample_rate           any, Hz; both waves are brought to 10 kHz inside, by a filter that equals
                          Octave's ``resample`` (part of the measure, not a policy of ours)
    value                 mean correlation of third-octave envelopes, -1 to 1, bigger is better

Shape letters
    B  bands, 15     F  frames of an envelope     W  frames of a segment, 30     K  segments

Frames (25.6 ms, every 12.8 ms) of the reference that lie more than 40 dB below its loudest are
taken out of both waves. The measure compares stretches of 30 frames, so a pair with fewer than 31
active frames has no score. Neither the level nor the polarity of the degraded wave matters; a delay
does: 20 ms cost about 0.3.

This is an own implementation. It equals pystoi 0.4.1 and the authors' programs to 1e-9, but for one
thing: before ESTOI divides by a deviation, pystoi adds random noise of the size of a rounding error
to every value, so that nothing is divided by zero. Here nothing is drawn. A band without any change
over a segment (digital silence) and a frame without any difference between its bands are normalised
to zero and count 0, which is what the noise leads to on average. The two differ only where such
stretches occur, and there pystoi differs from itself.

Pitfalls
    - It correlates envelopes and hears no pitch, timbre or speaker: a codec that whispers passes.
    - Near 1 it saturates: good codecs differ for listeners where STOI no longer tells them apart.
    - Of a low value nobody can tell whether words were lost or only reshaped: read word errors
      beside it.

References:
    C. H. Taal, R. C. Hendriks, R. Heusdens, J. Jensen, "An Algorithm for Intelligibility Prediction
    of Time-Frequency Weighted Noisy Speech", IEEE Trans. Audio, Speech, Lang. Process. 19(7), 2011.
    J. Jensen, C. H. Taal, "An Algorithm for Predicting the Intelligibility of Speech Masked by
    Modulated Noise Maskers", IEEE/ACM Trans. Audio, Speech, Lang. Process. 24(11), 2016.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import NotApplicable
from synbench_base.long_wave import on_disk
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._polyphase import resample
from synbench_metrics._remember import remember
from synbench_metrics._third_octaves import (
    BANDS,
    EPS,
    SAMPLE_RATE,
    Frames,
    active_frames,
    envelopes,
)

Array = NDArray[np.float64]

# 31 frames of 256 samples, every 128, at 10 kHz: 4097 samples are the least that can have a score.
MINIMUM_SECONDS = 0.41
SEGMENT_FRAMES = 30  # frames
BLOCK_SEGMENTS = 128  # segments
CLIP_FACTOR = 1 + 10 ** (
    15 / 20
)  # a signal-to-distortion ratio of -15 dB is the lowest that counts
FLAT_BAND_DEVIATION = (
    EPS * SEGMENT_FRAMES**0.5
)  # deviations that rounding may leave: of a band, in its own unit,
FLAT_FRAME_DEVIATION = 1e-10  # and of a frame of normalised bands

__all__ = ["METRICS", "extended_intelligibility", "intelligibility"]


def intelligibility(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """STOI.

    Raises:
        NotApplicable: fewer than 31 active frames in the reference.
    """
    pair = _bands(_samples(reference), _samples(degraded), sample_rate)
    total = math.fsum(_correlations(*block) for block in _segments(*pair))
    return _mean(total, _count(pair[0]) * BANDS)


def extended_intelligibility(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """ESTOI.

    Raises:
        NotApplicable: fewer than 31 active frames in the reference.
    """
    pair = _bands(_samples(reference), _samples(degraded), sample_rate)
    total = math.fsum(
        float(np.vdot(_normalised(first), _normalised(second)))
        for first, second in _segments(*pair)
    )
    return _mean(total, _count(pair[0]) * SEGMENT_FRAMES)


def _samples(wave: Wave) -> Array:
    if on_disk(wave):
        return wave
    return np.ascontiguousarray(wave, dtype=np.float64)


def _count(bands: Array) -> int:
    """K, segments of an envelope."""
    return int(bands.shape[1]) - SEGMENT_FRAMES + 1


def _mean(total: float, parts: int) -> float:
    """Rounding may leave identical waves a few units in the last place above 1."""
    return min(total / parts, 1.0)


@remember(entries=1)
def _bands(reference: Array, degraded: Array, sample_rate: int) -> tuple[Array, Array]:
    """Envelopes of both waves in the active frames of the reference, each ``(B, F)``."""
    active, first = _reference_bands(reference, sample_rate)
    return first, envelopes(resample(degraded, sample_rate, SAMPLE_RATE), active)


@remember(entries=2)
def _reference_bands(reference: Array, sample_rate: int) -> tuple[Frames, Array]:
    """Active frames ``(N,)`` of a reference, and its envelopes in them, ``(B, F)``."""
    wave = resample(reference, sample_rate, SAMPLE_RATE)
    active = active_frames(wave)
    if active.size <= SEGMENT_FRAMES:
        raise NotApplicable("fewer than 31 active frames in the reference")
    return active, envelopes(wave, active)


def _segments(*bands: Array) -> Iterator[list[Array]]:
    """All stretches of 30 frames, in blocks that bound the memory, each ``(W, B, K)``."""
    views = [
        np.lib.stride_tricks.sliding_window_view(each, SEGMENT_FRAMES, axis=1) for each in bands
    ]
    for at in range(0, views[0].shape[1], BLOCK_SEGMENTS):
        yield [view[:, at : at + BLOCK_SEGMENTS].transpose(2, 0, 1) for view in views]


def _correlations(reference: Array, degraded: Array) -> float:
    """Sum over bands and segments of the correlation in time (Taal et al., eq. 3 to 5)."""
    scaled = degraded * (_norm(reference, 0) / (_norm(degraded, 0) + EPS))
    np.minimum(scaled, reference * CLIP_FACTOR, out=scaled)
    scaled -= scaled.mean(axis=0)
    centred = reference - reference.mean(axis=0)
    products = np.sum(scaled * centred, axis=0)
    return float(np.sum(products / ((_norm(scaled, 0) + EPS) * (_norm(centred, 0) + EPS))))


def _normalised(segments: Array) -> Array:
    """Every band, then every frame, brought to mean 0 and length 1 (Jensen and Taal, eq. 4, 5)."""
    result: Array = segments - segments.mean(axis=0)
    result /= np.hypot(_norm(result, 0), FLAT_BAND_DEVIATION)
    result -= result.mean(axis=1, keepdims=True)
    result /= np.hypot(_norm(result, 1), FLAT_FRAME_DEVIATION)[:, None]
    return result


def _norm(values: Array, axis: int) -> Array:
    """Euclidean length along an axis."""
    length: Array = np.sqrt(np.sum(values * values, axis=axis))
    return length


METRICS = (
    Metric(
        MetricInfo(
            column="stoi",
            label="STOI",
            unit="",
            direction="up",
            minimum=-1.0,
            maximum=1.0,
            sample_rates=(),
            minimum_seconds=MINIMUM_SECONDS,
            implementation="synbench",
            version="1",
            by_stretches=True,
            licence="MIT",
            cpu_seconds_per_audio_second=0.001,
            source="Taal et al. 2011, doi:10.1109/TASL.2011.2114881",
        ),
        intelligibility,
    ),
    Metric(
        MetricInfo(
            column="estoi",
            label="ESTOI",
            unit="",
            direction="up",
            minimum=-1.0,
            maximum=1.0,
            sample_rates=(),
            minimum_seconds=MINIMUM_SECONDS,
            implementation="synbench",
            version="1",
            by_stretches=True,
            mode="extended, without noise",
            licence="MIT",
            cpu_seconds_per_audio_second=0.001,
            source="Jensen and Taal 2016, doi:10.1109/TASLP.2016.2585878",
        ),
        extended_intelligibility,
    ),
)
