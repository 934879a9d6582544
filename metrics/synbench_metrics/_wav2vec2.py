"""wav2vec 2.0 (base), with the names of its first publication; checkpoints may have others.

Shape letters
    B  waves      T  samples at 16 kHz     F  frames of 20 ms     H  hidden values, 768

The published code fills an odd number of frames up to an even one and masks what it added; a masked
frame changes no other, so here nothing is added.

References:
    A. Baevski et al., "wav2vec 2.0", NeurIPS 2020. Names: fairseq, and those of transformers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

KERNELS = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))  # width and stride
# From the names of transformers, in this order, to those here.
RENAMED = (
    (r"^masked_spec_embed$", "mask_emb"),
    (r"(conv_layers\.\d+)\.conv\.", r"\1.0."),
    (r"(conv_layers\.\d+)\.layer_norm\.", r"\1.2."),
    (r"^feature_projection\.layer_norm\.", "layer_norm."),
    (r"^feature_projection\.projection\.", "post_extract_proj."),
    (r"pos_conv_embed\.conv\.", "pos_conv.0."),
    (r"parametrizations\.weight\.original0$", "weight_g"),
    (r"parametrizations\.weight\.original1$", "weight_v"),
    (r"(layers\.\d+)\.layer_norm\.", r"\1.self_attn_layer_norm."),
    (r"(layers\.\d+)\.attention\.", r"\1.self_attn."),
    (r"feed_forward\.intermediate_dense\.", "fc1."),
    (r"feed_forward\.output_dense\.", "fc2."),
)

__all__ = ["BASE", "Sizes", "Wav2Vec2", "renamed"]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How wide and deep it is."""

    hidden: int = 768
    inner: int = 3072
    features: int = 512
    heads: int = 12
    layers: int = 12
    positions: int = 128
    groups: int = 16


BASE = Sizes()


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint of transformers' class under the names that are used here."""
    return {_renamed(name): value for name, value in state.items()}


def _renamed(name: str) -> str:
    for pattern, replacement in RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


class Wav2Vec2(nn.Module):
    """Features ``(B, F, H)`` of waves ``(B, T)``."""

    def __init__(self, sizes: Sizes = BASE) -> None:
        super().__init__()
        self.mask_emb = nn.Parameter(torch.empty(sizes.hidden))  # of training; not used
        self.feature_extractor = nn.Module()
        self.feature_extractor.conv_layers = nn.ModuleList(
            _convolution(layer, sizes.features) for layer in range(len(KERNELS))
        )
        self.layer_norm = nn.LayerNorm(sizes.features)
        self.post_extract_proj = nn.Linear(sizes.features, sizes.hidden)
        self.encoder = _Transformer(sizes)

    def forward(self, waves: Tensor) -> Tensor:
        """What the last layer gives."""
        return self.every_layer(waves)[-1]

    def every_layer(self, waves: Tensor) -> list[Tensor]:
        """What goes into the first layer and what comes out of each, ``(B, F, H)`` all."""
        features = waves[:, None]  # (B, 1, T)
        for layer in cast(nn.ModuleList, self.feature_extractor.conv_layers):
            features = layer(features)  # (B, 512, F) at last
        normalised = self.layer_norm(features.transpose(1, 2))
        return cast(list[Tensor], self.encoder(self.post_extract_proj(normalised)))


def _convolution(layer: int, features: int) -> nn.Sequential:
    width, stride = KERNELS[layer]
    convolution = nn.Conv1d(1 if layer == 0 else features, features, width, stride, bias=False)
    # The published names count the dropout of training; the first layer has a norm after it.
    norm = [nn.GroupNorm(features, features)] if layer == 0 else []
    return nn.Sequential(convolution, nn.Identity(), *norm, nn.GELU())


class _Transformer(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.pos_conv = nn.Sequential(_Positions(sizes))
        self.layer_norm = nn.LayerNorm(sizes.hidden)
        self.layers = nn.ModuleList(_Layer(sizes) for _ in range(sizes.layers))

    def forward(self, features: Tensor) -> list[Tensor]:
        outputs = [self.layer_norm(features + self.pos_conv(features))]
        for layer in self.layers:
            outputs.append(layer(outputs[-1]))
        return outputs


class _Positions(nn.Module):
    """A wide grouped convolution with weight normalisation over its last axis."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.groups = sizes.groups
        self.bias = nn.Parameter(torch.empty(sizes.hidden))
        self.weight_g = nn.Parameter(torch.empty(1, 1, sizes.positions))
        self.weight_v = nn.Parameter(
            torch.empty(sizes.hidden, sizes.hidden // sizes.groups, sizes.positions)
        )

    def forward(self, features: Tensor) -> Tensor:
        length = self.weight_v.square().sum(dim=(0, 1), keepdim=True).sqrt()
        weight = self.weight_v * (self.weight_g / length)
        positions = functional.conv1d(
            features.transpose(1, 2),
            weight,
            self.bias,
            padding=weight.shape[2] // 2,
            groups=self.groups,
        )
        # An even width gives one frame too many.
        return functional.gelu(positions[..., :-1]).transpose(1, 2)


class _Layer(nn.Module):
    """Attention and a small network, each added and then normalised."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.self_attn = _Attention(sizes)
        self.self_attn_layer_norm = nn.LayerNorm(sizes.hidden)
        self.fc1 = nn.Linear(sizes.hidden, sizes.inner)
        self.fc2 = nn.Linear(sizes.inner, sizes.hidden)
        self.final_layer_norm = nn.LayerNorm(sizes.hidden)

    def forward(self, features: Tensor) -> Tensor:
        features = self.self_attn_layer_norm(features + self.self_attn(features))
        inner = self.fc2(functional.gelu(self.fc1(features)))
        return cast(Tensor, self.final_layer_norm(features + inner))


class _Attention(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (
            nn.Linear(sizes.hidden, sizes.hidden) for _ in range(4)
        )

    def forward(self, features: Tensor) -> Tensor:
        split = (*features.shape[:2], self.heads, -1)
        query, key, value = (
            project(features).view(split).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return cast(Tensor, self.out_proj(mixed.transpose(1, 2).flatten(2)))
