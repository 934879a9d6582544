"""The network of NISQA 2.0, with the names of its published checkpoint.

Shape letters
    B  waves     W  windows, one per 40 ms     M  mel bands, 48     F  frames of a window, 15
    D  hidden values, 64

Six small convolutions look at each window, two layers of self-attention at their order, and five
heads weigh the windows, one for each opinion. All windows of a wave are real: there is no mask.

References:
    G. Mittag, B. Naderi, A. Chehadi, S. Möller, "NISQA: A Deep CNN-Self-Attention Model for
    Multidimensional Speech Quality Prediction with Crowdsourced Datasets", Interspeech 2021,
    arXiv:2104.09494. Names and sizes: gabrielmittag/NISQA, ``nisqa.tar``.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (1, 16, 32, 64, 64, 64, 64)
# (mel bands, frames) that are left after the first, second and fourth convolution.
SIZES = {0: (24, 7), 1: (12, 5), 3: (6, 3)}
HIDDEN, LAYERS, WEIGHING = 64, 2, 128
OPINIONS = ("mos", "noi", "dis", "col", "loud")

__all__ = ["OPINIONS", "Nisqa"]


class Nisqa(nn.Module):
    """Five opinions, in the order of :data:`OPINIONS`."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = _Named(_Windows())
        self.time_dependency = _Named(_Order())
        self.pool_layers = nn.ModuleList(_Named(_Opinion()) for _ in OPINIONS)

    def forward(self, windows: Tensor) -> Tensor:
        """Opinions ``(B, 5)`` of windows ``(B, W, M, F)``."""
        batch, count = windows.shape[:2]
        features = self.cnn(windows.flatten(0, 1)[:, None])
        ordered = self.time_dependency(features.unflatten(0, (batch, count)))
        return torch.cat([head(ordered) for head in self.pool_layers], dim=1)


class _Named(nn.Module):
    """The published names have one level more than the network has parts."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, value: Tensor) -> Tensor:
        result: Tensor = self.model(value)
        return result


class _Windows(nn.Module):
    """Features ``(B W, 6 * 64)`` of windows ``(B W, 1, M, F)``."""

    def __init__(self) -> None:
        super().__init__()
        last = len(CHANNELS) - 2
        for index, (before, after) in enumerate(itertools.pairwise(CHANNELS)):
            # The last one spans the three frames that are left, and leaves one.
            padding = (1, 0) if index == last else (1, 1)
            setattr(self, f"conv{index + 1}", nn.Conv2d(before, after, 3, padding=padding))
            setattr(self, f"bn{index + 1}", nn.BatchNorm2d(after))

    def forward(self, windows: Tensor) -> Tensor:
        for index in range(len(CHANNELS) - 1):
            convolve, normalise = (getattr(self, f"{name}{index + 1}") for name in ("conv", "bn"))
            windows = functional.relu(normalise(convolve(windows)))
            if index in SIZES:
                windows = functional.adaptive_max_pool2d(windows, SIZES[index])
        return windows.flatten(1)


class _Order(nn.Module):
    """Features ``(B, W, 6 * 64)`` seen in their order, ``(B, W, D)``."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(HIDDEN)
        self.linear = nn.Linear(SIZES[3][0] * CHANNELS[-1], HIDDEN)
        self.layers = nn.ModuleList(_Attention() for _ in range(LAYERS))

    def forward(self, features: Tensor) -> Tensor:
        hidden: Tensor = self.norm1(self.linear(features))
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class _Attention(nn.Module):
    """One layer of self-attention, normalised after each sum."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(HIDDEN, num_heads=1, batch_first=True)
        self.linear1 = nn.Linear(HIDDEN, HIDDEN)
        self.linear2 = nn.Linear(HIDDEN, HIDDEN)
        self.norm1 = nn.LayerNorm(HIDDEN)
        self.norm2 = nn.LayerNorm(HIDDEN)

    def forward(self, hidden: Tensor) -> Tensor:
        heard, _ = self.self_attn(hidden, hidden, hidden, need_weights=False)
        hidden = self.norm1(hidden + heard)
        changed: Tensor = self.norm2(hidden + self.linear2(functional.relu(self.linear1(hidden))))
        return changed


class _Opinion(nn.Module):
    """One opinion ``(B, 1)`` from the windows that it weighs itself."""

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(HIDDEN, WEIGHING)
        self.linear2 = nn.Linear(WEIGHING, 1)
        self.linear3 = nn.Linear(HIDDEN, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        weights = self.linear2(functional.relu(self.linear1(hidden))).softmax(dim=1)
        opinion: Tensor = self.linear3((weights * hidden).sum(dim=1))
        return opinion
