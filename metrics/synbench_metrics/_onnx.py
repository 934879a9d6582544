"""Sessions of onnxruntime: one thread, on the CPU, without a log."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["run", "session"]


def session(model: bytes | str) -> Any:
    """A session of a model given by its content or its path."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Workers fill the cores; two networks at once on one core only get in each other's way.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(running: Any, **inputs: NDArray[Any]) -> NDArray[np.float64]:
    """The first output for inputs given by name, as float64."""
    arrays = {name: np.ascontiguousarray(value, np.float32) for name, value in inputs.items()}
    return np.asarray(running.run(None, arrays)[0], dtype=np.float64)
