"""Voice: mel-cepstral distortion, error of the fundamental frequency, voicing decisions (WORLD).

Conventions
    reference, degraded   mono, ``(samples,)``, full scale at -1 and 1, equal length
    sample_rate           16 kHz only
    frames                every 5 ms, compared one to one: no time warping, since the bench has
                          aligned the waves

Two estimators of the fundamental frequency, and each has columns of its own, because they do not
find the same: ``dio`` (with StoneMask), twenty times as fast, and ``harvest``. 71 to 800 Hz.

``mcd_<f0>``, dB, smaller is better
    Spectral envelope by CheapTrick, mel-cepstrum of order 24 (all-pass constant 0.42), without the
    coefficient of the energy, mean over all frames::

        MCD = (10 / ln 10) sqrt(2 sum over d of (c_d - c'_d)^2)

    There is no floor: a band that a codec leaves empty counts for much, so a narrow-band codec has
    15 dB and more. Compare codecs of one bandwidth.

``f0_rmse_<f0>``, Hz, smaller is better
    Over frames that are voiced in both waves; without one there is no score.

``vuv_f1_<f0>``, 0 to 1, bigger is better
    Harmonic mean of precision and recall of the voiced frames of the reference; a reference without
    a voiced frame has no score.

Pitfalls
    - A codec that loses its voice is measured by `f0_rmse` on the few frames that are left: read
      the voicing beside it.
    - Numbers of `dio` and `harvest` must not be compared with each other.

References:
    M. Morise, F. Yokomori, K. Ozawa, "WORLD", IEICE Trans. Inf. Syst. E99-D(7), 2016. R. Kubichek,
    "Mel-cepstral distance measure for objective speech quality assessment", 1993. K. Tokuda et al.,
    "Mel-generalized cepstral analysis", ICSLP 1994 (the all-pass recursion).
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import NotApplicable
from synbench_base.packages import installed_version
from synbench_metrics._interface import Metric, MetricInfo, Wave
from synbench_metrics._packages import INSTALL
from synbench_metrics._remember import remember
from synbench_metrics.errors import Unavailable

Array = NDArray[np.float64]

ORDER, ALL_PASS = 24, 0.42
FRAME_MS = 5.0
LOWEST, HIGHEST = 71.0, 800.0  # Hz
ESTIMATORS = ("dio", "harvest")
BLOCK_FRAMES = 12000  # a minute; 50 MB of envelopes
# Tracks are made of the whole wave: 1.3 MB a second by Dio, 6.7 by Harvest.
LONGEST_SECONDS = {"dio": 1800.0, "harvest": 600.0}

__all__ = [
    "METRICS",
    "cepstral_distortion",
    "check_world",
    "mel_cepstral_distortion",
    "mel_cepstrum",
    "pitch",
    "pitch_error",
    "voicing_f1",
    "voicing_score",
]


def mel_cepstral_distortion(
    *, reference: Wave, degraded: Wave, sample_rate: int, estimator: str
) -> float:
    """Mel-cepstral distortion, dB."""
    first, second = (_cepstra(_samples(w), sample_rate, estimator) for w in (reference, degraded))
    return cepstral_distortion(reference=first, degraded=second)


def pitch_error(*, reference: Wave, degraded: Wave, sample_rate: int, estimator: str) -> float:
    """Root mean square error of the fundamental frequency, Hz.

    Raises:
        NotApplicable: no frame is voiced in both waves.
    """
    first, second = (pitch(wave, sample_rate, estimator) for wave in (reference, degraded))
    both = (first > 0) & (second > 0)
    if not both.any():
        raise NotApplicable("no frame is voiced in both waves")
    return float(np.sqrt(np.mean((first[both] - second[both]) ** 2)))


def voicing_f1(*, reference: Wave, degraded: Wave, sample_rate: int, estimator: str) -> float:
    """F1 of the voiced frames.

    Raises:
        NotApplicable: the reference has no voiced frame.
    """
    first, second = (pitch(wave, sample_rate, estimator) for wave in (reference, degraded))
    return voicing_score(reference=first > 0, degraded=second > 0)


def cepstral_distortion(*, reference: Array, degraded: Array) -> float:
    """Distortion in dB of mel-cepstra ``(frames, coefficients)``; the first of them is left out."""
    squares = np.sum((reference[:, 1:] - degraded[:, 1:]) ** 2, axis=1)
    return float(np.mean(10.0 / np.log(10.0) * np.sqrt(2.0 * squares)))


def voicing_score(*, reference: NDArray[np.bool_], degraded: NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall of decisions ``(frames,)``."""
    if not reference.any():
        raise NotApplicable("the reference has no voiced frame")
    both = int(np.count_nonzero(reference & degraded))
    return 2.0 * both / (int(np.count_nonzero(reference)) + int(np.count_nonzero(degraded)))


def mel_cepstrum(power: Array, *, order: int = ORDER, all_pass: float = ALL_PASS) -> Array:
    """Mel-cepstra ``(frames, order + 1)`` of power spectra ``(frames, bins)``."""
    cepstrum = np.fft.irfft(np.log(power), axis=1)[:, : power.shape[1]]
    # Of a power spectrum half the cepstrum is that of the magnitude; the first term is no pair.
    cepstrum[:, 0] /= 2
    return cepstrum @ _warping(power.shape[1], order, all_pass)


