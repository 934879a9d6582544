"""The network of Distill-MOS, with the names of its published checkpoint.

Shape letters
    B  segments      T  samples at 16 kHz, 122880     F  bins of 20 ms, 161
    L  frames, one per 10 ms and later per 20 ms      H  hidden values, 200

Six convolutions over the compressed complex spectrum, then a transformer over what they leave of
each 20 ms, then a mean over time that the network weighs itself. Every wave is as long as the table
of positions, so there is no mask.

References:
    B. Stahl, H. Gamper, "Distillation and Pruning for Scalable Self-Supervised
    Representation-Based Speech Quality Assessment", ICASSP 2025, arXiv:2502.05356.
    B. Tamm et al., "Analysis of XLS-R for Speech Quality Assessment", WASPAA 2023.
    Names: microsoft/Distill-MOS 0.9.1.
"""

from __future__ import annotations

import itertools
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

WINDOW, HOP = 320, 160
CHANNELS = (2, 64, 64, 128, 256, 256, 256)
BINS_LEFT = 4  # of 161, after six convolutions
HIDDEN, HEADS, LAYERS = 200, 8, 7
SEGMENT_FRAMES = 384
MAGNITUDE_EXPONENT = 0.3  # of magnitudes
SMALLEST_POWER = 1e-12

__all__ = ["DistillMos"]


class DistillMos(nn.Module):
    """Mean opinion score of segments ``(B, T)``, 1 to 5, ``(B,)``."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Module()
        self.cnn.cnn = nn.Sequential(*_convolutions())
        self.transformer_pool_attn = _Opinion()

    def forward(self, segments: Tensor) -> Tensor:
        """Scores ``(B,)`` of segments ``(B, T)``, T exactly 122880; their level does not matter."""
        peak = segments.abs().amax(dim=1, keepdim=True)
        spectra = _compressed(segments / (peak + 1e-8))
        convolve = cast(nn.Module, self.cnn.cnn)
        features = convolve(spectra).flatten(1, 2)  # (B, 256 * 4, L)
        return cast(Tensor, 1 + 4 * self.transformer_pool_attn(features))


def _compressed(waves: Tensor) -> Tensor:
    """Complex spectra ``(B, 2, F, L)`` whose magnitudes are raised to 0.3, phases kept."""
    # The frames of the edges are filled by reflection, so that there is one per hop.
    padded = functional.pad(waves, [(WINDOW - HOP) // 2] * 2, mode="reflect")
    spectra = torch.stft(
        padded,
        WINDOW,
        HOP,
        window=torch.hann_window(WINDOW, device=waves.device),
        center=False,
        return_complex=True,
    )
    magnitude = spectra.abs().clamp_min(SMALLEST_POWER)
    return torch.view_as_real(spectra * magnitude ** (MAGNITUDE_EXPONENT - 1)).permute(0, 3, 1, 2)


def _convolutions() -> list[nn.Module]:
    """Bins are halved from the second layer on, frames by the last."""
    layers: list[nn.Module] = []
    last = len(CHANNELS) - 2
    for index, (entering, leaving) in enumerate(itertools.pairwise(CHANNELS)):
        stride = (1 if index == 0 else 2, 2 if index == last else 1)
        layers.append(nn.Conv2d(entering, leaving, 3, stride, padding=(0, 1)))
        layers.append(nn.LeakyReLU(0.1))
    return layers


class _Opinion(nn.Module):
    """Features ``(B, C, L)`` to a quality of 0 to 1, ``(B,)``."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_input = nn.BatchNorm1d(CHANNELS[-1] * BINS_LEFT)
        self.transformer = _Transformer()
        self.norm_trans = nn.BatchNorm1d(HIDDEN)
        self.pool = _Pool()

    def forward(self, features: Tensor) -> Tensor:
        listened = self.transformer(self.norm_input(features))  # (B, L, H)
        normalised = self.norm_trans(listened.transpose(1, 2)).transpose(1, 2)
        return torch.sigmoid(self.pool(normalised))


class _Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(CHANNELS[-1] * BINS_LEFT)
        self.position_encoding = nn.Module()
        self.position_encoding.register_buffer("pe", torch.empty(1, SEGMENT_FRAMES, HIDDEN))
        self.linear_proj = nn.Linear(CHANNELS[-1] * BINS_LEFT, HIDDEN)
        layer = nn.TransformerEncoderLayer(HIDDEN, HEADS, 2 * HIDDEN, batch_first=True)
        self.transformer_encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)

    def forward(self, features: Tensor) -> Tensor:
        """Features ``(B, C, L)`` to ``(B, L, H)``."""
        entering = self.linear_proj(self.norm(features).transpose(1, 2))
        positions = cast(Tensor, self.position_encoding.pe)
        return cast(Tensor, self.transformer_encoder(entering + positions))


class _Pool(nn.Module):
    """A weighted mean over time and its projection, ``(B, L, H)`` to ``(B,)``."""

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(HIDDEN, 2 * HIDDEN)
        self.linear2 = nn.Linear(2 * HIDDEN, 1)
        self.linear3 = nn.Linear(HIDDEN, 1)

    def forward(self, frames: Tensor) -> Tensor:
        weights = self.linear2(torch.relu(self.linear1(frames))).softmax(dim=1)  # (B, L, 1)
        return cast(Tensor, self.linear3((weights * frames).sum(dim=1)))[:, 0]
