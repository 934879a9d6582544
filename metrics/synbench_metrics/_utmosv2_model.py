"""The network of UTMOSv2, stage 3 of its fusion, with the names of its published checkpoint.

Shape letters
    B  waves      T  samples at 16 kHz     S  spectrograms of a stretch, 4     E  stretches, 2
    H, W  rows (mel bands) and columns (frames) of a picture     C  channels, 1280

One branch hears the wave by wav2vec 2.0, the other sees mel spectrograms by one EfficientNetV2 for
each length of window. Both mix what they get by learnt weights, let it attend to itself, and give
the mean of what comes out beside the maximum of what went in. A vector that names the collection
whose listeners are asked stands beside both, with zeros inside the branches.

References:
    K. Baba, W. Nakata, Y. Saito, H. Saruwatari, "The T05 System for the VoiceMOS Challenge 2024",
    SLT 2024, arXiv:2409.09305. Names: sarulab-speech/UTMOSv2 1.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from synbench_metrics._efficientnet import SMALL, EfficientNet, EfficientNetLayout
from synbench_metrics._wav2vec2 import BASE, Sizes, Wav2Vec2, renamed

COLLECTIONS = 10
ENCODER = "ssl.encoder.model."
HEADS = 8

__all__ = ["Utmosv2", "own_names"]


def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published checkpoint under the names that are used here: those of the encoder differ."""
    encoder = {
        name.removeprefix(ENCODER): value
        for name, value in state.items()
        if name.startswith(ENCODER)
    }
    others = {name: value for name, value in state.items() if not name.startswith(ENCODER)}
    return others | {f"ssl.encoder.{name}": value for name, value in renamed(encoder).items()}


class Utmosv2(nn.Module):
    """Mean opinion score ``(B,)`` of waves and their spectrograms."""

    def __init__(
        self, *, speech: Sizes = BASE, pictures: EfficientNetLayout = SMALL, windows: int = 4
    ) -> None:
        super().__init__()
        self.ssl = _Hearing(speech)
        self.spec_long = _Seeing(pictures, windows)
        features = 2 * speech.hidden + 4 * pictures.last
        self.fc = nn.Linear(features + 3 * COLLECTIONS, 1)

    def forward(self, waves: Tensor, pictures: Tensor, collection: Tensor) -> Tensor:
        """Scores of ``(B, T)``, ``(B, E, S, H, W)`` and one-hot ``(B, 10)``."""
        none = torch.zeros_like(collection)
        seen = self.spec_long(pictures)
        whole = torch.cat([self.ssl(waves), none, seen, none, collection], dim=1)
        return cast(Tensor, self.fc(whole)[:, 0])


class _Hearing(nn.Module):
    """``(B, 2 H)`` of waves ``(B, T)``."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.encoder = Wav2Vec2(sizes)
        self.weights = nn.Parameter(torch.empty(sizes.layers + 1))
        attention = nn.MultiheadAttention(sizes.hidden, HEADS, batch_first=True)
        self.attn = nn.ModuleList([attention])

    def forward(self, waves: Tensor) -> Tensor:
        layers = self.encoder.every_layer(waves)
        mixed = torch.einsum("l...,l->...", torch.stack(layers), self.weights)
        attended, _ = self.attn[0](mixed, mixed, mixed)
        return torch.cat([attended.mean(dim=1), mixed.amax(dim=1)], dim=1)


class _Seeing(nn.Module):
    """``(B, 4 C)`` of pictures ``(B, E, S, H, W)``."""

    def __init__(self, layout: EfficientNetLayout, windows: int) -> None:
        super().__init__()
        self.backbones = nn.ModuleList(EfficientNet(layout) for _ in range(windows))
        self.weights = nn.Parameter(torch.empty(windows))
        self.attn = nn.MultiheadAttention(2 * layout.last, HEADS, batch_first=True)

    def forward(self, pictures: Tensor) -> Tensor:
        stretches = []
        for stretch in pictures.unbind(dim=1):
            seen = [
                backbone(stretch[:, index, None].expand(-1, 3, -1, -1))
                for index, backbone in enumerate(self.backbones)
            ]
            stretches.append(torch.einsum("s...,s->...", torch.stack(seen), self.weights))
        beside = torch.cat(stretches, dim=3)  # (B, C, H / 32, E W / 32)
        pooled = torch.cat([beside.mean(dim=3), beside.amax(dim=3)], dim=1)  # (B, 2 C, H / 32)
        rows = pooled.transpose(1, 2)
        attended, _ = self.attn(rows, rows, rows)
        return torch.cat([attended.mean(dim=1), pooled.amax(dim=2)], dim=1)
