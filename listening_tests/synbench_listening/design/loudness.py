"""Equal loudness within a trial, by ITU-R BS.1770 as pyloudnorm implements it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.errors import ItemError
from synbench_base.packages import import_extra

SHORTEST_SECONDS = 0.4
# Highest sample, so that 24-bit rounding and the fades of a browser stay below full scale.
HIGHEST_PEAK = 10 ** (-0.1 / 20)

__all__ = ["Levelled", "equalise", "measure_lufs"]


@dataclass(frozen=True, kw_only=True)
class Levelled:
    """A wave and what was done to it."""

    wave: NDArray[np.float64]
    gain_db: float
    lufs: float


def measure_lufs(wave: NDArray[Any], *, sample_rate: int) -> float:
    """Integrated loudness in LUFS of a wave, shape ``(samples,)`` or ``(samples, channels)``.

    Raises:
        ItemError: shorter than 0.4 s, or so quiet that nothing passes the gate.
    """
    pyloudnorm = import_extra("pyloudnorm", extra="listening")
    if len(wave) < SHORTEST_SECONDS * sample_rate:
        raise ItemError(f"loudness needs {SHORTEST_SECONDS} s, got {len(wave) / sample_rate:.2f} s")
    lufs = float(pyloudnorm.Meter(sample_rate).integrated_loudness(np.asarray(wave, np.float64)))
    if not np.isfinite(lufs):
        raise ItemError("silent: no block of it is above -70 LUFS")
    return lufs


def equalise(
    waves: Mapping[str, NDArray[np.float64]], *, sample_rate: int, target_lufs: float
) -> dict[str, Levelled]:
    """Bring all waves of one trial to one loudness, each by one constant gain.

    If a peak would pass full scale, the whole trial is lowered by the same amount.

    Raises:
        ItemError: one is silent or too short; the message names it.
    """
    measured = {}
    for name, wave in waves.items():
        try:
            measured[name] = measure_lufs(wave, sample_rate=sample_rate)
        except ItemError as error:
            raise ItemError(f"{name}: {error}") from error
    gains = {name: target_lufs - lufs for name, lufs in measured.items()}
    highest = max(
        float(np.max(np.abs(wave))) * 10 ** (gains[name] / 20) for name, wave in waves.items()
    )
    lower = min(0.0, 20 * float(np.log10(HIGHEST_PEAK / highest)))
    return {
        name: Levelled(
            wave=wave * 10 ** ((gains[name] + lower) / 20),
            gain_db=gains[name] + lower,
            lufs=target_lufs + lower,
        )
        for name, wave in waves.items()
    }
