"""SIGMOS: seven predicted opinions (P.804) of a full-band wave alone.

Conventions
    degraded      mono, ``(samples,)``, full scale at -1 and 1
    sample_rate   48 kHz only; other material is resampled by the bench, not by the FFT method of
                  the published script
    value         predicted MOS, about 1 to 5, bigger is better

Shape letters
    N  samples     F  frames of 960 samples, every 480     B  bins, 481

The authors call the estimator an alpha version. The order of the outputs is coloration,
discontinuity, loudness, noise, reverberation, signal, overall; that noise comes fourth is inferred
from other tools, which leave it out.

Pitfalls
    - There is no original: wrong words or another voice cost nothing.
    - It hears 48 kHz. Material of 16 kHz is judged for the band that it lacks.

References:
    B. Naderi, R. Cutler, N.-C. Ristea, "Multi-dimensional speech quality assessment in
    crowdsourcing" (P.804), and the ICASSP 2024 Speech Signal Improvement challenge,
    arXiv:2309.07385.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.packages import installed_version, requires
from synbench_base.weights import Checkpoint, WeightsSource
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._onnx import run, session
from synbench_metrics._packages import INSTALL
from synbench_metrics._remember import remember
from synbench_metrics._weights import find, has_weights
from synbench_metrics.spectral_distance import hann

Array = NDArray[np.float64]

FRAME, HOP = 960, 480
POWER_FLOOR = 1e-12  # of the power of a bin
SCALES = ("col", "disc", "loud", "noise", "reverb", "sig", "ovrl")
CHECKPOINT = Checkpoint(
    name="sigmos",
    files=(
        WeightsSource(
            repository="github.com/microsoft/SIG-Challenge",
            revision="main",
            file="ICASSP2024/sigmos/model-sigmos_1697718653_41d092e8-epo-200.onnx",
        ),
    ),
    licence="MIT",
    note="no digest is published: the first file that is fetched pins it",
)

__all__ = ["CHECKPOINT", "METRICS", "features", "opinion"]


def opinion(*, degraded: Wave, sample_rate: int, scale: int) -> float:
    """One of the seven predicted MOS.

    Raises:
        Unavailable: the network is absent or another one.
    """
    return float(_opinions(np.ascontiguousarray(degraded, dtype=np.float64))[scale])


@remember(entries=1)
def _opinions(wave: Array) -> Array:
    """All of them, ``(7,)``: one pass for the seven columns."""
    network = _network()
    (entry,) = network.get_inputs()
    opinions: Array = run(network, **{entry.name: features(wave)[None]})[0]
    return opinions


def features(wave: Wave) -> Array:
    """Compressed spectrum of a wave ``(N,)``: magnitude, real and imaginary part, ``(3, F, B)``.

    The magnitude is raised to 0.3, the phase is kept.
    """
    rest = wave.size % HOP or HOP
    padded = np.pad(wave, (HOP, FRAME - rest))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    spectrum = np.fft.rfft(frames * np.sqrt(hann(FRAME)))
    power = np.maximum(spectrum.real**2 + spectrum.imag**2, POWER_FLOOR)
    compressed = spectrum * power**-0.35
    return np.stack([power**0.15, compressed.real, compressed.imag])


@functools.cache
def _network() -> Any:
    (path,) = find(CHECKPOINT)
    return session(str(path))


METRICS = tuple(
    Metric(
        MetricInfo(
            column=f"sigmos_{name}",
            label=f"SIGMOS {name.upper()}",
            unit="MOS",
            direction="up",
            minimum=None,
            maximum=None,
            sample_rates=(48000,),
            needs=frozenset(),
            minimum_seconds=0.25,
            longest_seconds=600.0,  # the network takes the whole spectrum at once
            implementation="synbench",
            version="1",
            mode=f"SIGMOS of 2023-10, onnxruntime {installed_version('onnxruntime')}",
            licence="MIT; model MIT (microsoft/SIG-Challenge)",
            # One pass gives all seven; nobody has measured it with the real network here.
            cpu_seconds_per_audio_second=0.1 if name == "ovrl" else 0.001,
            source="arXiv:2309.07385",
            training_data=("SIG Challenge",),
        ),
        functools.partial(opinion, scale=scale),
        has_weights(CHECKPOINT, requires(onnxruntime="onnxruntime", advice=INSTALL)),
        checkpoints=(CHECKPOINT,),
    )
    # The overall opinion first: it is what `sigmos` alone means.
    for scale, name in sorted(enumerate(SCALES), key=lambda each: each[1] != "ovrl")
)
