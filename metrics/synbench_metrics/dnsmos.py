"""DNSMOS: predicted quality of a wave alone, by the networks of P.835 and P.808; and PLCMOS.

Conventions
    degraded      mono, ``(samples,)``, full scale at -1 and 1; its level matters and is not changed
    sample_rate   16 kHz only
    value         predicted MOS, about 1 to 5, bigger is better

=================  =====================================================
``dnsmos_ovrl``    P.835, overall                 ``dnsmos_sig``  speech
``dnsmos_bak``     P.835, background              ``dnsmos_p808`` P.808
``plcmos``         concealment of lost packets
=================  =====================================================

DNSMOS hears windows of 9.01 s, one every second, and takes their mean. A shorter wave is repeated
until it is long enough; of a wave of 10 s the last second is not heard. 20 dB less level cost 0.3
to 0.8, so tools that normalise the peak first print other numbers than these.

Up to 16 s the scores are those of the program that came with the networks. It computes the end of
a window in floating point: the windows that begin at 7 to 23 s come out one sample short, and short
ones are left out, so of a wave of 30 s it hears 16. Here every window counts. The scores of long
waves differ for that, by up to 0.117 where it was seen (P.808). The metric's identity says so.

PLCMOS asks 15 raters, random vectors. They are drawn once from a fixed seed, which is part of the
metric's identity, so the score is the same every time.

The networks are those inside the package ``speechmos``; it is not imported, so what it would need
beside onnxruntime is not needed here.

Pitfalls
    - There is no original: wrong words, another voice or a lost ending cost nothing.
    - It was made for noise suppression. A codec that removes the noise of a recording can score
      above the original.
    - Differences between codecs are small beside those between recordings: compare pairs.

References:
    C. K. A. Reddy et al., "DNSMOS P.835", ICASSP 2022; "DNSMOS", ICASSP 2021. L. Diener et al.,
    "PLCMOS", Interspeech 2023.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.long_wave import on_disk
from synbench_base.packages import installed_version, package_content, requires
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._onnx import run, session
from synbench_metrics._packages import INSTALL
from synbench_metrics._remember import remember
from synbench_metrics.spectral_distance import mel_filters

Array = NDArray[np.float64]

RATE = 16000
WINDOW_SAMPLES = 144160  # samples, 9.01 s
P835 = "dnsmos_models/sig_bak_ovr.onnx"
P835_SHA256 = "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd"
P808 = "dnsmos_models/model_v8.onnx"
P808_SHA256 = "9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91"
PLC = "plcmos_models/plcmos_v2.onnx"
PLC_SHA256 = "c0ad3fc64ef9682b4749c0e96636b41c73b4b30bd123b9348feea06a96895286"
# From the network's output to the scale of P.835: speech, background, overall.
CURVES = (
    (-0.08397278, 1.22083953, 0.0052439),
    (-0.13166888, 1.60915514, -0.39604546),
    (-0.06766283, 1.11546468, 0.04602535),
)
MEL_POINTS, MEL_HOP, MEL_BANDS = 321, 160, 120
RATERS, RATER_SEED = 15, 20230824
HEARD = (
    "level unchanged, all windows of 9.01 s (above 16 s the program of its authors leaves some out)"
)
PLC_FRAME, PLC_HOP = 512, 256  # samples

__all__ = ["METRICS", "concealment", "p808", "p835", "windows"]


def p835(*, degraded: Wave, sample_rate: int, scale: int) -> float:
    """Predicted MOS of P.835; ``scale`` is 0 for speech, 1 background, 2 overall."""
    wave = degraded if on_disk(degraded) else np.ascontiguousarray(degraded)
    return float(_p835(wave)[scale])


def p808(*, degraded: Wave, sample_rate: int) -> float:
    """Predicted MOS of P.808."""
    network = _session(P808, P808_SHA256)
    opinions = [run(network, input_1=_mels(each[:-160])[None]) for each in windows(degraded)]
    return float(np.mean(opinions))


def concealment(*, degraded: Wave, sample_rate: int) -> float:
    """PLCMOS, the mean over fixed raters."""
    network, raters = _session(PLC, PLC_SHA256), _raters()
    spectrum = _plc_features(degraded)[None, None]
    return float(np.mean([run(network, degraded_audio=spectrum, rater_embed=r) for r in raters]))


def windows(wave: Wave) -> Iterator[Wave]:
    """Stretches of 9.01 s, ``(144160,)``, one every second, of a wave repeated to that length."""
    while wave.size < WINDOW_SAMPLES:
        wave = np.concatenate([wave, wave])
    count = int(wave.size // RATE - WINDOW_SAMPLES / RATE) + 1
    for start in range(0, count * RATE, RATE):
        if start + WINDOW_SAMPLES <= wave.size:
            yield wave[start : start + WINDOW_SAMPLES]


@remember(entries=1)
def _p835(wave: Array) -> Array:
    """Speech, background, overall, ``(3,)``: one pass for the three columns."""
    network = _session(P835, P835_SHA256)
    raw = np.stack([run(network, input_1=each[None])[0] for each in windows(wave)])
    mapped = [np.polyval(curve, raw[:, curve_index]) for curve_index, curve in enumerate(CURVES)]
    p835: Array = np.mean(mapped, axis=1)
    return p835


def _mels(wave: Wave) -> Array:
    """Log-mel spectrogram relative to its peak, ``(frames, 120)``."""
    padded = np.pad(wave, MEL_POINTS // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, MEL_POINTS)[::MEL_HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(MEL_POINTS) / MEL_POINTS)
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    mels = power @ mel_filters(RATE, MEL_POINTS, MEL_BANDS)
    decibels = 10 * np.log10(np.maximum(mels, 1e-10) / max(float(mels.max()), 1e-10))
    scaled: Array = (np.maximum(decibels, -80.0) + 40) / 40
    return scaled


def _plc_features(wave: Wave) -> Array:
    """Log spectrum of PLCMOS, ``(frames, 257)``."""
    frames = -(-(wave.size + PLC_FRAME - PLC_HOP) // PLC_HOP)
    padded = np.zeros((frames - 1) * PLC_HOP + PLC_FRAME)
    padded[PLC_FRAME - PLC_HOP :][: wave.size] = wave
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(PLC_FRAME) / PLC_FRAME)
    cut = np.lib.stride_tricks.sliding_window_view(padded, PLC_FRAME)[::PLC_HOP]
    power = np.abs(np.fft.rfft(cut * window)) ** 2
    lowest = float(power[power > 0].min())
    # What is exactly zero lies 120 dB below the smallest value that is not.
    levels: Array = np.log(np.where(power > 0, power, lowest * 1e-12)) / 20
    return levels


@functools.cache
def _raters() -> Array:
    """Vectors of the raters, ``(15, 1, 64)``, always the same."""
    return np.random.default_rng(RATER_SEED).standard_normal((RATERS, 1, 64))


@functools.cache
def _session(file: str, sha256: str) -> Any:
    return session(package_content("speechmos", file, sha256, advice=INSTALL))


def _checks(file: str, sha256: str) -> Callable[[], None]:
    runtime = requires(onnxruntime="onnxruntime", advice=INSTALL)

    def check() -> None:
        runtime()
        package_content("speechmos", file, sha256, advice=INSTALL)

    return check


def _info(column: str, label: str, mode: str, sha256: str, cost: float, source: str) -> MetricInfo:
    return MetricInfo(
        column=column,
        label=label,
        unit="MOS",
        direction="up",
        minimum=None,
        maximum=None,
        sample_rates=(RATE,),
        needs=frozenset(),
        minimum_seconds=0.25,
        implementation="synbench",
        version="1",
        # PLCMOS takes the whole spectrum at once.
        longest_seconds=1800.0 if column == "plcmos" else None,
        by_stretches=column != "plcmos",
        mode=f"{mode}, onnxruntime {installed_version('onnxruntime')}",
        weights_sha256=sha256,
        licence="MIT; model MIT (microsoft/SpeechMOS)",
        cpu_seconds_per_audio_second=cost,
        source=source,
        training_data=("DNS Challenge",),
    )


METRICS = (
    *(
        Metric(
            _info(
                f"dnsmos_{name}",
                f"DNSMOS {name.upper()}",
                f"P.835, {HEARD}",
                P835_SHA256,
                cost,
                "Reddy et al. 2022, doi:10.1109/ICASSP43922.2022.9746108",
            ),
            functools.partial(p835, scale=scale),
            _checks(P835, P835_SHA256),
        )
        # One pass gives all three; it is paid for by the first column of a suite.
        for name, scale, cost in (("ovrl", 2, 0.1), ("sig", 0, 0.001), ("bak", 1, 0.001))
    ),
    Metric(
        _info(
            "dnsmos_p808",
            "DNSMOS P.808",
            f"P.808, {HEARD}",
            P808_SHA256,
            0.01,
            "Reddy et al. 2021, doi:10.1109/ICASSP39728.2021.9414878",
        ),
        p808,
        _checks(P808, P808_SHA256),
    ),
    Metric(
        _info(
            "plcmos",
            "PLCMOS",
            f"version 2, {RATERS} raters of seed {RATER_SEED}",
            PLC_SHA256,
            0.09,
            "Diener et al. 2023, doi:10.21437/Interspeech.2023-1532",
        ),
        concealment,
        _checks(PLC, PLC_SHA256),
    ),
)
