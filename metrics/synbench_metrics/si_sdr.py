"""SI-SDR: scale-invariant signal-to-distortion ratio.

Conventions
    reference, degraded   mono, ``(samples,)``, equal length, any rate
    value                 dB, unbounded, bigger is better

With ``s`` and ``e`` the waves less their means, the distortion is what of ``e`` is not a multiple
of ``s``::

    a = <e, s> / <s, s>        value = 10 log10( |a s|^2 / |e - a s|^2 )

Neither the level, the polarity nor a constant offset of the degraded wave matters. A delay does:
one sample at 16 kHz can halve the value of a good codec, so compensate it before.

Reference:
    J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR - half-baked or well done?", ICASSP 2019.
"""

from __future__ import annotations

import math

import numpy as np

from synbench_base.errors import NotApplicable
from synbench_metrics._interface import Metric, MetricInfo, Wave

# A residual this far below its signal in energy (-290 dB) is the rounding of float64.
ROUNDING = (16 * np.finfo(np.float64).eps) ** 2

__all__ = ["METRICS", "scale_invariant_ratio"]


def scale_invariant_ratio(*, reference: Wave, degraded: Wave, sample_rate: int) -> float:
    """SI-SDR in dB.

    Raises:
        NotApplicable: a wave is constant, the degraded one is a multiple of the reference (the
            ratio is infinite), or the two are orthogonal (it is minus infinity).
    """
    signal = _varying("reference", reference)
    estimate = _varying("degraded", degraded)
    target = np.dot(estimate, signal) / np.dot(signal, signal) * signal
    distortion = estimate - target
    energy, target_energy = float(np.dot(estimate, estimate)), float(np.dot(target, target))
    distortion_energy = float(np.dot(distortion, distortion))
    if distortion_energy <= ROUNDING * energy:
        raise NotApplicable("infinite: degraded is a multiple of the reference")
    if target_energy <= ROUNDING * energy:
        raise NotApplicable("minus infinite: degraded holds nothing of the reference")
    return 10 * math.log10(target_energy / distortion_energy)


def _varying(name: str, wave: Wave) -> Wave:
    """The wave less its mean, ``(samples,)``; a constant one is not applicable."""
    centred = np.asarray(wave, dtype=np.float64) - np.mean(wave, dtype=np.float64)
    if np.dot(centred, centred) <= ROUNDING * np.dot(wave, wave):
        raise NotApplicable(f"{name} is constant")
    return centred


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
            mode="mean removed",
            licence="MIT",
            cpu_seconds_per_audio_second=0.0001,
            source="Le Roux et al. 2019, doi:10.1109/ICASSP.2019.8683855",
        ),
        scale_invariant_ratio,
    ),
)