@functools.cache
def _warping(size: int, order: int, all_pass: float) -> Array:
    """The all-pass recursion as a matrix, ``(size, order + 1)``: it is linear in the cepstrum."""
    state = np.zeros((order + 1, size))
    for step in range(size - 1, -1, -1):
        before = state.copy()
        unit = np.zeros(size)
        unit[step] = 1.0
        state[0] = unit + all_pass * before[0]
        if order >= 1:
            state[1] = (1 - all_pass**2) * before[0] + all_pass * before[1]
        for index in range(2, order + 1):
            state[index] = before[index - 1] + all_pass * (before[index] - state[index - 1])
    return np.ascontiguousarray(state.T)


def _samples(wave: Wave) -> Array:
    return np.ascontiguousarray(wave, dtype=np.float64)


def pitch(wave: Wave, sample_rate: int, estimator: str) -> Array:
    """Fundamental frequency in Hz every 5 ms, ``(frames,)``; 0 where unvoiced.

    Raises:
        Unavailable: pyworld is not installed.
    """
    return _track(_samples(wave), sample_rate, estimator)[0]


@remember(entries=3)
def _cepstra(wave: Array, sample_rate: int, estimator: str) -> Array:
    """Mel-cepstra every 5 ms, ``(frames, 25)``."""
    track, times = _track(wave, sample_rate, estimator)
    cepstra = []
    for at in range(0, track.size, BLOCK_FRAMES):
        block = slice(at, at + BLOCK_FRAMES)
        envelope = _world().cheaptrick(wave, track[block], times[block], sample_rate)
        # A frame of digital silence has no envelope; the floor is 200 dB below full scale.
        cepstra.append(mel_cepstrum(np.maximum(envelope, 1e-20)))
    return np.concatenate(cepstra)


@remember(entries=3)
def _track(wave: Array, sample_rate: int, estimator: str) -> tuple[Array, Array]:
    """Fundamental frequency in Hz and times in s, each ``(frames,)``."""
    world = _world()
    limits = {"f0_floor": LOWEST, "f0_ceil": HIGHEST, "frame_period": FRAME_MS}
    wave = wave.copy()  # the library wants to be able to write
    track, times = getattr(world, estimator)(wave, sample_rate, **limits)
    if estimator == "dio":
        track = world.stonemask(wave, track, times, sample_rate)
    return track, times


@functools.cache
def _world() -> Any:
    """The compiled module of pyworld.

    Its package imports pkg_resources, which setuptools 81 and later no longer bring, only to know
    its own version; so the module is loaded from beside it.

    Raises:
        Unavailable: pyworld is not installed, or does not load.
    """
    package = importlib.util.find_spec("pyworld")
    if package is None or package.origin is None:
        raise Unavailable(f"pyworld is not installed: {INSTALL}")
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = Path(package.origin).with_name(f"pyworld{suffix}")
        if path.is_file():
            spec = importlib.util.spec_from_file_location("pyworld.pyworld", path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except (ImportError, OSError) as error:
                raise Unavailable(f"pyworld does not load ({error}): {INSTALL}") from error
            return module
    raise Unavailable(f"pyworld in {package.origin} has no compiled module: {INSTALL}")


def check_world() -> None:
    """Whether pyworld is there.

    Raises:
        Unavailable: it is not installed, or does not load.
    """
    _world()


def _metrics(estimator: str) -> tuple[Metric, ...]:
    name = estimator.capitalize()
    # The first column of a suite pays for the track, and for the reference once per codec.
    cost = 0.03 if estimator == "dio" else 0.5
    table = (
        ("mcd", "MCD", "dB", "down", None, mel_cepstral_distortion,
         f"CheapTrick on {name}, order {ORDER}, all-pass {ALL_PASS}, all frames, no warping", cost),
        ("f0_rmse", "F0 RMSE", "Hz", "down", None, pitch_error,
         f"{name}, frames voiced in both", cost / 2),
        ("vuv_f1", "V/UV F1", "", "up", 1.0, voicing_f1, name, cost / 2),
    )  # fmt: skip
    return tuple(
        Metric(
            MetricInfo(
                column=f"{column}_{estimator}",
                label=f"{label} ({name})",
                unit=unit,
                direction="up" if direction == "up" else "down",
                minimum=0.0,
                maximum=maximum,
                sample_rates=(16000,),
                minimum_seconds=0.1,
                longest_seconds=LONGEST_SECONDS[estimator],
                implementation="pyworld",
                version=installed_version("pyworld"),
                mode=f"{mode}, {LOWEST:g} to {HIGHEST:g} Hz, every 5 ms",
                licence="MIT (pyworld), BSD-3-Clause (WORLD)",
                cpu_seconds_per_audio_second=cost,
                source="Morise et al. 2016, doi:10.1587/transinf.2015EDP7457",
            ),
            functools.partial(compute, estimator=estimator),
            check_world,
        )
        for column, label, unit, direction, maximum, compute, mode, cost in table
    )


METRICS = tuple(metric for estimator in ESTIMATORS for metric in _metrics(estimator))
