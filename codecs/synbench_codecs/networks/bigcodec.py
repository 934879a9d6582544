"""BigCodec's network for inference: encoder, one vector quantizer, decoder.

Xin et al., "BigCodec: Pushing the Limits of Low-Bitrate Neural Speech Codec", 2024. Tensor names
follow the released checkpoint's; weight norm is folded, the activations' logarithms are gone.

Shape letters: B batch, T samples, C channels, L frames, K components of a latent, N codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, embedding, normalize, pad

from synbench_codecs.adapters.bigcodec import BigCodecConfig
from synbench_codecs.networks.layers import ResidualLSTM
from synbench_codecs.support.tensors import Tensors, fold_weight_norm, renamed, selected

FILTER_TAPS = 12
DILATIONS = (1, 3, 9)
# Samples of its input that an activation works on at a time, 2 MB: fresh memory costs more than the
# arithmetic, and small pieces come from the heap again and again.
CHUNK_SAMPLES = 1 << 19

# The authors' training saves the discriminators too, and everything below these words.
TRAINING = re.compile(r"^state_dict\.model\.(?=(?:CodecEnc|generator)\.)")
# Applied in this order, each to the outcome of the one before.
RENAMES = (
    (TRAINING.pattern, ""),
    (r"^CodecEnc\.block\.", "encoder."),
    (r"^generator\.model\.", "decoder."),
    (r"^generator\.quantizer\.layers\.0\.", "quantizer."),
    (r"\._codebook\.", ".codebook."),
    (r"\.upsample\.filter$", ".up"),
    (r"\.downsample\.lowpass\.filter$", ".down"),
    (r"\.act\.alpha$", ".frequency"),
    (r"\.act\.beta$", ".magnitude"),
)

__all__ = ["BigCodecNetwork", "build", "config_of", "from_released"]


class Activation(nn.Module):
    """Snake with a magnitude, at twice the rate, so that its harmonics do not fold back.

    Both resamplers are 12-tap low-passes behind replicated edges; input and output (B, C, T). The
    doubled rate is kept as its even and its odd samples, so nothing is interleaved or thrown away.
    """

    up: Tensor
    down: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.frequency = nn.Parameter(torch.ones(channels))
        self.magnitude = nn.Parameter(torch.ones(channels))
        # The checkpoint brings the authors' filters; a mean stands in for them.
        self.register_buffer("up", torch.full((1, 1, FILTER_TAPS), 1 / FILTER_TAPS))
        self.register_buffer("down", torch.full((1, 1, FILTER_TAPS), 1 / FILTER_TAPS))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as the input, (B, C, T)."""
        out = torch.empty_like(x)
        step = max(1, CHUNK_SAMPLES // (x.shape[0] * x.shape[2]))
        for first in range(0, x.shape[1], step):
            chunk = slice(first, first + step)
            out[:, chunk] = self._channels(
                x[:, chunk], self.frequency[chunk, None], self.magnitude[chunk, None]
            )
        return out

    def _channels(self, x: Tensor, frequency: Tensor, magnitude: Tensor) -> Tensor:
        """Some channels: sample 2 t + p of the doubled rate is sample t of phase p."""
        channels = x.shape[1]
        padded = pad(x, (6, 6), mode="replicate")
        even, odd = (
            conv1d(
                padded[..., p : p + x.shape[2] + 11],
                (2 * taps).expand(channels, -1, -1),
                groups=channels,
            )
            for p, taps in enumerate((self.up[..., 1::2].flip(-1), self.up[..., ::2].flip(-1)))
        )
        for phase in (even, odd):
            sine = (phase * frequency).sin_()
            phase.addcmul_(sine.mul_(sine), magnitude)
        # The edges are replicated at the doubled rate: all samples before 0 are even sample 0, all
        # behind the end are the last odd one. Both phases span -3 to T + 2.
        odd[..., :3], even[..., :3] = even[..., 3:4], even[..., 3:4]
        even[..., -3:], odd[..., -3:] = odd[..., -4:-3], odd[..., -4:-3]
        down = self.down.expand(channels, -1, -1)
        out = conv1d(even[..., 1:], down[..., 1::2], groups=channels)
        return out.add_(conv1d(odd[..., :-1], down[..., ::2], groups=channels))


class ResidualUnit(nn.Module):
    """(B, C, T) to (B, C, T)."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            Activation(channels),
            nn.Conv1d(channels, channels, 7, dilation=dilation, padding=3 * dilation),
            Activation(channels),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) to (B, C, T)."""
        out: Tensor = self.block(x).add_(x)
        return out


class EncoderStage(nn.Module):
    """(B, C, T) to (B, 2 C, T / stride)."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        padding = stride // 2 + stride % 2
        self.block = nn.Sequential(
            *(ResidualUnit(channels, dilation) for dilation in DILATIONS),
            Activation(channels),
            nn.Conv1d(channels, 2 * channels, 2 * stride, stride, padding),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) to (B, 2 C, T / stride)."""
        out: Tensor = self.block(x)
        return out


class DecoderStage(nn.Module):
    """(B, C, L) to (B, C / 2, L * stride)."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        odd = stride % 2
        padding = stride // 2 + odd
        self.block = nn.Sequential(
            Activation(channels),
            nn.ConvTranspose1d(channels, channels // 2, 2 * stride, stride, padding, odd),
            *(ResidualUnit(channels // 2, dilation) for dilation in DILATIONS),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, C / 2, L * stride)."""
        out: Tensor = self.block(x)
        return out


class Quantizer(nn.Module):
    """One book, searched by cosine in a few dimensions."""

    def __init__(self, config: BigCodecConfig) -> None:
        super().__init__()
        self.in_proj = nn.Linear(config.latent, config.code_dim)
        self.out_proj = nn.Linear(config.code_dim, config.latent)
        self.codebook = nn.Embedding(config.codes, config.code_dim)

    def tokens(self, latent: Tensor) -> Tensor:
        """Nearest codes (B, L) of latents (B, K, L)."""
        directions = normalize(self.in_proj(latent.transpose(1, 2)), dim=-1)
        return (directions @ normalize(self.codebook.weight).T).argmax(-1)

    def lookup(self, tokens: Tensor) -> Tensor:
        """Latents (B, K, L) of tokens (B, L)."""
        vectors: Tensor = self.out_proj(embedding(tokens, self.codebook.weight))
        return vectors.transpose(1, 2)


class BigCodecNetwork(nn.Module):
    """The whole codec."""

    def __init__(self, config: BigCodecConfig) -> None:
        super().__init__()
        self.config = config
        first, widest = config.channels, config.channels * 2 ** len(config.strides)
        self.encoder = nn.Sequential(
            nn.Conv1d(1, first, 7, padding=3),
            *(EncoderStage(first * 2**i, stride) for i, stride in enumerate(config.strides)),
            ResidualLSTM(widest),
            Activation(widest),
            nn.Conv1d(widest, config.latent, 3, padding=1),
        )
        self.quantizer = Quantizer(config)
        widest = config.decoder_channels
        backwards = config.strides[::-1]
        last = widest // 2 ** len(backwards)
        self.decoder = nn.Sequential(
            nn.Conv1d(config.latent, widest, 7, padding=3),
            ResidualLSTM(widest),
            *(DecoderStage(widest // 2**i, stride) for i, stride in enumerate(backwards)),
            Activation(last),
            nn.Conv1d(last, 1, 7, padding=3),
            nn.Tanh(),
        )

    def latent(self, waves: Tensor) -> Tensor:
        """Latents (B, K, L) of waves (B, T), zeros appended as the authors do."""
        missing = self.config.hop - waves.shape[-1] % self.config.hop
        out: Tensor = self.encoder(pad(waves, (0, missing))[:, None])
        return out

    def encode(self, waves: Tensor) -> Tensor:
        """Tokens (B, 1, L) of waves (B, T)."""
        return self.quantizer.tokens(self.latent(waves))[:, None]

    def decode(self, tokens: Tensor) -> Tensor:
        """Waves (B, hop * L) of tokens (B, 1, L)."""
        waves: Tensor = self.decoder(self.quantizer.lookup(tokens[:, 0]))
        return waves[:, 0]


def from_released(tensors: Mapping[str, Tensor]) -> Tensors:
    """Tensors under our names, weight norm folded, the activations' logarithms taken away.

    Takes the released file and what the authors' training saves.
    """
    used = selected(tensors, TRAINING.search) or tensors
    ours = renamed(fold_weight_norm(used), _our_name)
    for name in ours:
        if name.endswith(".frequency"):
            ours[name] = ours[name].exp()
        elif name.endswith(".magnitude"):
            ours[name] = 1 / (ours[name].exp() + 1e-9)
    return ours


def config_of(tensors: Mapping[str, Tensor], *, sample_rate: int) -> BigCodecConfig:
    """The configuration that tensors under our names were made with.

    Raises:
        KeyError: a tensor is absent, so this is no BigCodec.
    """
    strides, stage = [], 1
    while f"encoder.{stage}.block.4.weight" in tensors:
        strides.append(tensors[f"encoder.{stage}.block.4.weight"].shape[2] // 2)
        stage += 1
    codes, code_dim = tensors["quantizer.codebook.weight"].shape
    return BigCodecConfig(
        sample_rate=sample_rate,
        strides=tuple(strides),
        channels=tensors["encoder.0.weight"].shape[0],
        decoder_channels=tensors["decoder.0.weight"].shape[0],
        latent=tensors["quantizer.in_proj.weight"].shape[1],
        codes=codes,
        code_dim=code_dim,
    )


def _our_name(name: str) -> str:
    for pattern, replacement in RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


build = BigCodecNetwork
