"""Level, rate, delay and length: decided here, once, before any metric, and written into results.

reference       the item as recorded, channels averaged, at the corpus's rate; level unchanged
decoded wave    declared delay removed, resampled to the reference's rate, cut or zero-filled to the
                reference's length, clipped at full scale; each change is counted in the row
metric input    both waves resampled to the metric's rate, clipped at full scale

A wave may be a :class:`~synbench_base.long_wave.LongWave`: the rules are the same, and so are the
numbers, but for the rounding of sums.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from synbench.audio import read_audio, resample, resampled_parts, resampler_name
from synbench.errors import ItemError
from synbench.lag import correlate, lag_profile
from synbench_base.long_wave import LongWave, on_disk, stretches

VERSION = 1
# A decoder that overshoots by more than 6 dB is no overshoot but another scale.
HIGHEST_PEAK = 2.0
ENVELOPE_SECONDS = 0.01
LEVELS_AT_ONCE = 2**14
# Below this height of the correlation peak its lag means nothing.
TRUSTED_CORRELATION = 0.5

Wave = NDArray[np.float64]

__all__ = [
    "Aligned",
    "align",
    "at_rate",
    "check",
    "compared",
    "describe",
    "fit",
    "policy_id",
    "read_reference",
]


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """A decoded wave brought onto its reference.

    Attributes:
        wave: same shape and rate as the reference.
        clipped_samples: how many were beyond full scale.
        filled_samples: how many zeros the end needed.
        surplus_seconds: how much longer than the reference it was; negative where it was filled.
        lag_seconds: what lag is left, by cross-correlation; positive when the wave is late.
        correlation: height of that correlation peak, 0 to 1; a low one makes the lag meaningless.
        anticorrelation: the same of the wave turned upside down.
        envelope_correlation: of the levels of both, every 10 ms, -1 to 1; high for every codec of
            speech, also where the waveforms differ, and low for another utterance.
        level_db: level less that of the reference, dB; minus infinity for silence.
        dc_offset: mean of the wave less that of the reference, in units of the wave's level.
        lag_profile: what :func:`synbench.lag.common_lag` needs of this item.
    """

    wave: Wave
    clipped_samples: int
    filled_samples: int
    surplus_seconds: float
    lag_seconds: float
    correlation: float
    anticorrelation: float
    envelope_correlation: float
    level_db: float
    dc_offset: float
    lag_profile: bytes


def describe() -> dict[str, Any]:
    """The policy as it is stored with every run."""
    return {
        "version": VERSION,
        "channels": "mean",
        "level": "unchanged",
        "delay": "declared delay removed",
        "length": "cut or zero-filled to the reference",
        "full_scale": f"clipped at 1; a peak above {HIGHEST_PEAK} fails",
        "resampler": resampler_name(),
    }


def policy_id() -> str:
    """Short digest of the policy; part of every cell's key."""
    return hashlib.sha256(json.dumps(describe(), sort_keys=True).encode()).hexdigest()[:16]


def read_reference(path: Path, *, target_rate: int | None) -> tuple[Wave, int]:
    """An item's wave and rate.

    Raises:
        ItemError: absent or unreadable.
    """
    audio = read_audio(path, digest=False)
    if target_rate is None:
        return audio.wave, audio.sample_rate
    return at_rate(audio.wave, sample_rate=audio.sample_rate, to=target_rate), target_rate


def at_rate(wave: Wave, *, sample_rate: int, to: int) -> Wave:
    """The wave at another rate; overshoot that resampling made is clipped at full scale."""
    if sample_rate == to:
        return wave
    # An input beyond full scale is the metric's business to refuse; it must not be hidden here.
    limit = 1.0 if _peak(wave) <= 1.0 else math.inf
    if on_disk(wave):
        parts = resampled_parts(stretches(wave), sample_rate=sample_rate, to=to)
        return cast(Wave, LongWave(np.clip(part, -limit, limit) for part in parts))
    return np.asarray(np.clip(resample(wave, sample_rate=sample_rate, to=to), -limit, limit))


def align(
    decoded: NDArray[Any],
    *,
    sample_rate: int,
    delay_samples: int,
    reference: Wave,
    reference_rate: int,
) -> Aligned:
    """Bring a decoder's raw wave onto its reference.

    Args:
        decoded: mono, shape ``(samples,)``, at ``sample_rate``.
        delay_samples: declared lag at ``sample_rate``, removed from the front.

    Raises:
        ItemError: not mono, not finite, or so loud that the scale must be wrong.
    """
    check(decoded)
    if on_disk(decoded) or on_disk(reference):
        whole: Any = decoded
        if delay_samples or sample_rate != reference_rate or not on_disk(decoded):
            parts = stretches(decoded, start=delay_samples)
            whole = LongWave(resampled_parts(parts, sample_rate=sample_rate, to=reference_rate))
        excess = whole.size - reference.size
        if excess:
            whole = LongWave(_fitted(stretches(whole), reference.size))
        wave = cast(Wave, whole if on_disk(reference) else np.asarray(whole))
    else:
        rest = np.asarray(decoded[delay_samples:], dtype=np.float64)
        wave = resample(rest, sample_rate=sample_rate, to=reference_rate)
        excess = wave.size - reference.size
        wave = fit(wave, n_samples=reference.size)
    return compared(wave, reference=reference, sample_rate=reference_rate, excess=excess)


