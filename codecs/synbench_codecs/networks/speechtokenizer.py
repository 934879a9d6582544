"""SpeechTokenizer's network for inference: SEANet encoder and decoder, residual Euclidean books.

Zhang et al., "SpeechTokenizer: Unified Speech Tokenizer for Speech Large Language Models", 2024.
The encoder's LSTM runs both ways. The layer that led the first book to HuBERT in training is left
out.

Shape letters: B batch, T samples, L frames, K components of a latent, Q codebooks, N codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from synbench_codecs.networks.layers import EncoderBlock, ReflectedConv, ResidualLSTM
from synbench_codecs.support.tensors import Tensors, fold_weight_norm, renamed, selected

# Applied in this order, each to the outcome of the one before.
RENAMES = (
    (r"^(encoder|decoder)\.model\.", r"\1."),
    (r"\.(conv|convtr)\.\1\.(weight|bias)$", r".\2"),
    (r"^quantizer\.vq\.layers\.(\d+)\._codebook\.embed$", r"codebooks.\1"),
)
# What only the training used: the layer towards HuBERT, statistics of the books.
UNUSED_TENSORS = re.compile(r"^transform\.|\._codebook\.(?:cluster_size|embed_avg|inited)$")

__all__ = ["SpeechTokenizerConfig", "SpeechTokenizerNetwork", "config_of", "from_released"]


@dataclass(frozen=True, kw_only=True)
class SpeechTokenizerConfig:
    """Everything that shapes the network; defaults as released.

    The encoder runs through ``strides`` backwards.
    """

    strides: tuple[int, ...] = (8, 5, 4, 2)
    filters: int = 64
    latent: int = 1024
    codes: int = 1024
    codebooks: int = 8


class SpeechTokenizerNetwork(nn.Module):
    """The whole codec."""

    def __init__(self, config: SpeechTokenizerConfig) -> None:
        super().__init__()
        channels = config.filters
        layers: list[nn.Module] = [ReflectedConv(1, channels, 7)]
        for stride in reversed(config.strides):
            down = ReflectedConv(channels, 2 * channels, 2 * stride, stride)
            layers += [EncoderBlock(channels), nn.ELU(inplace=True), down]
            channels *= 2
        layers += [ResidualLSTM(channels, bidirectional=True), nn.ELU(inplace=True)]
        self.encoder = nn.Sequential(*layers, ReflectedConv(2 * channels, config.latent, 7))
        books = (torch.randn(config.codes, config.latent) for _ in range(config.codebooks))
        self.codebooks = nn.ParameterList(books)
        layers = [ReflectedConv(config.latent, channels, 7), ResidualLSTM(channels)]
        for stride in config.strides:
            odd = stride % 2
            up = nn.ConvTranspose1d(
                channels, channels // 2, 2 * stride, stride, stride // 2 + odd, odd
            )
            channels //= 2
            layers += [nn.ELU(inplace=True), up, EncoderBlock(channels)]
        last = ReflectedConv(channels, 1, 7)
        self.decoder = nn.Sequential(*layers, nn.ELU(inplace=True), last)

    def encode(self, waves: Tensor, codebooks: int) -> Tensor:
        """Tokens (B, Q, L) of waves (B, T): in each book the code nearest to what is left."""
        left = self.encoder(waves[:, None]).transpose(1, 2)
        rows = []
        for book in self.codebooks[:codebooks]:
            rows.append((book.square().sum(1) - 2 * left @ book.T).argmin(-1))
            left = left - embedding(rows[-1], book)
        return torch.stack(rows, dim=1)

    def decode(self, tokens: Tensor) -> Tensor:
        """Waves (B, hop * L) of tokens (B, Q, L)."""
        latents = torch.zeros(1, device=tokens.device)
        for row, book in zip(tokens.unbind(1), self.codebooks, strict=False):
            latents = latents + embedding(row, book)
        waves: Tensor = self.decoder(latents.transpose(1, 2))
        return waves[:, 0]


def from_released(tensors: Mapping[str, Tensor]) -> Tensors:
    """Tensors under our names, weight norm folded."""
    used = selected(tensors, lambda name: not UNUSED_TENSORS.search(name))
    return renamed(fold_weight_norm(used), _our_name)


def config_of(tensors: Mapping[str, Tensor]) -> SpeechTokenizerConfig:
    """The configuration that tensors under our names were made with.

    Raises:
        KeyError: a tensor is absent, so this is no SpeechTokenizer.
    """
    strides: list[int] = []
    while f"decoder.{3 * len(strides) + 4}.shortcut.weight" in tensors:
        strides.append(tensors[f"decoder.{3 * len(strides) + 3}.weight"].shape[2] // 2)
    codes, latent = tensors["codebooks.0"].shape
    return SpeechTokenizerConfig(
        strides=tuple(strides),
        filters=tensors["encoder.0.weight"].shape[0],
        latent=latent,
        codes=codes,
        codebooks=sum(name.startswith("codebooks.") for name in tensors),
    )


def _our_name(name: str) -> str:
    for pattern, replacement in RENAMES:
        name = re.sub(pattern, replacement, name)
    return name
