"""Residual vector quantizer: projected latents, nearest code by cosine or by Euclidean distance.

The vector that a code stands for is taken after the output projection, so the sum of the stages
lies in the decoder's input space and a stage folds into one table of N x K.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, mse_loss, normalize
from torch.nn.utils.parametrizations import weight_norm

from synbench_codecs._mdct.sizes import Search

__all__ = ["Quantized", "ResidualQuantizer", "VectorQuantizer"]


@dataclass(frozen=True)
class Quantized:
    """A quantized latent (B, K, L), its tokens (B, Q, L), and the two losses, scalars.

    ``plain`` (B, K, L) is what the first stage alone gives.
    """

    vectors: Tensor
    plain: Tensor
    tokens: Tensor
    codebook_loss: Tensor
    commitment_loss: Tensor


class VectorQuantizer(nn.Module):
    """One stage: ``codes`` vectors of ``latent`` components."""

    usage: Tensor

    def __init__(
        self, *, codes: int, latent: int, search: Search = "cosine", usage_decay: float = 0.99
    ) -> None:
        super().__init__()
        self.search = search
        self.usage_decay = usage_decay
        self.in_proj = weight_norm(nn.Conv1d(latent, latent, 1))
        self.out_proj = weight_norm(nn.Conv1d(latent, latent, 1))
        self.codebook = nn.Embedding(codes, latent)
        self.register_buffer("usage", torch.zeros(codes), persistent=False)

    def tokens(self, projected: Tensor) -> Tensor:
        """Nearest codes (B, L) of projected latents (B, K, L)."""
        return self._distances(projected).argmin(-1)

    def margin(self, projected: Tensor) -> Tensor:
        """How far projected latents (B, K, L) may move before a code is another one, (B, L)."""
        first, second = self._distances(projected).topk(2, largest=False).values.unbind(-1)
        # A move changes the difference by at most 4 times its length times the length of a code.
        if self.search == "cosine":
            margin: Tensor = (second - first) / 4 * projected.norm(dim=1)
        else:
            margin = (second - first) / (4 * self.codebook.weight.norm(dim=1).max())
        return margin

    def _distances(self, projected: Tensor) -> Tensor:
        """Squared distances (B, L, N) of projected latents (B, K, L) to all codes."""
        flat = projected.transpose(1, 2).flatten(0, 1)
        codebook = self.codebook.weight
        if self.search == "cosine":
            flat, codebook = normalize(flat), normalize(codebook)
        distance = flat.square().sum(1, keepdim=True) - 2 * flat @ codebook.T
        distance = distance + codebook.square().sum(1)
        return distance.view(projected.shape[0], projected.shape[2], -1)

    def lookup(self, tokens: Tensor) -> Tensor:
        """Decoder-side vectors (B, K, L) of tokens (B, L)."""
        vectors: Tensor = self.out_proj(self._rows(tokens))
        return vectors

    def table(self) -> Tensor:
        """All decoder-side vectors, (N, K): codebook and output projection folded."""
        vectors: Tensor = self.out_proj(self.codebook.weight.T[None])
        return vectors[0].T

    def forward(self, latent: Tensor) -> Quantized:
        """Quantize a latent (B, K, L); gradients pass straight through."""
        projected = self.in_proj(latent)
        tokens = self.tokens(projected)
        rows = self._rows(tokens)
        codebook_loss = mse_loss(rows, projected.detach())
        commitment_loss = mse_loss(projected, rows.detach())
        vectors = self.out_proj(projected + (rows - projected).detach())
        return Quantized(vectors, vectors, tokens, codebook_loss, commitment_loss)

    @torch.no_grad()
    def refresh(self, latent: Tensor, tokens: Tensor, generator: torch.Generator) -> None:
        """Online clustering: move codes that nobody uses onto latents of this batch.

        A code's running share of use decides how far it moves, so codes in use stay. Before the
        first batch no code has been used: all start on latents. With several processes, all see
        the use of all and move to the latents of the first.
        """
        codes, rest = self.usage.numel(), 1 - self.usage_decay
        share = torch.bincount(tokens.flatten(), minlength=codes) / tokens.numel()
        projected = self.in_proj(latent).transpose(1, 2).flatten(0, 1)
        drawn = torch.randint(projected.shape[0], (codes,), generator=generator)
        anchors = projected[drawn.to(projected.device)]
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(share)
            share /= torch.distributed.get_world_size()
            torch.distributed.broadcast(anchors, 0)
        pull = torch.exp(-10 * self.usage * codes / rest - 1e-3)[:, None]
        self.usage.mul_(self.usage_decay).add_(share, alpha=rest)
        self.codebook.weight.lerp_(anchors, pull.expand_as(anchors))

    def _rows(self, tokens: Tensor) -> Tensor:
        return embedding(tokens, self.codebook.weight).transpose(1, 2)


class ResidualQuantizer(nn.Module):
    """Stages that each code what the stages before have left."""

    def __init__(
        self,
        *,
        codebooks: int,
        codes: int,
        latent: int,
        search: Search = "cosine",
        usage_decay: float = 0.99,
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            VectorQuantizer(codes=codes, latent=latent, search=search, usage_decay=usage_decay)
            for _ in range(codebooks)
        )

    def forward(
        self,
        latent: Tensor,
        refresh: torch.Generator | None = None,
        first_alone: Tensor | None = None,
    ) -> Quantized:
        """Quantize a latent (B, K, L).

        ``refresh`` turns online clustering on. Items for which ``first_alone`` (B,) is true get
        the vectors of the first stage alone; their tokens and losses are still those of all.
        """
        residual, total = latent, torch.zeros_like(latent)
        tokens: list[Tensor] = []
        plain = total
        codebook_loss = commitment_loss = latent.new_zeros(())
        for stage in self.stages:
            assert isinstance(stage, VectorQuantizer)
            quantized = stage(residual)
            if refresh is not None:
                stage.refresh(residual.detach(), quantized.tokens, refresh)
            residual = residual - quantized.vectors
            vectors = quantized.vectors
            if not tokens:
                plain = vectors
            if first_alone is not None and tokens:
                vectors = vectors.masked_fill(first_alone[:, None, None], 0)
            total = total + vectors
            tokens.append(quantized.tokens)
            codebook_loss = codebook_loss + quantized.codebook_loss
            commitment_loss = commitment_loss + quantized.commitment_loss
        return Quantized(total, plain, torch.stack(tokens, 1), codebook_loss, commitment_loss)

    def margin(self, latent: Tensor) -> Tensor:
        """How far a latent (B, K, L) may move before a token is another one, (B,), roughly."""
        margins, residual = [], latent
        for stage in self.stages:
            assert isinstance(stage, VectorQuantizer)
            margins.append(stage.margin(stage.in_proj(residual)).amin(-1))
            residual = residual - stage(residual).vectors
        return torch.stack(margins).amin(0)

    def lookup(self, tokens: Tensor) -> Tensor:
        """The sum (B, K, L) of the vectors of tokens (B, Q, L); Q may be less than all stages."""
        pairs = zip(self.stages, tokens.unbind(1), strict=False)
        vectors: Tensor = sum(stage.lookup(row) for stage, row in pairs)  # type: ignore[operator, assignment]
        return vectors

    @torch.no_grad()
    def tables(self) -> Tensor:
        """Decoder-side vectors of all stages, (Q, N, K)."""
        stages = (stage for stage in self.stages if isinstance(stage, VectorQuantizer))
        return torch.stack([stage.table() for stage in stages])

    def keep(self, count: int) -> None:
        """Forget all stages but the first ``count``."""
        self.stages = self.stages[:count]

    def usage(self) -> Tensor:
        """Running share of use of every code, (Q, N)."""
        return torch.stack([stage.get_buffer("usage") for stage in self.stages])

    def set_usage(self, usage: Tensor) -> None:
        """Put back what :meth:`usage` gave."""
        for stage, row in zip(self.stages, usage, strict=True):
            stage.get_buffer("usage").copy_(row)
