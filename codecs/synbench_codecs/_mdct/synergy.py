"""P2PSynCodec's network: a codec that sends its first stage, and predictors for the others."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synbench_codecs._mdct.model import MDCTModel
from synbench_codecs._mdct.predictor import PseudoQuantizers, cascade, soft_cascade

RANDOM_SEED = 0

__all__ = ["SynergyModel"]


class SynergyModel(nn.Module):
    """Encoder and plain stage at the sender; tables, predictors and decoder at the receiver.

    Args:
        codec: the teacher; its quantizer is cut to the stages that are sent.
        pseudo: one predictor for each of the teacher's further stages.
        sent: 1, or all stages where the teacher's own tokens travel.
    """

    plain: Tensor

    def __init__(self, codec: MDCTModel, pseudo: PseudoQuantizers, *, sent: int) -> None:
        super().__init__()
        tables = codec.quantizer.tables()[: len(pseudo.predictors) + 1]
        self.codec = codec
        self.codec.quantizer.keep(sent)
        self.predictors = pseudo.predictors
        # The first table is the plain stage's own codebook and projection, folded.
        self.register_buffer("plain", tables[:1], persistent=False)
        self.pseudo_tables = nn.Parameter(tables[1:], requires_grad=False)

    def encode(self, waves: Tensor) -> Tensor:
        """The tokens that are sent, (B, Q, L), of waves (B, T)."""
        return self.codec.encode(waves)

    def decode(self, tokens: Tensor, *, how: str) -> Tensor:
        """Waves (B, hop * L) of the sent tokens (B, Q, L).

        ``how`` is one of the choices of :mod:`synbench_codecs.adapters.p2psyncodec`; ``oracle``
        wants all stages sent, the others take the plain one.
        """
        return self.codec.decode_whole_hops(self.vectors(tokens, how=how))

    def vectors(self, tokens: Tensor, *, how: str) -> Tensor:
        """Summed code vectors (B, K, L) of the sent tokens (B, Q, L)."""
        tables = torch.cat([self.plain, self.pseudo_tables])
        if how == "soft":
            return soft_cascade(self.predictors, tables, tokens[:, 0]).transpose(1, 2)
        complete = self._complete(tokens, tables, how)
        # Stage after stage, as in the cascade, so that sums are equal to the last bit.
        vectors = tables[0][complete[:, 0]]
        for stage in range(1, complete.shape[1]):
            vectors = vectors + tables[stage][complete[:, stage]]
        return vectors.transpose(1, 2)

    def _complete(self, tokens: Tensor, tables: Tensor, how: str) -> Tensor:
        if how in ("oracle", "plain-only"):
            return tokens
        if how == "all":
            return cascade(self.predictors, tables, tokens[:, 0])
        batch, _, length = tokens.shape
        shape = (len(self.predictors), length)
        if how == "zero":
            made = torch.zeros(shape, dtype=torch.int64)
        else:
            generator = torch.Generator().manual_seed(RANDOM_SEED)
            made = torch.randint(tables.shape[1], shape, generator=generator)
        return torch.cat([tokens, made.to(tokens.device).expand(batch, -1, -1)], 1)
