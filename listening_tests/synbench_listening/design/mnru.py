"""Speech with noise that follows it: the modulated noise reference unit of ITU-T P.810.

Every sample gets noise in proportion to itself, so that ``Q``, the ratio of speech to noise in dB,
is the same for loud and soft speech. Conditions of known Q spread a listening test's scale and let
results of different tests be compared. The unit's band-pass filters for telephone speech are left
out: the whole band of the recording is kept.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["mnru", "mnru_label"]


def mnru(wave: NDArray[np.float64], *, q_db: float, seed: str) -> NDArray[np.float64]:
    """The wave with its noise, of the same length; the seed makes it the same every time."""
    generator = np.random.default_rng(list(seed.encode()))
    noise = generator.standard_normal(wave.shape)
    noisy: NDArray[np.float64] = wave * (1 + 10 ** (-q_db / 20) * noise)
    return noisy


def mnru_label(q_db: float) -> str:
    """The name of the condition, such as ``MNRU 20 dB``."""
    return f"MNRU {q_db:g} dB"
