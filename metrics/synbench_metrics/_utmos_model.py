"""The network of UTMOS22's strong learner, with the names of its published checkpoint.

Shape letters
    B  waves      T  samples at 16 kHz     F  frames of 20 ms     H  hidden values, 768

A wav2vec 2.0 encoder, then a bidirectional LSTM that also sees a fixed embedding of the domain and
of a judge, then a projection per frame. The published code fills an odd number of frames up to an
even one and masks what it added; a masked frame changes no other, so here nothing is added.

References:
    T. Saeki et al., "UTMOS: UTokyo-SaruLab System for VoiceMOS Challenge 2022", Interspeech 2022.
    A. Baevski et al., "wav2vec 2.0", NeurIPS 2020. Names: tarepan/SpeechMOS v1.2.0.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN, FEATURES, HEADS, LAYERS = 768, 512, 12, 12
KERNELS = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))  # width and stride
POSITIONS, GROUPS = 128, 16
SIDE_FEATURES = 128  # of the embeddings of domain and judge

__all__ = ["Utmos"]


class Utmos(nn.Module):
    """Mean opinion score of waves ``(B, T)``, ``(B,)``."""

    def __init__(self) -> None:
        super().__init__()
        self.wav2vec2 = _Encoder()
        self.domain_emb = nn.Parameter(torch.empty(1, SIDE_FEATURES))
        self.judge_emb = nn.Parameter(torch.empty(1, SIDE_FEATURES))
        self.blstm = nn.LSTM(HIDDEN + 2 * SIDE_FEATURES, 512, batch_first=True, bidirectional=True)
        self.projection = nn.Sequential(nn.Linear(1024, 2048), nn.ReLU(), nn.Linear(2048, 1))

    def forward(self, waves: Tensor) -> Tensor:
        """Scores ``(B,)`` of waves ``(B, T)``, T at least 400."""
        features = self.wav2vec2(waves)  # (B, F, H)
        fixed = torch.cat([self.domain_emb, self.judge_emb], dim=1)
        fixed = fixed.expand(*features.shape[:2], 2 * SIDE_FEATURES)
        listened, _ = self.blstm(torch.cat([features, fixed], dim=2))  # (B, F, 1024)
        return cast(Tensor, self.projection(listened).mean(dim=(1, 2)) * 2 + 3)


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mask_emb = nn.Parameter(torch.empty(HIDDEN))  # of training; in the file, not used
        self.feature_extractor = nn.Module()
        self.feature_extractor.conv_layers = nn.ModuleList(map(_convolution, range(len(KERNELS))))
        self.layer_norm = nn.LayerNorm(FEATURES)
        self.post_extract_proj = nn.Linear(FEATURES, HIDDEN)
        self.encoder = _Transformer()

    def forward(self, waves: Tensor) -> Tensor:
        features = waves[:, None]  # (B, 1, T)
        for layer in cast(nn.ModuleList, self.feature_extractor.conv_layers):
            features = layer(features)  # (B, 512, F) at last
        normalised = self.layer_norm(features.transpose(1, 2))
        return cast(Tensor, self.encoder(self.post_extract_proj(normalised)))


def _convolution(layer: int) -> nn.Sequential:
    width, stride = KERNELS[layer]
    convolution = nn.Conv1d(1 if layer == 0 else FEATURES, FEATURES, width, stride, bias=False)
    # The published names count the dropout of training; the first layer has a norm after it.
    norm = [nn.GroupNorm(FEATURES, FEATURES)] if layer == 0 else []
    return nn.Sequential(convolution, nn.Identity(), *norm, nn.GELU())


class _Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pos_conv = nn.Sequential(_Positions())
        self.layer_norm = nn.LayerNorm(HIDDEN)
        self.layers = nn.ModuleList(_Layer() for _ in range(LAYERS))

    def forward(self, features: Tensor) -> Tensor:
        features = self.layer_norm(features + self.pos_conv(features))
        for layer in self.layers:
            features = layer(features)
        return features


class _Positions(nn.Module):
    """A wide grouped convolution with weight normalisation over its last axis."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(HIDDEN))
        self.weight_g = nn.Parameter(torch.empty(1, 1, POSITIONS))
        self.weight_v = nn.Parameter(torch.empty(HIDDEN, HIDDEN // GROUPS, POSITIONS))

    def forward(self, features: Tensor) -> Tensor:
        length = self.weight_v.square().sum(dim=(0, 1), keepdim=True).sqrt()
        weight = self.weight_v * (self.weight_g / length)
        positions = functional.conv1d(
            features.transpose(1, 2), weight, self.bias, padding=POSITIONS // 2, groups=GROUPS
        )
        # An even width gives one frame too many.
        return functional.gelu(positions[..., :-1]).transpose(1, 2)


class _Layer(nn.Module):
    """Attention and a small network, each added and then normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn = _Attention()
        self.self_attn_layer_norm = nn.LayerNorm(HIDDEN)
        self.fc1 = nn.Linear(HIDDEN, 4 * HIDDEN)
        self.fc2 = nn.Linear(4 * HIDDEN, HIDDEN)
        self.final_layer_norm = nn.LayerNorm(HIDDEN)

    def forward(self, features: Tensor) -> Tensor:
        features = self.self_attn_layer_norm(features + self.self_attn(features))
        inner = self.fc2(functional.gelu(self.fc1(features)))
        return cast(Tensor, self.final_layer_norm(features + inner))


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (
            nn.Linear(HIDDEN, HIDDEN) for _ in range(4)
        )

    def forward(self, features: Tensor) -> Tensor:
        split = (*features.shape[:2], HEADS, HIDDEN // HEADS)
        query, key, value = (
            project(features).view(split).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return cast(Tensor, self.out_proj(mixed.transpose(1, 2).flatten(2)))
