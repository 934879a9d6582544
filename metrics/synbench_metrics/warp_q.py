"""WARP-Q: how far stretches of coded speech must be bent to lie on the original.

Conventions
    reference, degraded   mono, ``(samples,)``, full scale at -1 and 1
    sample_rate           16 kHz only
    ``warp_q``            mean distance of cepstra along the cheapest path, median over patches: 0
                          and up, about 1 to 3 for codecs, smaller is better
    ``warp_q_normalised`` ``1 - warp_q / 3.5``, cut to 0 to 1, bigger is better

Shape letters
    F  frames of 32 ms, every 4 ms     M  mel bands, 128     K  cepstral coefficients, 13
    P  patches, 92 frames every 42     N  frames of a patch

Frames of 30 ms in which WebRTC's detector (its least strict mode) hears no speech are cut out of
each wave by itself, unless a neighbour has speech. Cepstra of what is left (mel bands up to 5 kHz,
at most 80 dB below the loudest, a sine lifter of length 3) are brought to zero mean and unit
deviation over 201 frames. Each patch of the degraded wave is laid on the whole reference by
subsequence dynamic time warping: from a cell, a path goes on by one frame of the patch, by three
frames of the reference, or by both. Its Euclidean distances are summed and divided by 92.

These are the constants of the authors' program 1.5.2 of October 2024, which prints three decimals
of both values; before they are rounded, this one equals them to 1e-6, which is the single precision
of their features. Their program of 2022 cuts patches of 100 frames every 50 (up to 0.11 apart on 61
pairs, 0.003 in the mean) and that of 2021 takes other steps and 12 coefficients, so numbers of
earlier papers differ. Nothing was trained, and their maps to opinions are not built in.

Pitfalls
    - Neither level nor delay matters, and a word may be said elsewhere: what is found is compared,
      what is missing from the degraded wave costs nothing.
    - It compares with one recording as other intrusive metrics do: of five codecs at 0.5 kbit/s it
      put the one first that listeners put last (ten utterances).
    - No path goes by one frame of both, so an original against itself has no 0 but some 0.6:
      show the row of the reference.
    - The time grows with the square of the length: at a minute, a second costs ten times as much as
      at 5 seconds.

References:
    W. A. Jassim, J. Skoglund, M. Chinen, A. Hines, "Speech quality assessment with WARP-Q: From
    similarity to subsequence dynamic time warp cost", IET Signal Processing 16, 2022; "WARP-Q:
    Quality prediction for generative neural speech codecs", ICASSP 2021, arXiv:2102.10449.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import NotApplicable
from synbench_base.packages import import_extra, installed_version, requires
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._packages import INSTALL
from synbench_metrics._remember import remember
from synbench_metrics.spectral_distance import mel_powers

Array = NDArray[np.float64]

RATE = 16000
DETECTOR_FRAME = 480  # samples
FRAME, HOP, POINTS = 512, 64, 1024
BANDS, HIGHEST_HZ = 128, 5000
POWER_FLOOR, RANGE_DB = 1e-10, 80.0
COEFFICIENTS, LIFTER = 13, 3
NORMALISED_FRAMES = 201
PATCH_FRAMES, PATCH_HOP = 92, 42
REFERENCE_STEP = 3  # frames of the reference that a path takes at once
PATCH_SECONDS = 0.4
WORST = 3.5
BLOCK_CELLS = 2**21  # distances that are held at a time

__all__ = ["METRICS", "alignment_costs", "cepstra", "cost", "normalised", "speech"]


def cost(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """WARP-Q as it comes.

    Raises:
        NotApplicable: one of the waves has less than 0.4 s of speech.
    """
    return _cost(
        np.ascontiguousarray(reference, dtype=np.float64),
        np.ascontiguousarray(degraded, dtype=np.float64),
    )


def normalised(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """WARP-Q turned round, 0 to 1.

    Raises:
        NotApplicable: one of the waves has less than 0.4 s of speech.
    """
    raw = cost(reference=reference, degraded=degraded, sample_rate=sample_rate)
    return min(1.0, max(0.0, 1.0 - raw / WORST))


@remember(entries=1)
def _cost(reference: Array, degraded: Array) -> float:
    """The median over patches: once for both columns."""
    original = _reference_cepstra(reference)
    return float(np.median(alignment_costs(_heard_cepstra(degraded, "degraded wave"), original)))


@remember(entries=2)
def _reference_cepstra(reference: Array) -> Array:
    return _heard_cepstra(reference, "reference")


def _heard_cepstra(wave: Array, name: str) -> Array:
    heard = speech(wave)
    if heard.size < PATCH_SECONDS * RATE:
        raise NotApplicable(
            f"{heard.size / RATE:.2f} s of speech in the {name}, {PATCH_SECONDS} s needed"
        )
    return cepstra(heard)


def speech(wave: Wave) -> Array:
    """What is left of a wave where the detector hears no speech in a frame and beside it."""
    detector = import_extra("webrtcvad", extra="metrics").Vad(0)
    padded = np.zeros((wave.size // DETECTOR_FRAME + 1, DETECTOR_FRAME), dtype=np.int16)
    # In single precision and cut, not rounded, as the program does it.
    integers = np.asarray(wave, dtype=np.float32) * np.float32(32768)
    padded.reshape(-1)[: wave.size] = integers.clip(-32768, 32767)
    heard = [detector.is_speech(frame.tobytes(), RATE) for frame in padded]
    kept = np.convolve(heard, np.ones(3), mode="same") > 0
    return np.asarray(wave, dtype=np.float64)[np.repeat(kept, DETECTOR_FRAME)[: wave.size]]


def cepstra(wave: Wave) -> Array:
    """Cepstra of zero mean and unit deviation around each frame, ``(F, K)``."""
    from scipy.ndimage import uniform_filter1d

    powers = mel_powers(
        wave, RATE, frame=FRAME, hop=HOP, points=POINTS, bands=BANDS, highest_hz=HIGHEST_HZ
    )
    decibel = 10 * np.log10(np.maximum(powers, POWER_FLOOR))
    decibel = np.maximum(decibel, decibel.max() - RANGE_DB)
    order = np.arange(COEFFICIENTS)
    cosines = np.cos(np.pi * np.outer(2 * np.arange(BANDS) + 1, order) / (2 * BANDS))
    cosines *= np.where(order == 0, 1, np.sqrt(2)) / np.sqrt(BANDS)
    coefficients = decibel @ cosines
    coefficients *= 1 + LIFTER / 2 * np.sin(np.pi * (order + 1) / LIFTER)

    def around(values: Array) -> Array:
        """Mean over 201 frames; the ends are mirrored."""
        mean: Array = uniform_filter1d(values, NORMALISED_FRAMES, axis=0, mode="reflect")
        return mean

    centred = coefficients - around(coefficients)
    variance = np.maximum(around(centred**2) - around(centred) ** 2, 0)
    scaled: Array = centred / (np.sqrt(variance) + 2.0**-30)
    return scaled


def alignment_costs(degraded: Array, reference: Array) -> Array:
    """Cost of laying each patch of ``(F, K)`` on the other's best stretch, ``(P,)``."""
    from scipy.spatial.distance import cdist

    count = (len(degraded) - PATCH_FRAMES) // PATCH_HOP + 1
    together = max(1, BLOCK_CELLS // (PATCH_HOP * len(reference)))
    costs = []
    for first in range(0, count, together):
        last = min(first + together, count) - 1
        frames = degraded[first * PATCH_HOP : last * PATCH_HOP + PATCH_FRAMES]
        distances = cdist(frames, reference)
        patches = np.lib.stride_tricks.sliding_window_view(distances, PATCH_FRAMES, axis=0)
        patches = patches[::PATCH_HOP].transpose(2, 0, 1)
        # A path keeps to every third frame of the reference: there are three that do not meet.
        lanes = [_cheapest(patches[:, :, at::REFERENCE_STEP]) for at in range(REFERENCE_STEP)]
        costs.append(np.min(lanes, axis=0) / PATCH_FRAMES)
    return np.concatenate(costs)


def _cheapest(distances: Array) -> Array:
    """Least sum of distances ``(N, P, frames)`` along a path through all N rows, ``(P,)``.

    A path starts anywhere in the first row and goes down, to the right, or both. With S the sum of
    a row up to a frame and E what it costs to come to a cell from above or from the upper left::

        D[n, m] = S[m] + min over j <= m of (E[n, j] - S[j - 1])
    """
    total: Array = distances[0]
    for row in distances[1:]:
        entered = total.copy()
        np.minimum(total[:, 1:], total[:, :-1], out=entered[:, 1:])
        sums = np.cumsum(row, axis=1)
        entered -= sums - row
        total = np.minimum.accumulate(entered, axis=1) + sums
    least: Array = total.min(axis=1)
    return least


def _column(info: MetricInfo, compute: Callable[..., float]) -> Metric:
    return Metric(info, compute, requires(webrtcvad="webrtcvad-wheels", advice=INSTALL))


_RAW = MetricInfo(
    column="warp_q",
    label="WARP-Q",
    unit="",
    direction="down",
    minimum=0.0,
    maximum=None,
    sample_rates=(RATE,),
    minimum_seconds=PATCH_SECONDS,
    longest_seconds=600.0,
    implementation="synbench",
    version="1",
    mode=(
        f"program 1.5.2 of its authors: 13 cepstra, patches of 92 frames every 42, median; "
        f"webrtcvad-wheels {installed_version('webrtcvad-wheels')}"
    ),
    licence="MIT; webrtcvad MIT, WebRTC BSD-3-Clause",
    cpu_seconds_per_audio_second=0.01,
    source="Jassim et al. 2021, arXiv:2102.10449",
)

METRICS = (
    _column(_RAW, cost),
    _column(
        replace(
            _RAW, column="warp_q_normalised", label="WARP-Q (0 to 1)", direction="up", maximum=1.0
        ),
        normalised,
    ),
)
