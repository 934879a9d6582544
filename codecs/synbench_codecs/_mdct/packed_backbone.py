"""Encoder and decoder of :mod:`~synbench_codecs._mdct.backbone` for inference on the CPU.

The same sums in another order, so results are equal within rounding. Layers with nothing but sums
between them are one layer here. Inner tensors are (B, F, C).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from synbench_codecs._mdct.backbone import (
    KERNEL_FRAMES,
    BackboneBlock,
    Decoder,
    Encoder,
    Trunk,
    response_ratio,
)
from synbench_codecs._mdct.packed import Convolution, Product, replaced
from synbench_codecs._mdct.packed_head import PackedHead
from synbench_codecs._mdct.quantizer import ResidualQuantizer

# A latent is close to other tokens if a move by this share of its size leads there. Both networks
# differ by half of that, spread over all components.
CLOSE = 5e-7

__all__ = ["PackedDecoder", "PackedEncoder"]


class PackedEncoder(nn.Module):
    """MDCT coefficients (B, bins, F) to a latent (B, K, L).

    Where rounding could decide a token, the plain network does.

    Args:
        encoder: the plain network.
        quantizer: the stages that are sent.
    """

    def __init__(self, encoder: Encoder, quantizer: ResidualQuantizer) -> None:
        super().__init__()
        self._plain, self._quantizer = [encoder], [quantizer]  # in lists, since they are no parts
        self._embed = Convolution.of(encoder.trunk.embed)
        self._blocks = _Blocks(encoder.trunk, torch.float32)
        self._out, self._down = Product.of(encoder.trunk.out), Convolution.of(encoder.down)

    def forward(self, coefficients: Tensor) -> Tensor:
        """(B, bins, F) to (B, K, L)."""
        (plain,), (quantizer,) = self._plain, self._quantizer
        x = self._blocks(self._embed(coefficients.transpose(1, 2)))
        # The plain layer: over channels that come last this one rounds three times as much.
        latent: Tensor = plain.latent(self._down(self._out(x)).transpose(1, 2))
        size = latent.square().sum(1).mean(-1).sqrt()
        return replaced(
            latent, coefficients, by=plain, where=quantizer.margin(latent) < CLOSE * size
        )


class PackedDecoder(nn.Module):
    """A quantized latent (B, K, L) to MDCT coefficients (B, bins, ratio L).

    Args:
        decoder: a network in float32.
        dtype: arithmetic of the blocks' linear layers, nearly all there is to compute; sums over
            blocks, norms and convolutions are float32 in any case.
    """

    def __init__(self, decoder: Decoder, *, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self._head = PackedHead(decoder)
        self._blocks = _Blocks(decoder.trunk, dtype)
        self._tail = _Tail(decoder.trunk.out, decoder.out)

    def forward(self, quantized: Tensor) -> Tensor:
        """(B, K, L) to (B, bins, ratio L)."""
        return self._tail(self._blocks(self._head(quantized))).transpose(1, 2)


class _Blocks:
    """All blocks, and the norms before and after them; (B, F, C)."""

    def __init__(self, trunk: Trunk, dtype: torch.dtype) -> None:
        self._norm, self._final_norm = trunk.norm, trunk.final_norm
        self._blocks = [
            _Block(block, dtype) for block in trunk.blocks if isinstance(block, BackboneBlock)
        ]

    def __call__(self, x: Tensor) -> Tensor:
        x = self._norm(x)
        for block in self._blocks:
            x = block(x)
        normed: Tensor = self._final_norm(x)
        return normed


class _Block:
    """One block; (B, F, C)."""

    def __init__(self, block: BackboneBlock, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._depthwise = Convolution.of(block.depthwise)
        self._norm, self._gamma = block.norm, block.response.gamma
        self._expand = Product(block.expand.weight.to(dtype), block.expand.bias.to(dtype))
        # The response's own bias passes the last layer here, once.
        weight, beta = block.project.weight, block.response.beta[0, 0]
        bias = functional.linear(beta, weight, block.project.bias)
        self._project = Product(weight.to(dtype), bias.to(dtype))

    def __call__(self, x: Tensor) -> Tensor:
        inner = self._expand(self._norm(self._depthwise(x)).to(self._dtype), "gelu")
        energy = inner.square().sum(dim=1, keepdim=True, dtype=torch.float32)
        scale = self._gamma * response_ratio(energy) + 1
        return self._project.added(inner.mul_(scale), x)


class _Tail:
    """The last linear layer and the output convolution as one; (B, F, C) to (B, F, bins)."""

    def __init__(self, linear: nn.Linear, convolution: nn.Conv1d) -> None:
        weight = torch.einsum("omk,mi->oik", convolution.weight, linear.weight)
        self._convolution = Convolution(weight, convolution.bias)
        # What every tap makes of the linear layer's bias, (taps, bins); there is none of it beyond
        # both ends.
        self._shares = torch.einsum("omk,m->ko", convolution.weight, linear.bias)

    def __call__(self, x: Tensor) -> Tensor:
        frames = torch.arange(x.shape[1])[:, None]
        taps = frames + torch.arange(KERNEL_FRAMES) - KERNEL_FRAMES // 2
        inside = (taps >= 0) & (taps < x.shape[1])
        return self._convolution(x).add_(inside.to(x.dtype) @ self._shares)
