"""WavTokenizer's network for inference: convolutional encoder, one book, spectral decoder.

Ji et al., "WavTokenizer: an Efficient Acoustic Discrete Codec Tokenizer for Audio Language
Modeling", 2024. The decoder is that of Vocos with a small attention network in front; it ends in an
inverse short-time Fourier transform. Its adaptive norms know four conditions, all trained alike;
the authors always decode with the first, which is folded into plain norms here.

Shape letters: B batch, T samples, C channels, L frames, K components of a latent, N codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, gelu, scaled_dot_product_attention, silu

from synbench_codecs.adapters.wavtokenizer import WavTokenizerConfig
from synbench_codecs.networks.layers import EncoderBlock, ReflectedConv, ResidualLSTM
from synbench_codecs.support.tensors import (
    Tensors,
    fold_weight_norm,
    renamed,
    selected,
    without_prefix,
)

NORM_GROUPS = 32
EPSILON = 1e-6
LARGEST_MAGNITUDE = 100.0

# Applied in this order, each to the outcome of the one before: the authors' names, then those of
# the converted checkpoints.
RENAMES = (
    (r"^feature_extractor\.encodec\.encoder\.model\.", "encoder."),
    (r"^feature_extractor\.encodec\.quantizer\.vq\.layers\.0\._codebook\.embed$", "codebook"),
    (r"^head\.out\.", "head."),
    (r"^head\.istft\.window$", "window"),
    (r"^encoder_model\.", ""),
    (r"^encoder\.layers\.", "encoder."),
    (r"^quantizer\.codebook\.embed$", "codebook"),
    (r"^head\.linear\.", "head."),
    (r"^(encoder\..*?)\.conv(?:\.conv)?\.(weight|bias)$", r"\1.\2"),
)
# The rest of a training checkpoint: an unused decoder, statistics of the book, discriminators.
UNUSED_TENSORS = re.compile(
    r"^feature_extractor\.encodec\.decoder\.|(?:\.|^)(?:cluster_size|embed_avg|inited)$"
    r"|^(?:multiperioddisc|multiresddisc|dac|dacdiscriminator|melspec_loss)\."
)
ADAPTIVE_TENSOR = re.compile(r"\.(scale|shift)\.weight$")
ADAPTED_SUFFIXES = {"scale": ".weight", "shift": ".bias"}

__all__ = ["WavTokenizerNetwork", "build", "config_of", "from_released"]


class ResidualNorm(nn.Module):
    """Twice norm, SiLU and convolution, with a shortcut; (B, C, L) to (B, C, L)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(NORM_GROUPS, width, EPSILON)
        self.conv1 = nn.Conv1d(width, width, 3, padding=1)
        self.norm2 = nn.GroupNorm(NORM_GROUPS, width, EPSILON)
        self.conv2 = nn.Conv1d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, C, L)."""
        inner = self.conv1(silu(self.norm1(x), inplace=True))
        inner = self.conv2(silu(self.norm2(inner), inplace=True))
        out: Tensor = inner.add_(x)
        return out


class Attention(nn.Module):
    """One head over all frames, without positions; (B, C, L) to (B, C, L)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(NORM_GROUPS, width, EPSILON)
        self.q = nn.Conv1d(width, width, 1)
        self.k = nn.Conv1d(width, width, 1)
        self.v = nn.Conv1d(width, width, 1)
        self.proj_out = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, C, L)."""
        inner = self.norm(x)
        query, key, value = (
            layer(inner).transpose(1, 2)[:, None] for layer in (self.q, self.k, self.v)
        )
        seen = scaled_dot_product_attention(query, key, value)[:, 0].transpose(1, 2)
        out: Tensor = self.proj_out(seen).add_(x)
        return out


class ConvNeXtBlock(nn.Module):
    """(B, C, L) to (B, C, L)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, EPSILON)
        self.pwconv1 = nn.Linear(width, hidden)
        self.pwconv2 = nn.Linear(hidden, width)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, C, L)."""
        inner = self.norm(self.dwconv(x).transpose(1, 2))
        inner = self.pwconv2(gelu(self.pwconv1(inner)))
        out: Tensor = x + inner.mul_(self.gamma).transpose(1, 2)
        return out


class Backbone(nn.Module):
    """Code vectors (B, K, L) to hidden states (B, L, C)."""

    def __init__(self, config: WavTokenizerConfig) -> None:
        super().__init__()
        width = config.width
        self.embed = nn.Conv1d(config.latent, width, 7, padding=3)
        self.pos_net = nn.Sequential(
            ResidualNorm(width),
            ResidualNorm(width),
            Attention(width),
            ResidualNorm(width),
            ResidualNorm(width),
            nn.GroupNorm(NORM_GROUPS, width, EPSILON),
        )
        self.norm = nn.LayerNorm(width, EPSILON)
        self.convnext = nn.Sequential(
            *(ConvNeXtBlock(width, config.hidden) for _ in range(config.blocks))
        )
        self.final_layer_norm = nn.LayerNorm(width, EPSILON)

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, K, L) to (B, L, C)."""
        x = self.pos_net(self.embed(vectors))
        x = self.convnext(self.norm(x.transpose(1, 2)).transpose(1, 2))
        out: Tensor = self.final_layer_norm(x.transpose(1, 2))
        return out


