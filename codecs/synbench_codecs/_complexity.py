"""Parameters and multiply-accumulate operations (MACs) of a network, in two conventions.

**Proper.** Every multiply-accumulate of convolutions, transposed convolutions (each input sample
meets each tap once), matrix products (linear layers, attention, nearest-code search, transforms
that are a matrix), LSTMs and GRUs, and of the norms over time of ConvNeXt v2. They are seen where
torch dispatches them, so what a module calls itself does not matter. Biases, activations, other
norms, element-wise work and FFTs are left out. FLOPs would be twice the MACs.

**As thop prints.** Most codec papers print what ``thop`` 0.1.1 counts, and call it FLOPs: layers it
knows by type, transposed convolutions on output positions, four operations per element of a norm,
LSTMs with their element-wise work; attention layers, embeddings, activations, custom norms and
matrix products outside of a layer count nothing, and neither do their parameters.

Both are taken on one wave of a given length, a second by default, because edges and attention make
the cost per second depend on it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Count", "count"]

aten = torch.ops.aten
# What thop knows by type, as far as codecs use it.
THOP_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
THOP_NORMS = (nn.LayerNorm, nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm1d)
# The output layer of nn.MultiheadAttention, a linear layer by inheritance only.
UNKNOWN_TO_THOP = (nn.modules.linear.NonDynamicallyQuantizableLinear,)


@dataclass(frozen=True, kw_only=True)
class Count:
    """What running something costs.

    Attributes:
        macs: multiply-accumulates, properly counted.
        thop_macs: what thop would say.
        thop_layers: the layers that ran and that thop knows, each with its parameters.
    """

    macs: int
    thop_macs: int
    thop_layers: dict[nn.Module, int]

    @property
    def thop_parameters(self) -> int:
        """What thop would say, where it saw nothing else run."""
        return sum(self.thop_layers.values())


def count(model: nn.Module, run: Callable[[], object]) -> Count:
    """Count what ``run()``, which calls ``model`` or parts of it, costs."""
    proper, thop = _Proper(), _Thop()
    # The fast path of attention is one opaque operation that calls no layer.
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), thop.watching(model), proper.recurrent_layers(model), proper:
            run()
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return Count(macs=proper.macs, thop_macs=thop.macs, thop_layers=thop.counted)


class _Proper(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the MACs of every operation that reaches a kernel."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = 0

    @contextmanager
    def recurrent_layers(self, model: nn.Module) -> Iterator[None]:
        """Count LSTMs and GRUs by formula: step by step they would take minutes."""
        layers = [layer for layer in model.modules() if isinstance(layer, nn.LSTM | nn.GRU)]
        for layer in layers:
            layer.forward = functools.partial(self._recurrent, layer)  # type: ignore[assignment]
        try:
            yield
        finally:
            for layer in layers:
                del layer.forward

    def _recurrent(self, layer: nn.LSTM | nn.GRU, x: Tensor) -> tuple[Tensor, None]:
        weights = [weight for name, weight in layer.named_parameters() if "weight" in name]
        self.macs += math.prod(x.shape[:-1]) * sum(weight.numel() for weight in weights)
        width = layer.hidden_size * (2 if layer.bidirectional else 1)
        return x.new_zeros(*x.shape[:-1], width), None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        rule = RULES.get(func.overloadpacket)
        if rule is None:
            # A composite operation may be made of some that have a rule.
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        out = func(*args, **kwargs)
        if rule is not None:
            self.macs += rule(out, *args)
        return out


def _convolution(out: Tensor, x: Tensor, weight: Tensor, *rest: Any) -> int:
    transposed = rest[4]
    positions = x if transposed else out
    return positions.numel() * math.prod(weight.shape[1:])


def _product(out: Tensor, one: Tensor, other: Tensor, *_: Any) -> int:
    return out.numel() * one.shape[-1]


def _added_product(out: Tensor, _: Tensor, one: Tensor, *__: Any) -> int:
    return out.numel() * one.shape[-1]


def _attention(out: Any, query: Tensor, key: Tensor, value: Tensor, *_: Any) -> int:
    seen = math.prod(query.shape[:-1]) * key.shape[-2]
    return seen * (query.shape[-1] + value.shape[-1])


def _norm(out: Tensor, x: Tensor, *_: Any) -> int:
    return x.numel()


RULES: dict[Any, Callable[..., int]] = {
    aten.convolution: _convolution,
    aten.mm: _product,
    aten.bmm: _product,
    aten.addmm: _added_product,
    aten.baddbmm: _added_product,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention: _attention,
    aten._scaled_dot_product_efficient_attention: _attention,
    aten.linalg_vector_norm: _norm,
}


class _Thop:
    """Adds up what thop would, layer by layer."""

    def __init__(self) -> None:
        self.macs = 0
        self.counted: dict[nn.Module, int] = {}

    @contextmanager
    def watching(self, model: nn.Module) -> Iterator[None]:
        """Listen to every layer that thop has a rule for."""
        hooks = [
            layer.register_forward_hook(self._add)
            for layer in model.modules()
            if _known_to_thop(layer)
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _add(self, layer: Any, inputs: Any, output: Any) -> None:
        self.counted[layer] = sum(parameter.numel() for parameter in layer.parameters())
        if isinstance(layer, THOP_CONVOLUTIONS):
            taps = math.prod(layer.kernel_size) * layer.in_channels // layer.groups
            self.macs += output.numel() * taps
        elif isinstance(layer, nn.Linear):
            self.macs += output.numel() * layer.in_features
        elif isinstance(layer, nn.LSTM):
            self.macs += _thop_lstm(layer, inputs[0])
        else:
            self.macs += inputs[0].numel() * (4 if list(layer.parameters()) else 2)


def _known_to_thop(layer: nn.Module) -> bool:
    known = (*THOP_CONVOLUTIONS, *THOP_NORMS, nn.Linear, nn.LSTM)
    return isinstance(layer, known) and not isinstance(layer, UNKNOWN_TO_THOP)


def _thop_lstm(layer: nn.LSTM, x: Tensor) -> int:
    hidden, directions = layer.hidden_size, 1 + layer.bidirectional
    total = 0
    for depth in range(layer.num_layers):
        width = hidden * directions if depth else layer.input_size
        gate = (width + hidden) * hidden + hidden + (2 * hidden if layer.bias else 0)
        total += directions * (4 * gate + 4 * hidden)
    return total * math.prod(x.shape[:-1])
