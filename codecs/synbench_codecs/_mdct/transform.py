"""The orthonormal modified discrete cosine transform with a sine window.

A frame spans two hops. Frames lie 40 samples apart, the wave has one hop of zeros on both sides, an
unfilled tail is dropped: ``T`` samples give ``floor(T / hop) + 1`` frames.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["MDCT"]


class MDCT(nn.Module):
    """Forward and inverse transform of ``bins`` coefficients per frame."""

    basis: Tensor

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bins = bins
        # float64, because the cosine's argument grows to some hundreds.
        n = torch.arange(2 * bins, dtype=torch.float64)[:, None]
        k = torch.arange(bins, dtype=torch.float64)[None, :]
        window = torch.sin(math.pi * (n + 0.5) / (2 * bins))
        kernel = torch.cos(math.pi / bins * (n + 0.5 + bins / 2) * (k + 0.5))
        basis = math.sqrt(2 / bins) * window * kernel
        self.register_buffer("basis", basis.to(torch.float32), persistent=False)

    def forward(self, wave: Tensor) -> Tensor:
        """Coefficients (B, bins, F) of waves (B, T)."""
        padded = nn.functional.pad(wave, (self.bins, self.bins))
        frames = padded.unfold(-1, 2 * self.bins, self.bins)
        return (frames @ self.basis).transpose(1, 2)

    def inverse(self, coefficients: Tensor) -> Tensor:
        """Waves (B, (F - 1) * bins) of coefficients (B, bins, F)."""
        frames = coefficients.transpose(1, 2) @ self.basis.T
        overlapped = frames[:, 1:, : self.bins] + frames[:, :-1, self.bins :]
        return overlapped.flatten(1)
