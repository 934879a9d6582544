"""Spectral losses of the codec's training.

Mean square error of MDCT coefficients, and L1 and mean square error of log-mel spectra: 80 Slaney
bands, Hann window of 320 in an FFT of 1024, hop 40, magnitude ``sqrt(power + 1e-9)``, natural
logarithm with a floor of 1e-5, unless told otherwise.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["LogMel", "mel_filters"]


class LogMel(nn.Module):
    """Log-mel spectra (B, bands, frames) of waves (B, T)."""

    filters: Tensor
    window: Tensor

    def __init__(
        self,
        *,
        sample_rate: int,
        bands: int = 80,
        n_fft: int = 1024,
        hop: int = 40,
        size: int = 320,
        floor: float = 1e-5,
    ) -> None:
        super().__init__()
        self.n_fft, self.hop, self.size, self.floor = n_fft, hop, size, floor
        filters = mel_filters(sample_rate=sample_rate, n_fft=n_fft, bands=bands)
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("window", torch.hann_window(size), persistent=False)

    def forward(self, wave: Tensor) -> Tensor:
        """Natural logarithm of mel magnitudes."""
        spectrum = torch.stft(
            wave,
            self.n_fft,
            self.hop,
            self.size,
            self.window,
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )
        magnitude = torch.sqrt(spectrum.real.square() + spectrum.imag.square() + 1e-9)
        return torch.log(torch.clamp(self.filters @ magnitude, min=self.floor))


def mel_filters(*, sample_rate: int, n_fft: int, bands: int) -> Tensor:
    """Triangular filters (bands, n_fft // 2 + 1) of unit area, on Slaney's mel scale."""
    edges = _to_hertz(torch.linspace(0, _to_mel(sample_rate / 2), bands + 2, dtype=torch.float64))
    frequency = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    width = edges.diff()
    slope = edges[:, None] - frequency[None, :]
    rising, falling = -slope[:-2] / width[:-1, None], slope[2:] / width[1:, None]
    triangles = torch.clamp(torch.minimum(rising, falling), min=0)
    area = 2 / (edges[2:] - edges[:-2])
    return (triangles * area[:, None]).to(torch.float32)


# Slaney's scale is linear to 1000 Hz (15 mel) and logarithmic above, 27 steps to a factor of 6.4.
LINEAR_HZ, BREAK_HZ, BREAK_MEL, STEP = 200 / 3, 1000.0, 15.0, math.log(6.4) / 27


def _to_mel(hertz: float) -> float:
    above = hertz >= BREAK_HZ
    return BREAK_MEL + math.log(hertz / BREAK_HZ) / STEP if above else hertz / LINEAR_HZ


def _to_hertz(mel: Tensor) -> Tensor:
    above = BREAK_HZ * torch.exp(STEP * (mel - BREAK_MEL))
    return torch.where(mel >= BREAK_MEL, above, mel * LINEAR_HZ)
