"""Damage that needs nothing but the wave: level, clipping, a low-pass filter, a lower rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, oaconvolve

from synbench.audio import resample
from synbench.errors import UsageError

Wave = NDArray[np.float64]
# Of the linear-phase low-pass filter; its transition band is about 200 Hz at 16 kHz.
LOWPASS_SECONDS = 0.016

__all__ = ["change_level", "clip_peaks", "lowpass", "through_lower_rate"]


def change_level(wave: Wave, *, level_db: float) -> Wave:
    """The wave ``level_db`` louder; what goes beyond full scale is clipped later, and counted."""
    return wave * 10 ** (level_db / 20)


def clip_peaks(wave: Wave, *, share: float) -> Wave:
    """The wave cut off at the amplitude that ``share`` of its samples exceed (0 to 1)."""
    if not 0 < share < 1:
        raise UsageError(f"expected a share of clipped samples between 0 and 1, got {share:g}")
    limit = float(np.quantile(np.abs(wave), 1 - share)) if wave.size else 0.0
    return np.clip(wave, -limit, limit)


def lowpass(wave: Wave, *, sample_rate: int, cutoff_hz: float) -> Wave:
    """The wave without what lies above ``cutoff_hz``; no delay, same length.

    Raises:
        UsageError: the cutoff is not below half the rate.
    """
    if not 0 < cutoff_hz < sample_rate / 2:
        raise UsageError(
            f"expected lowpass_hz between 0 and {sample_rate / 2:g}, got {cutoff_hz:g}"
        )
    taps = firwin(2 * round(LOWPASS_SECONDS * sample_rate / 2) + 1, cutoff_hz, fs=sample_rate)
    reach = taps.size // 2
    return oaconvolve(wave, taps)[reach : reach + wave.size]


def through_lower_rate(wave: Wave, *, sample_rate: int, lower_rate: int) -> Wave:
    """The wave resampled down to ``lower_rate`` Hz and back; same length.

    Raises:
        UsageError: the rate is not below that of the wave.
    """
    if not 0 < lower_rate < sample_rate:
        raise UsageError(f"expected resampled_from below {sample_rate} Hz, got {lower_rate} Hz")
    there = resample(wave, sample_rate=sample_rate, to=lower_rate)
    back = resample(there, sample_rate=lower_rate, to=sample_rate)
    return np.pad(back[: wave.size], (0, max(0, wave.size - back.size)))
