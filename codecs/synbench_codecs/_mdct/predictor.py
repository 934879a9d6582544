"""The predictors of P2PSynCodec's pseudo quantizers: Conformer blocks, then a BiLSTM.

A predictor takes the running sum of the code vectors before its stage, (B, L, K), and gives one
logit per code and token, (B, L, N). Attention and BiLSTM run over time, within one item.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synbench_codecs._mdct.sizes import PredictorConfig

__all__ = ["Predictor", "PseudoQuantizers", "cascade", "soft_cascade", "teacher_forced"]


class FeedForward(nn.Sequential):
    """Half of the macaron; (B, L, C) to (B, L, C)."""

    def __init__(self, config: PredictorConfig) -> None:
        channels, inner = config.channels, config.expansion * config.channels
        super().__init__(
            nn.LayerNorm(channels),
            nn.Linear(channels, inner),
            nn.SiLU(),
            nn.Dropout(config.dropout),
            nn.Linear(inner, channels),
            nn.Dropout(config.dropout),
        )


class ConvolutionModule(nn.Module):
    """Gated pointwise and depthwise convolution over time; (B, L, C) to (B, L, C)."""

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        channels, inner = config.channels, 2 * config.channels
        self.norm = nn.LayerNorm(channels)
        self.layers = nn.Sequential(
            nn.Conv1d(channels, 2 * inner, 1),
            nn.GLU(dim=1),
            nn.Conv1d(inner, inner, config.kernel, padding=config.kernel // 2, groups=inner),
            nn.BatchNorm1d(inner),
            nn.SiLU(),
            nn.Conv1d(inner, channels, 1),
            nn.Dropout(config.dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, C) to (B, L, C)."""
        out: Tensor = self.layers(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return out


class ConformerBlock(nn.Module):
    """Half feed-forward, attention over time, convolution, half feed-forward, norm."""

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        self.first = FeedForward(config)
        self.attention_norm = nn.LayerNorm(config.channels)
        # Without batch_first, attention would run over the items of the batch.
        self.attention = nn.MultiheadAttention(
            config.channels, config.heads, dropout=config.dropout, batch_first=True
        )
        self.convolution = ConvolutionModule(config)
        self.second = FeedForward(config)
        self.norm = nn.LayerNorm(config.channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, C) to (B, L, C)."""
        x = x + 0.5 * self.first(x)
        inner = self.attention_norm(x)
        x = x + self.attention(inner, inner, inner, need_weights=False)[0]
        x = x + self.convolution(x)
        out: Tensor = self.norm(x + 0.5 * self.second(x))
        return out


class Predictor(nn.Module):
    """Logits of one pseudo quantizer."""

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        self.input = nn.Linear(config.latent, config.channels)
        self.blocks = nn.Sequential(*(ConformerBlock(config) for _ in range(config.blocks)))
        self.lstm = nn.LSTM(
            config.channels,
            config.channels // 2,
            config.lstm_layers,
            batch_first=True,
            bidirectional=True,
        )
        self.output = nn.Linear(config.channels, config.codes)

    def forward(self, vectors: Tensor) -> Tensor:
        """Running sums (B, L, K) to logits (B, L, N)."""
        logits: Tensor = self.output(self.lstm(self.blocks(self.input(vectors)))[0])
        return logits


def teacher_forced(predictors: nn.ModuleList, tables: Tensor, tokens: Tensor) -> list[Tensor]:
    """Logits (B, L, N) of every stage from the teacher's own tokens, for training.

    ``tables`` (Q, N, K) holds the plain stage and the pseudo stages, ``tokens`` is (B, Q, L).
    """
    vectors = tables[0][tokens[:, 0]]
    logits = []
    for stage, predictor in enumerate(predictors, start=1):
        logits.append(predictor(vectors))
        vectors = vectors + tables[stage][tokens[:, stage]]
    return logits


def cascade(predictors: nn.ModuleList, tables: Tensor, plain: Tensor) -> Tensor:
    """Tokens (B, Q, L) that the receiver makes of plain tokens (B, L): argmax, stage by stage."""
    vectors = tables[0][plain]
    tokens = [plain]
    for stage, predictor in enumerate(predictors, start=1):
        tokens.append(predictor(vectors).argmax(-1))
        vectors = vectors + tables[stage][tokens[-1]]
    return torch.stack(tokens, 1)


def soft_cascade(predictors: nn.ModuleList, tables: Tensor, plain: Tensor) -> Tensor:
    """Summed vectors (B, L, K): every stage adds the mean of its codes by their probability."""
    vectors = tables[0][plain]
    for stage, predictor in enumerate(predictors, start=1):
        vectors = vectors + predictor(vectors).softmax(-1) @ tables[stage]
    return vectors


class PseudoQuantizers(nn.Module):
    """The predictors of all pseudo stages, as one module to train, save and load."""

    def __init__(self, config: PredictorConfig, count: int) -> None:
        super().__init__()
        self.config = config
        self.predictors = nn.ModuleList(Predictor(config) for _ in range(count))

    def forward(self, tables: Tensor, tokens: Tensor) -> list[Tensor]:
        """Teacher-forced logits, as :func:`teacher_forced` gives them."""
        return teacher_forced(self.predictors, tables, tokens)
