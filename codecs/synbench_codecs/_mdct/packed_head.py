"""Latent convolution, up-sampling and embedding of the decoder as one layer of many taps.

Nothing but sums lies between the three, so a token's frames are one product of its neighbours' code
vectors: an eighth of the multiplications. At both ends each of the three sees zeros of its own;
those few tokens go through the three.

Shape letters: B batch, K components, L tokens, F frames, C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from synbench_codecs._mdct.backbone import KERNEL_FRAMES, Decoder
from synbench_codecs._mdct.packed import Convolution, Product

EDGE = KERNEL_FRAMES // 2

__all__ = ["PackedHead"]


class PackedHead:
    """(B, K, L) to (B, ratio L, C)."""

    def __init__(self, decoder: Decoder) -> None:
        up, embed = decoder.up, decoder.trunk.embed
        self._latent, self._inputs = Convolution.of(decoder.latent), decoder.latent.in_channels
        assert up.bias is not None and embed.bias is not None
        self._ratio = ratio = up.stride[0]
        self._crop = crop = ratio // 2
        self._up_bias, self._embed_bias = up.bias, embed.bias
        self._up = Product(up.weight.permute(2, 1, 0).flatten(0, 1))
        self._embed = Product(embed.weight.transpose(1, 2).flatten(1))
        # Frames that the embedding sees lie within so many tokens before and after.
        before = 1 - (crop - EDGE) // ratio
        after = (ratio - 1 + EDGE + crop) // ratio
        self._edge = max(before, after)
        self._reach = self._edge + EDGE
        answers = self._answers(decoder.latent.weight)
        self._middle = Product(answers.T, self._answer_to_silence())

    def __call__(self, quantized: Tensor) -> Tensor:
        tokens, reach, edge = quantized.shape[-1], self._reach, self._edge
        if tokens <= 2 * (edge + reach):
            return self._embedded(self._upsampled(self._latents(quantized)))
        windows = functional.pad(quantized, (reach, reach)).unfold(-1, 2 * reach + 1, 1)
        frames = self._middle(windows.permute(0, 2, 3, 1).flatten(2))
        frames = frames.view(len(quantized), tokens * self._ratio, -1)
        self._put_ends(frames, quantized)
        return frames

    def _put_ends(self, frames: Tensor, quantized: Tensor) -> None:
        """Frames of the first and last tokens, in one go."""
        taken, seen, edge = self._edge + self._reach, 2 * self._edge, self._edge * self._ratio
        first = self._latents(quantized[..., :taken])[:, :seen]
        last = self._latents(quantized[..., -taken:])[:, -seen:]
        first, last = self._upsampled(torch.cat([first, last])).chunk(2)
        ends = torch.cat([first[:, : edge + EDGE], last[:, -edge - EDGE :]])
        first, last = self._embedded(ends).chunk(2)
        frames[:, :edge], frames[:, -edge:] = first[:, :edge], last[:, -edge:]

    def _latents(self, quantized: Tensor) -> Tensor:
        """(B, K, L) to (B, L, C)."""
        return self._latent(quantized.transpose(1, 2))

    def _upsampled(self, latents: Tensor, *, biased: bool = True) -> Tensor:
        """(B, L, C) to (B, ratio L, C): every token adds to its own frames and to the next ones."""
        parts = self._up(latents).view(*latents.shape[:2], 2, self._ratio, -1)
        this, following = parts.unbind(2)
        frames = functional.pad(this, (0, 0, 0, 0, 0, 1))
        frames[:, 1:] += following
        frames = frames.flatten(1, 2)[:, self._crop : -self._crop]
        return frames + self._up_bias if biased else frames

    def _embedded(self, frames: Tensor, *, biased: bool = True) -> Tensor:
        """(B, F, C) to the same shape."""
        windows = functional.pad(frames, (0, 0, EDGE, EDGE)).unfold(1, KERNEL_FRAMES, 1)
        embedded = self._embed(windows.transpose(2, 3).flatten(2))
        return embedded + self._embed_bias if biased else embedded

    def _answers(self, weight: Tensor) -> Tensor:
        """Weights ((2 reach + 1) K, ratio C) from a token's neighbours to its frames."""
        length = 2 * self._reach + 1
        impulses = torch.zeros(self._inputs, self._inputs, length)
        impulses[:, :, self._reach] = torch.eye(self._inputs)
        latents = functional.conv1d(impulses, weight, padding=EDGE).transpose(1, 2)
        answers = self._embedded(self._upsampled(latents, biased=False), biased=False)
        # What a token sends to the next is what the next gets from the one before.
        return answers.view(self._inputs, length, -1).transpose(0, 1).flip(0).flatten(0, 1)

    def _answer_to_silence(self) -> Tensor:
        """What the biases make of one token amid zeros, (ratio C)."""
        silence = torch.zeros(1, self._inputs, 2 * self._reach + 1)
        frames = self._embedded(self._upsampled(self._latents(silence)))[0]
        return frames.view(2 * self._reach + 1, -1)[self._reach]
