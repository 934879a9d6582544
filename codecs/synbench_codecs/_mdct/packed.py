"""Layers for inference on the CPU: weights laid out once for its kernels; time before channels.

oneDNN, which is part of torch, multiplies fastest by weights in a layout of its own, and applies an
activation or adds a residual while a result is still in cache. These are the operators that
``torch.compile`` calls; called by hand they need no compiler and start at once. A torch without
oneDNN computes the same by its ordinary operators.

Shape letters: B batch, F frames or tokens, C channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Activation = Literal["none", "gelu", "swish", "sigmoid"]
OPERATORS = (
    "_linear_pointwise",
    "_reorder_linear_weight",
    "_convolution_pointwise",
    "_is_mkldnn_bf16_supported",
)
# What the layouts are chosen for; they serve any other number of rows as well.
USUAL_ROWS = 1024

__all__ = ["Convolution", "Product", "has_kernels", "replaced"]


def has_kernels(dtype: torch.dtype = torch.float32) -> bool:
    """Whether this torch has the operators, and this processor arithmetic of that type."""
    operators = torch.ops.mkldnn
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    if not all(hasattr(operators, name) for name in OPERATORS):
        return False
    return dtype == torch.float32 or bool(operators._is_mkldnn_bf16_supported())


class Product:
    """A linear layer, (B, F, C in) to (B, F, C out), in the arithmetic of its weight."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self._weight = weight.contiguous()
        self._bias = None if bias is None else bias.contiguous()
        self._fused = has_kernels(weight.dtype)
        if self._fused:
            self._weight = torch.ops.mkldnn._reorder_linear_weight(self._weight, USUAL_ROWS)

    @classmethod
    def of(cls, layer: nn.Linear, *, scale: float = 1.0) -> Product:
        """A layer whose output is taken times ``scale``."""
        return cls(scale * layer.weight, scale * layer.bias)

    def __call__(self, x: Tensor, activation: Activation = "none") -> Tensor:
        """The activated product."""
        if not self._fused:
            return _activated(functional.linear(x, self._weight, self._bias), activation)
        made: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self._weight, self._bias, activation, [], "none" if activation == "gelu" else ""
        )
        return made

    def added(self, x: Tensor, other: Tensor) -> Tensor:
        """The product plus ``other``, which may be of a wider type."""
        if not self._fused or other.dtype != x.dtype:
            return other + self(x)
        joined: Tensor = torch.ops.mkldnn._linear_pointwise.binary(
            x, other, self._weight, self._bias, "add"
        )
        return joined

    def multiplied(self, x: Tensor, other: Tensor) -> Tensor:
        """The product times ``other``, element by element."""
        if not self._fused:
            return other * self(x)
        joined: Tensor = torch.ops.mkldnn._linear_pointwise.binary(
            x, other, self._weight, self._bias, "mul"
        )
        return joined


class Convolution:
    """A convolution over time, zeros at both ends; (B, F, C in) to (B, F / stride, C out).

    It is one of pictures of height 1 whose channels come last in memory: nothing is turned before
    or after, and a depthwise one takes a tenth of the time.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, *, stride: int = 1, groups: int = 1
    ) -> None:
        self._weight = weight[:, :, None].contiguous(memory_format=torch.channels_last)
        self._bias, self._groups = bias, groups
        self._stride, self._padding = (1, stride), (0, weight.shape[-1] // 2)
        self._fused = has_kernels()

    @classmethod
    def of(cls, layer: nn.Conv1d) -> Convolution:
        """A layer whose padding is half its kernel."""
        return cls(layer.weight, layer.bias, stride=layer.stride[0], groups=layer.groups)

    def __call__(self, x: Tensor, activation: Activation = "none") -> Tensor:
        """The activated convolution."""
        picture = x.contiguous()[:, None].permute(0, 3, 1, 2)
        # Weights stay as they are: the layout that suits one length costs milliseconds at another.
        if self._fused and activation != "none":
            made = torch.ops.mkldnn._convolution_pointwise(
                picture,
                self._weight,
                self._bias,
                self._padding,
                self._stride,
                (1, 1),
                self._groups,
                activation,
                [],
                "none" if activation == "gelu" else "",
            )
        else:
            made = functional.conv2d(
                picture, self._weight, self._bias, self._stride, self._padding, (1, 1), self._groups
            )
            made = _activated(made, activation)
        turned: Tensor = made.permute(0, 2, 3, 1)[:, 0]
        return turned.contiguous()


def replaced(
    made: Tensor, inputs: Tensor, *, by: Callable[[Tensor], Tensor], where: Tensor
) -> Tensor:
    """What was made of ``inputs``, both (B, ...), for the items that ``where`` (B,) tells by this.

    One by one, so that an item's outcome does not depend on others.
    """
    for item in where.nonzero()[:, 0].tolist():
        made[item] = by(inputs[item : item + 1])[0]
    return made


def _activated(x: Tensor, activation: Activation) -> Tensor:
    if activation == "gelu":
        return functional.gelu(x)
    if activation == "swish":
        return functional.silu(x)
    return torch.sigmoid(x) if activation == "sigmoid" else x
