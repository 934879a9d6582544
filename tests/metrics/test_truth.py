"""Every expected value that others have published or computed, and our own for regression.

The kernels are called below :func:`synbench_metrics.score`, with the samples of the files as they
are: neither the rate nor the length of a pair is touched.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from synbench_metrics.visqol.columns import speech_exponential


@functools.cache
def samples(path: Path, sample_rate: int) -> np.ndarray:
    """Mono samples; where 48 kHz is wanted of a 16 kHz file, by scipy's polyphase filter."""
    wave, rate = soundfile.read(path, dtype="float64", always_2d=True)
    mono = wave.mean(axis=1)
    return mono if rate == sample_rate else resample_poly(mono, sample_rate // rate, 1)


def kernel(column: str, available) -> Callable[..., float]:
    """The function behind a column, or behind the one that is no column."""
    if column == "visqol_speech_exp_unscaled":
        return functools.partial(speech_exponential, scale=1.0)
    return available(column).compute


def test_expected_values(truth_row, truth_folder, available):
    rate = int(truth_row["sample_rate_hz"])
    waves = {
        name: samples(truth_folder / truth_row[name], rate)
        for name in ("reference", "degraded")
        if truth_row[name]
    }
    value = kernel(truth_row["metric"], available)(**waves, sample_rate=rate)
    difference = value - float(truth_row["expected"])
    assert abs(difference) <= float(truth_row["tolerance"]), f"off by {difference:.3g}"


@pytest.mark.parametrize("gain", [1.0, 7.0])
def test_si_sdr_of_an_orthogonal_tenth_is_20_db(available, gain):
    time = np.arange(16000) / 16000
    signal, orthogonal = np.sin(2 * np.pi * 50 * time), np.cos(2 * np.pi * 50 * time)
    value = available("si_sdr").compute(
        reference=signal, degraded=gain * (signal + 0.1 * orthogonal), sample_rate=16000
    )
    assert value == pytest.approx(20.0, abs=1e-6)
