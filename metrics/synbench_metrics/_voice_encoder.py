"""The speaker encoder of Resemblyzer: its weights, our arithmetic.

Conventions
    wave     mono float64, ``(samples,)``, 16 kHz
    vector   ``(256,)``, length 1, no negative value

A wave below -30 dB of full scale is raised to it, cut into stretches of 1.6 s (1.3 a second), and
the mean of their embeddings is brought to length 1. The package shortens silences first, by a voice
activity detector; here the whole wave is heard. The mel spectrum
is not logarithmic, so level does matter.

The weights lie inside the package ``resemblyzer``, which is not imported: as installed it does not
work with today's setuptools, and it would bring librosa and numba.

Reference:
    L. Wan et al., "Generalized End-to-End Loss for Speaker Verification", ICASSP 2018.
"""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synbench_base.packages import package_content, pip_install
from synbench_metrics._torch import device, load_strictly
from synbench_metrics.spectral_distance import mel_filters

Array = NDArray[np.float64]

WEIGHTS = "pretrained.pt"
WEIGHTS_SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
INSTALL_LINE = pip_install("--no-deps resemblyzer==0.1.4")
RATE, FRAME, HOP, BANDS = 16000, 400, 160, 40
STRETCH_FRAMES = 160  # frames, 1.6 s
STEP_FRAMES = 77  # frames, 1.3 stretches a second
COVERED_SHARE = 0.75  # share of the last stretch that must hold sound
LOWEST_LEVEL = 10 ** (-30 / 20)

__all__ = ["INSTALL_LINE", "WEIGHTS", "WEIGHTS_SHA256", "embed"]


class _Encoder(nn.Module):
    """Mel spectra ``(batch, 160, 40)`` to vectors ``(batch, 256)``."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(BANDS, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        """One vector of length 1 per spectrum."""
        _, (hidden, _) = self.lstm(mels)
        return nn.functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1)


def embed(wave: Array) -> Array:
    """The vector of a speaker's wave."""
    level = float(np.sqrt(np.mean(wave**2)))
    mels = _stretches(wave * (LOWEST_LEVEL / level) if level < LOWEST_LEVEL else wave)
    with torch.inference_mode():
        vectors = _encoder()(torch.from_numpy(mels.astype(np.float32)).to(device()))
    mean: Array = vectors.cpu().numpy().astype(np.float64).mean(axis=0)
    return mean / np.linalg.norm(mean)


def _stretches(wave: Array) -> Array:
    """Mel spectra of the stretches, ``(stretches, 160, 40)``."""
    frames = -(-(wave.size + 1) // HOP)
    starts = list(range(0, max(1, frames - STRETCH_FRAMES + STEP_FRAMES + 1), STEP_FRAMES))
    covered = (wave.size - starts[-1] * HOP) / (STRETCH_FRAMES * HOP)
    if covered < COVERED_SHARE and len(starts) > 1:
        starts.pop()
    end = (starts[-1] + STRETCH_FRAMES) * HOP
    padded = np.pad(np.pad(wave, (0, max(0, end - wave.size))), FRAME // 2)
    cut = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    power = np.abs(np.fft.rfft(cut * window)) ** 2
    mels = power @ mel_filters(RATE, FRAME, BANDS)
    return np.stack([mels[start : start + STRETCH_FRAMES] for start in starts])


@functools.cache
def _encoder() -> Any:
    """The network, built once per process."""
    content = io.BytesIO(
        package_content("resemblyzer", WEIGHTS, WEIGHTS_SHA256, advice=INSTALL_LINE)
    )
    state = torch.load(content, map_location="cpu", weights_only=True)["model_state"]
    # The scale and offset of training's loss lie in the file too.
    kept = {name: value for name, value in state.items() if not name.startswith("similarity_")}
    return load_strictly(_Encoder, kept, "resemblyzer")
