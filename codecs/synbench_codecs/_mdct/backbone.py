"""Encoder and decoder: ConvNeXt v2 blocks between one down- and one up-sampling layer.

The encoder maps MDCT coefficients (B, bins, F) to a latent (B, K, L), the decoder maps it back.
Global response normalisation takes its norm over the whole time axis, so what an item becomes
depends on its length: code items one by one, or in batches of equal length.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from synbench_codecs._mdct.sizes import BackboneConfig

__all__ = ["KERNEL_FRAMES", "BackboneBlock", "Decoder", "Encoder", "Trunk", "response_ratio"]

KERNEL_FRAMES = 7
SMALLEST_ENERGY = 1e-24
Layer = TypeVar("Layer", nn.Conv1d, nn.ConvTranspose1d)


class GlobalResponseNorm(nn.Module):
    """Scale each channel by its share of the energy over time; input (B, F, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, channels))
        self.beta = nn.Parameter(torch.zeros(1, 1, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as the input, (B, F, C)."""
        # Over time torch's own vector norm strides through memory and takes six times as long.
        energy = x.square().sum(dim=1, keepdim=True)
        return torch.addcmul(self.beta, x, self.gamma * response_ratio(energy) + 1)


def response_ratio(energy: Tensor) -> Tensor:
    """Norm of each channel relative to their mean, of energies over time (B, 1, C)."""
    # The bound gives a channel of zeros, whose root has no slope, the gradient of a norm: none.
    norm = energy.clamp(min=SMALLEST_ENERGY).sqrt()
    return norm / (norm.mean(dim=-1, keepdim=True) + 1e-6)


class BackboneBlock(nn.Module):
    """One ConvNeXt v2 block; input and output (B, C, F)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(
            channels, channels, KERNEL_FRAMES, padding=KERNEL_FRAMES // 2, groups=channels
        )
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.expand = nn.Linear(channels, hidden)
        self.response = GlobalResponseNorm(hidden)
        self.project = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Residual branch over time, then over channels."""
        inner = self.norm(self.depthwise(x).transpose(1, 2))
        inner = self.project(self.response(nn.functional.gelu(self.expand(inner))))
        out: Tensor = x + inner.transpose(1, 2)
        return out


class Trunk(nn.Module):
    """Convolution, blocks and linear layer at the MDCT frame rate; (B, in, F) to (B, C, F)."""

    def __init__(self, inputs: int, config: BackboneConfig) -> None:
        super().__init__()
        channels = config.channels
        self.embed = nn.Conv1d(inputs, channels, KERNEL_FRAMES, padding=KERNEL_FRAMES // 2)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.blocks = nn.ModuleList(
            BackboneBlock(channels, config.hidden) for _ in range(config.blocks)
        )
        self.final_norm = nn.LayerNorm(channels, eps=1e-6)
        self.apply(_initialise)
        # The last layer keeps torch's own initialisation, as in the released code.
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, F) to (B, C, F)."""
        x = self.norm(self.embed(x).transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.out(self.final_norm(x.transpose(1, 2))).transpose(1, 2)
        return out


class Encoder(nn.Module):
    """MDCT coefficients (B, bins, F) to a latent (B, K, L) with L = floor((F - 1) / ratio) + 1."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        channels, padding = config.channels, KERNEL_FRAMES // 2
        self.trunk = Trunk(config.bins, config)
        self.down = _normed(nn.Conv1d(channels, channels, KERNEL_FRAMES, config.ratio, padding))
        self.latent = _normed(nn.Conv1d(channels, config.latent, KERNEL_FRAMES, padding=padding))

    def forward(self, coefficients: Tensor) -> Tensor:
        """(B, bins, F) to (B, K, L)."""
        latent: Tensor = self.latent(self.down(self.trunk(coefficients)))
        return latent


class Decoder(nn.Module):
    """A quantized latent (B, K, L) to MDCT coefficients (B, bins, ratio * L)."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        channels, ratio, padding = config.channels, config.ratio, KERNEL_FRAMES // 2
        self.latent = _normed(nn.Conv1d(config.latent, channels, KERNEL_FRAMES, padding=padding))
        self.up = _normed(nn.ConvTranspose1d(channels, channels, 2 * ratio, ratio, ratio // 2))
        self.trunk = Trunk(channels, config)
        self.out = _normed(nn.Conv1d(channels, config.bins, KERNEL_FRAMES, padding=padding))

    def forward(self, quantized: Tensor) -> Tensor:
        """(B, K, L) to (B, bins, ratio * L)."""
        coefficients: Tensor = self.out(self.trunk(self.up(self.latent(quantized))))
        return coefficients


def _normed(layer: Layer) -> Layer:
    nn.init.normal_(layer.weight, std=0.01)
    weight_norm(layer)
    return layer


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv1d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        assert module.bias is not None
        nn.init.zeros_(module.bias)
