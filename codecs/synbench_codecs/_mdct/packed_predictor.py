"""Predictors of :mod:`~synbench_codecs._mdct.predictor` for inference on the CPU."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from synbench_codecs._mdct.packed import Convolution, Product, replaced
from synbench_codecs._mdct.predictor import (
    ConformerBlock,
    ConvolutionModule,
    FeedForward,
    Predictor,
)

# Two logits are close that differ by less than this share of the largest; both networks differ by
# a tenth of it.
CLOSE = 4e-6

__all__ = ["PackedPredictor"]


class PackedPredictor(nn.Module):
    """Running sums (B, L, K) to logits (B, L, N).

    Where rounding could decide which logit is the largest, the plain network does.
    """

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        self._plain = [predictor]  # in a list, since it is no part
        self._input = Product.of(predictor.input)
        self._blocks = [
            _Block(block) for block in predictor.blocks if isinstance(block, ConformerBlock)
        ]
        self._lstm = predictor.lstm
        self._output = Product.of(predictor.output)

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, L, K) to (B, L, N)."""
        x = self._input(vectors)
        for block in self._blocks:
            x = block(x)
        logits = self._output(self._lstm(x)[0])
        first, second = logits.topk(2).values.unbind(-1)
        close = (first - second).amin(-1) < CLOSE * logits.abs().amax((1, 2))
        return replaced(logits, vectors, by=self._plain[0], where=close)


class _Block:
    def __init__(self, block: ConformerBlock) -> None:
        self._first, self._second = _FeedForward(block.first), _FeedForward(block.second)
        self._attention = _Attention(block.attention_norm, block.attention)
        self._convolution = _Convolution(block.convolution)
        self._norm = block.norm

    def __call__(self, x: Tensor) -> Tensor:
        x = self._convolution(self._attention(self._first(x)))
        normed: Tensor = self._norm(self._second(x))
        return normed


class _FeedForward:
    """The input plus half of what the layers give."""

    def __init__(self, layers: FeedForward) -> None:
        self._norm, expand, _, _, project, _ = layers
        assert isinstance(expand, nn.Linear) and isinstance(project, nn.Linear)
        self._expand, self._project = Product.of(expand), Product.of(project, scale=0.5)

    def __call__(self, x: Tensor) -> Tensor:
        return self._project.added(self._expand(self._norm(x), "swish"), x)


class _Attention:
    """The input plus what it sees of the other tokens."""

    def __init__(self, norm: nn.LayerNorm, attention: nn.MultiheadAttention) -> None:
        self._norm, self._heads = norm, attention.num_heads
        assert attention.in_proj_bias is not None
        self._inward = Product(attention.in_proj_weight, attention.in_proj_bias)
        self._outward = Product.of(attention.out_proj)

    def __call__(self, x: Tensor) -> Tensor:
        together = self._inward(self._norm(x)).view(*x.shape[:2], 3, self._heads, -1)
        query, key, value = together.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value)
        return self._outward.added(seen.transpose(1, 2).flatten(2), x)


class _Convolution:
    """The input plus its gated convolution; the batch norm is part of the depthwise weights."""

    def __init__(self, module: ConvolutionModule) -> None:
        inward, _, depthwise, batch_norm, _, outward, _ = module.layers
        assert isinstance(inward, nn.Conv1d) and isinstance(outward, nn.Conv1d)
        assert isinstance(depthwise, nn.Conv1d) and isinstance(batch_norm, nn.BatchNorm1d)
        assert inward.bias is not None and depthwise.bias is not None
        assert batch_norm.running_mean is not None and batch_norm.running_var is not None
        self._norm = module.norm
        (signal, gate), (signal_bias, gate_bias) = (
            inward.weight[..., 0].chunk(2),
            inward.bias.chunk(2),
        )
        self._signal, self._gate = Product(signal, signal_bias), Product(gate, gate_bias)
        scale = batch_norm.weight * (batch_norm.running_var + batch_norm.eps).rsqrt()
        self._depthwise = Convolution(
            depthwise.weight * scale[:, None, None],
            (depthwise.bias - batch_norm.running_mean) * scale + batch_norm.bias,
            groups=depthwise.groups,
        )
        self._outward = Product(outward.weight[..., 0], outward.bias)

    def __call__(self, x: Tensor) -> Tensor:
        inner = self._norm(x)
        gated = self._signal.multiplied(inner, self._gate(inner, "sigmoid"))
        return self._outward.added(self._depthwise(gated, "swish"), x)
