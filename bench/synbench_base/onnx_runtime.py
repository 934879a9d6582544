"""Sessions of onnxruntime: one thread, on the CPU, without a log."""

from __future__ import annotations

from typing import Any

__all__ = ["session"]

SEVERE = 3


def session(model: bytes | str) -> Any:
    """A session of a model given by its content or its path."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Workers fill the cores; two networks at once on one core only get in each other's way.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = SEVERE
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
