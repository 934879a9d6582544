"""SI-SDR: scale-invariant signal-to-distortion ratio.

Conventions
    reference, degraded   mono, ``(samples,)``, equal length, any rate
    value                 dB, unbounded, bigger is better

With ``s`` and ``e`` the waves less their means, the distortion is what of ``e`` is not a multiple
of ``s``::

    a = <e, s> / <s, s>        value = 10 log10( |a s|^2 / |e - a s|^2 )

Neither the level, the polarity nor a constant offset of the degraded wave matters. A delay does:
one sample at 16 kHz can halve the value of a good codec, so compensate it before.

Pitfalls
    - It compares waveforms. Parametric and generative codecs keep none and get values far below
      0 dB, however good they sound. Use it for waveform codecs, or to check an alignment.

Reference:
    J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR - half-baked or well done?", ICASSP 2019.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from synbench_base.errors import NotApplicable
from synbench_base.long_wave import on_disk
from synbench_metrics._interface import Metric, MetricInfo, Wave

BLOCK_SAMPLES = 2**22  # samples: 4.4 minutes at 16 kHz, 32 MiB
# A residual this far below its signal in energy (-290 dB) is the rounding of float64.
ROUNDING_ENERGY = (16 * np.finfo(np.float64).eps) ** 2

__all__ = ["METRICS", "scale_invariant_ratio"]


def scale_invariant_ratio(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """SI-SDR in dB.

    Raises:
        NotApplicable: a wave is constant, the degraded one is a multiple of the reference (the
            ratio is infinite), or the two are orthogonal (it is minus infinity).
    """
    means = _varying("reference", reference), _varying("degraded", degraded)
    energy = product = signal_energy = 0.0
    for signal, estimate in _centred(reference, degraded, means):
        energy += float(np.dot(estimate, estimate))
        product += float(np.dot(estimate, signal))
        signal_energy += float(np.dot(signal, signal))
    target_energy = distortion_energy = 0.0
    for signal, estimate in _centred(reference, degraded, means):
        target = product / signal_energy * signal
        distortion = estimate - target
        target_energy += float(np.dot(target, target))
        distortion_energy += float(np.dot(distortion, distortion))
    if distortion_energy <= ROUNDING_ENERGY * energy:
        raise NotApplicable("infinite: degraded is a multiple of the reference")
    if target_energy <= ROUNDING_ENERGY * energy:
        raise NotApplicable("minus infinite: degraded holds nothing of the reference")
    return 10 * math.log10(target_energy / distortion_energy)


def _varying(name: str, wave: Wave) -> float:
    """The mean of a wave; a constant one is not applicable."""
    mean = _mean(wave)
    energy = sum(float(np.dot(part, part)) for (part,) in _blocks(wave))
    centred = sum(float(np.dot(part - mean, part - mean)) for (part,) in _blocks(wave))
    if centred <= ROUNDING_ENERGY * energy:
        raise NotApplicable(f"{name} is constant")
    return mean


def _mean(wave: Wave) -> float:
    if on_disk(wave):
        return sum(float(np.sum(part)) for (part,) in _blocks(wave)) / wave.size
    return float(np.mean(wave, dtype=np.float64))


def _centred(
    reference: Wave, degraded: Wave, means: tuple[float, float]
) -> Iterator[tuple[Wave, Wave]]:
    """Both waves less their means, stretch by stretch."""
    for first, second in _blocks(reference, degraded):
        yield first - means[0], second - means[1]


def _blocks(*waves: Wave) -> Iterator[list[Wave]]:
    """Stretches that bound the memory, each ``(samples,)``; most waves are one."""
    for start in range(0, waves[0].size, BLOCK_SAMPLES):
        yield [np.asarray(wave[start : start + BLOCK_SAMPLES], dtype=np.float64) for wave in waves]


METRICS = (
    Metric(
        MetricInfo(
            column="si_sdr",
            label="SI-SDR",
            unit="dB",
            direction="up",
            minimum=None,
            maximum=None,
            sample_rates=(),
            implementation="synbench",
            version="1",
            by_stretches=True,
            mode="mean removed",
            licence="MIT",
            cpu_seconds_per_audio_second=0.0001,
            source="Le Roux et al. 2019, doi:10.1109/ICASSP.2019.8683855",
        ),
        scale_invariant_ratio,
    ),
)
