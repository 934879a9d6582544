"""Reads a safetensors file as NumPy arrays, without torch and without another package."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_codecs.errors import WeightsError

Arrays = dict[str, NDArray[Any]]

# The header is JSON behind its length, eight bytes, little-endian.
LENGTH = struct.Struct("<Q")
TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4", "U8": "u1"}

__all__ = ["Arrays", "read_arrays"]


def read_arrays(path: Path) -> Arrays:
    """All tensors by name; half and double precision become float32.

    Raises:
        WeightsError: truncated, another sort of file, a type that NumPy lacks, or values that are
            not finite.
    """
    content = path.read_bytes()
    try:
        (length,) = LENGTH.unpack_from(content)
        start = LENGTH.size + length
        header = json.loads(content[LENGTH.size : start])
        header.pop("__metadata__", None)
        arrays = {name: _array(content, start, entry) for name, entry in header.items()}
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} is no intact safetensors file: {error}") from error
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise WeightsError(f"{path}: {name} holds NaN or infinity")
    return arrays


def _array(content: bytes, start: int, entry: dict[str, Any]) -> NDArray[Any]:
    begin, end = entry["data_offsets"]
    stored = np.frombuffer(content[start + begin : start + end], TYPES[entry["dtype"]])
    shaped = stored.reshape(entry["shape"])
    return shaped.astype(np.float32) if shaped.dtype.kind == "f" else shaped
