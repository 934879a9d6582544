"""Distances between short-time spectra: log-spectral, mel and multi-resolution distance.

Conventions
    reference, degraded   mono, ``(samples,)``, full scale at -1 and 1, equal length
    F, B, M               frames, bins of the transform, mel bands
    frames                only whole ones: no padding, the last samples may be left out
    window                periodic Hann
    value                 0 for equal waves, unbounded, smaller is better

``log_spectral_distance``, dB, any rate, whole band
    Frames of 32 ms every 8 ms. Power is scaled so that a sine of full scale has 1 in its bin, and
    floored at 1e-10 (-100 dB), so that digital silence against dither costs little::

        D[f, b] = 10 log10 P_reference[f, b] - 10 log10 P_degraded[f, b]
        value = mean over f of sqrt(mean over b of D[f, b]^2)

``mel_distance``, natural-log units (1 is 8.7 dB), 16 kHz only, 0 to 8 kHz
    Frames of 1024 samples every 256. 80 triangular bands, even on Slaney's mel scale and of
    unit area, are applied to the magnitude (not the power), which is floored at 1e-5::

        value = mean over f, m of | ln S_reference[f, m] - ln S_degraded[f, m] |

    This is the spectral loss of many vocoders and codecs. Its numbers depend on the rate, so the
    column has one: other material is resampled to 16 kHz and nothing above 8 kHz counts. For the
    whole band of a 48 kHz codec use the log-spectral distance.

``mrstft_distance``, natural-log units, 16 kHz only
    Transforms of 512, 1024 and 2048 points, windows of 240, 600 and 1200 samples, every 50, 120 and
    240, frames centred on their sample, edges reflected. Of each resolution the spectral
    convergence and the mean difference of log magnitudes (power floored at 1e-8) are added, and the
    value is the mean over resolutions::

        || S_reference - S_degraded || / || S_reference || + mean | ln S_reference - ln S_degraded |

All notice a gain and a delay; a flipped sign they do not.

Pitfalls
    - A codec that was trained on such a distance is good at it, whatever listeners think.
    - They punish a generated fine structure that differs from the original but sounds as natural.

References:
    A. H. Gray, J. D. Markel, "Distance measures for speech processing", IEEE Trans. Acoust.,
    Speech, Signal Process. 24(5), 1976. R. Yamamoto, E. Song, J.-M. Kim, "Parallel WaveGAN", ICASSP
    2020. J. Kong, J. Kim, J. Bae, "HiFi-GAN", NeurIPS 2020.
    M. Slaney, "Auditory Toolbox", Interval Research Technical Report 1998-010 (mel scale).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import NotApplicable
from synbench_metrics._interface import Metric, MetricInfo, Wave

Array = NDArray[np.float64]

POWER_FLOOR = 1e-10
MEL_FLOOR = 1e-5
BLOCK_FRAMES = 4096  # frames
MEL_BANDS = 80
MEL_FRAME, MEL_HOP = 1024, 256  # samples at 16 kHz
RESOLUTIONS = ((512, 240, 50), (1024, 600, 120), (2048, 1200, 240))  # points, window, hop
RESOLUTION_FLOOR = 1e-8

__all__ = [
    "METRICS",
    "hann",
    "log_spectral_distance",
    "mel_distance",
    "mel_filters",
    "mel_powers",
    "multi_resolution_distance",
]


def log_spectral_distance(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """Log-spectral distance, dB.

    Raises:
        NotApplicable: a wave is shorter than a frame (32 ms).
    """
    frame, hop = round(0.032 * sample_rate), round(0.008 * sample_rate)
    distances = []
    for spectra in _magnitudes(reference, degraded, frame=frame, hop=hop):
        powers = [(each * (2.0 / hann(frame).sum())) ** 2 for each in spectra]
        first, second = (10.0 * np.log10(np.maximum(power, POWER_FLOOR)) for power in powers)
        distances.append(np.sqrt(np.mean((first - second) ** 2, axis=1)))
    return float(np.mean(np.concatenate(distances)))


def mel_distance(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """Mean absolute difference of log-mel spectra at 16 kHz, natural-log units.

    Raises:
        NotApplicable: a wave is shorter than a frame (64 ms).
    """
    filters = mel_filters(sample_rate, MEL_FRAME, MEL_BANDS)
    distances = []
    for spectra in _magnitudes(reference, degraded, frame=MEL_FRAME, hop=MEL_HOP):
        first, second = (np.log(np.maximum(each @ filters, MEL_FLOOR)) for each in spectra)
        distances.append(np.mean(np.abs(first - second), axis=1))
    return float(np.mean(np.concatenate(distances)))


def multi_resolution_distance(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """Spectral convergence and log difference at 16 kHz, mean over three resolutions.

    Raises:
        NotApplicable: a wave is too short to be reflected at its edges (64 ms).
    """
    return float(np.mean([_at(each, reference, degraded) for each in RESOLUTIONS]))


def _at(resolution: tuple[int, int, int], reference: Wave, degraded: Wave) -> float:
    """Distance at one resolution."""
    points, length, hop = resolution
    if reference.size <= points // 2:
        raise NotApplicable(f"{reference.size} samples, more than {points // 2} needed")
    frames = reference.size // hop + 1
    distortion = energy = difference = 0.0
    for start in range(0, frames, BLOCK_FRAMES):
        stop = min(start + BLOCK_FRAMES, frames)
        # Only the window's own samples matter: those around the middle of a frame.
        begin = start * hop - points // 2 + (points - length) // 2
        end = begin + (stop - 1 - start) * hop + length
        first, second = (
            _resolved(_reflected(wave, begin, end), points, length, hop)
            for wave in (reference, degraded)
        )
        distortion += float(np.sum((first - second) ** 2))
        energy += float(np.sum(first**2))
        difference += float(np.sum(np.abs(np.log(first / second))))
    return math.sqrt(distortion / energy) + difference / (frames * (points // 2 + 1))


def _resolved(stretch: Wave, points: int, length: int, hop: int) -> Array:
    """Magnitudes of the frames of a stretch, each under its window, ``(frames, B)``."""
    frames = np.lib.stride_tricks.sliding_window_view(stretch, length)[::hop]
    spectrum = np.fft.rfft(frames * hann(length), points)
    power = spectrum.real**2 + spectrum.imag**2
    return np.sqrt(np.maximum(power, RESOLUTION_FLOOR))


def _reflected(wave: Wave, begin: int, end: int) -> Wave:
    """The samples from ``begin`` to ``end`` of a wave that is reflected at both of its ends."""
    if begin >= 0 and end <= wave.size:
        return wave[begin:end]
    index = np.abs(np.arange(begin, end))
    return wave[np.where(index < wave.size, index, 2 * (wave.size - 1) - index)]


@functools.cache
def mel_filters(
    sample_rate: int, points: int, bands: int, *, highest_hz: float | None = None
) -> Array:
    """Triangles of unit area (over Hz) from 0 Hz to ``highest_hz``, ``(points/2 + 1, M)``.

    They end at half the rate where it is not given.
    """
    frequencies = np.fft.rfftfreq(points, 1.0 / sample_rate)[:, None]
    highest = _hertz_to_mel(highest_hz or sample_rate / 2)
    edges = _mel_to_hertz(np.linspace(0.0, highest, bands + 2))
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    return np.maximum(np.minimum(rising, falling), 0.0) * (2.0 / (high - low))


def mel_powers(
    wave: Wave,
    sample_rate: int,
    *,
    frame: int,
    hop: int,
    points: int,
    bands: int,
    highest_hz: float | None = None,
) -> Array:
    """Power in mel bands of frames that are centred on every ``hop``-th sample, ``(F, M)``.

    Zeros stand before the wave and behind it.
    """
    filters = _sparse_mel_filters(sample_rate, points, bands, highest_hz)
    padded = np.pad(np.asarray(wave, dtype=np.float64), frame // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame)[::hop]
    blocks = [
        (filters @ (np.abs(np.fft.rfft(block * hann(frame), points)) ** 2).T).T
        for block in (frames[at : at + BLOCK_FRAMES] for at in range(0, len(frames), BLOCK_FRAMES))
    ]
    return np.concatenate(blocks)


@functools.cache
def _sparse_mel_filters(sample_rate: int, points: int, bands: int, highest_hz: float | None) -> Any:
    """Each band takes few bins: ``(M, points/2 + 1)`` without its zeros."""
    from scipy.sparse import csr_array

    return csr_array(mel_filters(sample_rate, points, bands, highest_hz=highest_hz).T)


# Slaney's scale: linear up to 1000 Hz (15 mel), then 27 mel for a factor of 6.4.
def _hertz_to_mel(hertz: float) -> float:
    if hertz <= 1000.0:
        return hertz * 3 / 200
    return float(15.0 + 27.0 * np.log(hertz / 1000.0) / np.log(6.4))


def _mel_to_hertz(mel: Array) -> Array:
    above = 1000.0 * 6.4 ** (np.maximum(mel - 15.0, 0.0) / 27.0)
    return np.where(mel <= 15.0, mel * 200 / 3, above)


def _magnitudes(*waves: Wave, frame: int, hop: int) -> Iterator[list[Array]]:
    """Magnitude spectra of every whole frame, in blocks that bound the memory, each ``(F, B)``."""
    if waves[0].size < frame:
        raise NotApplicable(f"{waves[0].size} samples are less than a frame of {frame}")
    count = (waves[0].size - frame) // hop + 1
    for start in range(0, count, BLOCK_FRAMES):
        begin, last = start * hop, (min(start + BLOCK_FRAMES, count) - 1) * hop
        parts = [wave[begin : last + frame] for wave in waves]
        views = [np.lib.stride_tricks.sliding_window_view(part, frame)[::hop] for part in parts]
        yield [np.abs(np.fft.rfft(view * hann(frame))) for view in views]


@functools.cache
def hann(length: int) -> Array:
    """Periodic Hann window, ``(length,)``."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


