"""What P2PSynCodec's receiver makes of the tokens that were sent."""

from __future__ import annotations

import torch
from torch import Tensor

from synbench_codecs._mdct.predictor import cascade, soft_cascade
from synbench_codecs._mdct.trained_model import TrainedModel

RANDOM_SEED = 0

__all__ = ["Receiver"]


class Receiver:
    """Tables, predictors and decoder of one model."""

    def __init__(self, model: TrainedModel) -> None:
        assert model.pseudo is not None
        self.codec = model.codec
        self.predictors = model.pseudo.predictors
        self.tables = model.codec.quantizer.tables()[: len(self.predictors) + 1]

    def vectors(self, tokens: Tensor, *, how: str) -> Tensor:
        """Summed code vectors (B, K, L) of the sent tokens (B, Q, L).

        ``how`` is one of the choices of :mod:`synbench_codecs.p2psyncodec`; ``oracle`` wants all
        stages sent, the others take the plain one.
        """
        if how == "soft":
            return soft_cascade(self.predictors, self.tables, tokens[:, 0]).transpose(1, 2)
        return self._sum(self._complete(tokens, how))

    def _complete(self, tokens: Tensor, how: str) -> Tensor:
        if how in ("oracle", "plain-only"):
            return tokens
        if how == "all":
            return cascade(self.predictors, self.tables, tokens[:, 0])
        batch, _, length = tokens.shape
        shape = (len(self.predictors), length)
        if how == "zero":
            made = torch.zeros(shape, dtype=torch.int64)
        else:
            generator = torch.Generator().manual_seed(RANDOM_SEED)
            made = torch.randint(self.tables.shape[1], shape, generator=generator)
        return torch.cat([tokens, made.to(tokens.device).expand(batch, -1, -1)], 1)

    def _sum(self, tokens: Tensor) -> Tensor:
        """Stage after stage, as in the cascade, so that sums are equal to the last bit."""
        vectors = self.tables[0][tokens[:, 0]]
        for stage in range(1, tokens.shape[1]):
            vectors = vectors + self.tables[stage][tokens[:, stage]]
        return vectors.transpose(1, 2)
