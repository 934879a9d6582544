"""Networks on onnxruntime, as metrics call them: arrays in by name, float64 out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.onnx_runtime import session

__all__ = ["run", "session"]


def run(running: Any, **inputs: NDArray[Any]) -> NDArray[np.float64]:
    """The first output for inputs given by name, as float64."""
    arrays = {name: np.ascontiguousarray(value, np.float32) for name, value in inputs.items()}
    return np.asarray(running.run(None, arrays)[0], dtype=np.float64)