METRICS = (
    Metric(
        MetricInfo(
            column="log_spectral_distance",
            label="LSD",
            unit="dB",
            direction="down",
            minimum=0.0,
            maximum=None,
            sample_rates=(),
            minimum_seconds=0.032,
            implementation="synbench",
            version="1",
            by_stretches=True,
            mode="Hann 32 ms, hop 8 ms, floor -100 dB, whole band",
            licence="MIT",
            cpu_seconds_per_audio_second=0.002,
            source="Gray and Markel 1976, doi:10.1109/TASSP.1976.1162849",
        ),
        log_spectral_distance,
    ),
    Metric(
        MetricInfo(
            column="mel_distance",
            label="Mel distance",
            unit="",
            direction="down",
            minimum=0.0,
            maximum=None,
            sample_rates=(16000,),
            minimum_seconds=0.064,
            implementation="synbench",
            version="1",
            by_stretches=True,
            mode="L1 of log magnitude, 80 bands, 1024/256 at 16 kHz, floor 1e-5",
            licence="MIT",
            cpu_seconds_per_audio_second=0.002,
            source="Kong et al. 2020, arXiv:2010.05646",
        ),
        mel_distance,
    ),
    Metric(
        MetricInfo(
            column="mrstft_distance",
            label="MR-STFT",
            unit="",
            direction="down",
            minimum=0.0,
            maximum=None,
            sample_rates=(16000,),
            minimum_seconds=0.07,
            implementation="synbench",
            version="1",
            by_stretches=True,
            mode="512/240/50, 1024/600/120, 2048/1200/240 at 16 kHz, power floor 1e-8",
            licence="MIT",
            cpu_seconds_per_audio_second=0.01,
            source="Yamamoto et al. 2020, doi:10.1109/ICASSP40776.2020.9053795",
        ),
        multi_resolution_distance,
    ),
)