def _fitted(parts: Iterator[NDArray[Any]], samples: int) -> Iterator[NDArray[Any]]:
    """The parts cut, or followed by zeros, to exactly so many samples."""
    left = samples
    for part in itertools.chain(parts, itertools.repeat(np.zeros(2**20))):
        if not left:
            return
        yield part[:left]
        left -= min(part.size, left)


def compared(wave: Wave, *, reference: Wave, sample_rate: int, excess: int) -> Aligned:
    """What is said of a wave that has the rate and the length of its reference.

    Args:
        excess: how many samples were cut off its end; negative where zeros were added.
    """
    waveforms = correlate(reference, wave, sample_rate)
    lag, correlation = waveforms.lag, waveforms.height
    late = round(lag * sample_rate) if correlation > TRUSTED_CORRELATION else 0
    level = _level(wave)
    clipped = sum(int(np.count_nonzero(np.abs(part) > 1.0)) for part in stretches(wave))
    return Aligned(
        wave=_clipped(wave) if clipped else wave,
        clipped_samples=clipped,
        filled_samples=max(0, -excess),
        surplus_seconds=excess / sample_rate,
        lag_seconds=lag,
        correlation=correlation,
        anticorrelation=waveforms.depth,
        envelope_correlation=_envelope_correlation(reference, wave, sample_rate, late),
        level_db=_decibels(level, _level(reference)),
        dc_offset=(_mean(wave) - _mean(reference)) / level if level else 0.0,
        lag_profile=lag_profile(reference, wave, waveforms),
    )


def _clipped(wave: Wave) -> Wave:
    if on_disk(wave):
        return cast(Wave, LongWave(np.clip(part, -1.0, 1.0) for part in stretches(wave)))
    return np.clip(wave, -1.0, 1.0)


def fit(wave: Wave, *, n_samples: int) -> Wave:
    """The wave cut, or filled with zeros at its end, to exactly ``n_samples``."""
    missing = n_samples - wave.size
    return np.pad(wave, (0, missing)) if missing > 0 else wave[:n_samples]


def check(decoded: NDArray[Any]) -> None:
    """Refuse what no decoder may return.

    Raises:
        ItemError: not mono, not finite, or so loud that the scale must be wrong.
    """
    if decoded.ndim != 1:
        raise ItemError(f"the decoder returned shape {decoded.shape}, expected (samples,)")
    if not all(np.isfinite(part).all() for part in stretches(decoded)):
        raise ItemError("the decoder returned NaN or infinity")
    peak = _peak(decoded)
    if peak > HIGHEST_PEAK:
        raise ItemError(f"the decoder's peak is {peak:.4g}, expected at most 1: wrong scale?")


def _peak(wave: NDArray[Any]) -> float:
    return max((float(np.max(np.abs(part))) for part in stretches(wave)), default=0.0)


def _level(wave: Wave) -> float:
    """Root mean square about the mean."""
    if not wave.size:
        return 0.0
    if on_disk(wave):
        mean = _mean(wave)
        energy = sum(float(np.sum((part - mean) ** 2)) for part in stretches(wave))
        return math.sqrt(energy / wave.size)
    return float(np.std(wave))


def _mean(wave: Wave) -> float:
    if on_disk(wave):
        return sum(float(np.sum(part)) for part in stretches(wave)) / wave.size
    return float(np.mean(wave))


def _decibels(level: float, reference: float) -> float:
    if not reference:
        return 0.0
    return 20 * math.log10(level / reference) if level else -math.inf


def _envelope_correlation(reference: Wave, wave: Wave, sample_rate: int, late: int) -> float:
    """Correlation of the levels of both in short stretches, the wave moved by its lag."""
    length = round(ENVELOPE_SECONDS * sample_rate)
    levels = []
    count = (reference.size - abs(late)) // length
    for each, start in ((reference, max(0, -late)), (wave, max(0, late))):
        # The rows of a long wave are taken some at a time.
        borders = [*range(0, count, LEVELS_AT_ONCE), count]
        rows = (
            each[start + first * length : start + last * length].reshape(-1, length)
            for first, last in itertools.pairwise(borders)
        )
        levels.append(np.concatenate([np.zeros(0), *(np.std(row, axis=1) for row in rows)]))
    first, second = (each - each.mean() if each.size else each for each in levels)
    scale = float(np.sqrt(np.dot(first, first) * np.dot(second, second)))
    return float(np.dot(first, second)) / scale if scale else 0.0
