"""Waves and tokens as numpy arrays, whatever holds them: lists, torch tensors on any device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_array", "described", "median", "not_floats"]


def as_array(value: Any) -> NDArray[Any]:
    """The numbers as an array of the same shape; a tensor is taken from its device.

    Raises:
        TypeError, ValueError: no numbers, or lists of different lengths.
    """
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # a tensor of torch
        tensor = value.detach().cpu()
        # numpy has no such type.
        value = tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor
        value = value.numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"expected numbers, got {described(value)}")
    return array


def described(value: Any) -> str:
    """What a value is, for messages: ``torch.Tensor (1, 1, 16000) of torch.float32``."""
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    shape = getattr(value, "shape", None)
    if shape is None:
        return f"{module}{kind.__name__}"
    return f"{module}{kind.__name__} {tuple(shape)} of {getattr(value, 'dtype', 'unknown type')}"


def not_floats(array: NDArray[Any], name: str) -> str:
    """Why an array is no wave of floats, empty where it is one."""
    if array.dtype.kind == "f":
        return ""
    return (
        f"{name} must hold floats between -1 and 1, got {array.dtype}; divide 16-bit integers by "
        f"32768"
    )


def median(values: NDArray[np.float64]) -> float:
    """The median of at least one value; that of numpy, which imports its masked arrays for it."""
    ordered = np.sort(values, axis=None)
    middle = ordered.size // 2
    return float((ordered[(ordered.size - 1) // 2] + ordered[middle]) / 2)