class WavTokenizerNetwork(nn.Module):
    """The whole codec."""

    window: Tensor

    def __init__(self, config: WavTokenizerConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = [ReflectedConv(1, config.filters, 7)]
        channels = config.filters
        for stride in config.strides:
            down = ReflectedConv(channels, 2 * channels, 2 * stride, stride)
            layers += [EncoderBlock(channels), nn.ELU(inplace=True), down]
            channels *= 2
        last = ReflectedConv(channels, config.latent, 7)
        self.encoder = nn.Sequential(*layers, ResidualLSTM(channels), nn.ELU(inplace=True), last)
        self.codebook = nn.Parameter(torch.randn(config.codes, config.latent))
        self.backbone = Backbone(config)
        self.head = nn.Linear(config.width, config.n_fft + 2)
        self.register_buffer("window", torch.hann_window(config.n_fft))

    def latent(self, waves: Tensor) -> Tensor:
        """Latents (B, K, L) of waves (B, T)."""
        out: Tensor = self.encoder(waves[:, None])
        return out

    def encode(self, waves: Tensor) -> Tensor:
        """Tokens (B, 1, L) of waves (B, T): the nearest code by Euclidean distance."""
        latents = self.latent(waves).transpose(1, 2)
        distance = self.codebook.square().sum(1) - 2 * latents @ self.codebook.T
        return distance.argmin(-1)[:, None]

    def decode(self, tokens: Tensor) -> Tensor:
        """Waves (B, hop * L) of tokens (B, 1, L)."""
        vectors = embedding(tokens[:, 0], self.codebook).transpose(1, 2)
        magnitude, phase = self.head(self.backbone(vectors)).chunk(2, -1)
        spectrum = torch.polar(magnitude.exp_().clamp_(max=LARGEST_MAGNITUDE), phase)
        frames = torch.fft.irfft(spectrum, self.config.n_fft).mul_(self.window)
        shared = self.window.square().expand(1, frames.shape[1], -1)
        return self._overlapped(frames) / self._overlapped(shared)

    def _overlapped(self, frames: Tensor) -> Tensor:
        """Frames (B, L, n_fft) added up a hop apart, cut to the inner hop * L samples."""
        hop = self.config.hop
        n_frames, overlap = frames.shape[1], self.config.n_fft // hop
        added = frames.new_zeros(frames.shape[0], n_frames + overlap - 1, hop)
        for part in range(overlap):
            added[:, part : part + n_frames] += frames[..., part * hop : (part + 1) * hop]
        edge = (self.config.n_fft - hop) // 2
        return added.flatten(1)[:, edge : edge + hop * n_frames]


def from_released(tensors: Mapping[str, Tensor], condition: int = 0) -> Tensors:
    """Tensors under our names, from the authors' checkpoint or a converted one.

    Weight norm is folded; of the adaptive norms' rows the one of ``condition`` stays.
    """
    inner = without_prefix(tensors, "state_dict.") or tensors
    used = selected(inner, lambda name: not UNUSED_TENSORS.search(name))
    adaptive = renamed(fold_weight_norm(used), _our_name)
    ours = renamed(adaptive, _plain_norm)
    for name, tensor in adaptive.items():
        if ADAPTIVE_TENSOR.search(name):
            ours[_plain_norm(name)] = tensor[condition]
    if "head.weight" in ours and "window" not in ours:
        ours["window"] = torch.hann_window(ours["head.weight"].shape[0] - 2)
    return ours


def config_of(tensors: Mapping[str, Tensor], *, sample_rate: int) -> WavTokenizerConfig:
    """The configuration that tensors under our names were made with.

    Raises:
        KeyError: a tensor is absent, so this is no WavTokenizer.
    """
    strides: list[int] = []
    while f"encoder.{3 * len(strides) + 1}.shortcut.weight" in tensors:
        strides.append(tensors[f"encoder.{3 * len(strides) + 3}.weight"].shape[2] // 2)
    blocks = 0
    while f"backbone.convnext.{blocks}.gamma" in tensors:
        blocks += 1
    codes, latent = tensors["codebook"].shape
    return WavTokenizerConfig(
        sample_rate=sample_rate,
        strides=tuple(strides),
        filters=tensors["encoder.0.weight"].shape[0],
        latent=latent,
        codes=codes,
        width=tensors["backbone.embed.weight"].shape[0],
        hidden=tensors["backbone.convnext.0.pwconv1.weight"].shape[0],
        blocks=blocks,
        n_fft=tensors["head.weight"].shape[0] - 2,
    )


def _our_name(name: str) -> str:
    for pattern, replacement in RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _plain_norm(name: str) -> str:
    return ADAPTIVE_TENSOR.sub(lambda match: ADAPTED_SUFFIXES[match[1]], name)


build = WavTokenizerNetwork
