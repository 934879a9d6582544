"""What runs the networks: torch where it is installed, else ONNX Runtime with equal tokens."""

from __future__ import annotations

import importlib.util
from typing import Literal

from synbench_base.device import device
from synbench_base.errors import Unavailable
from synbench_base.packages import install, installed_version, require
from synbench_base.weights import Checkpoint

Engine = Literal["torch", "onnxruntime"]

__all__ = ["Engine", "engine", "named_engine", "require_engine"]


def engine() -> Engine:
    """What runs the networks here; without either it is torch, which is then missing."""
    if importlib.util.find_spec("torch") is None and importlib.util.find_spec("onnxruntime"):
        return "onnxruntime"
    return "torch"


def named_engine() -> str:
    """``torch 2.13.0``; of the build (``+cpu``) nothing, all compute the same on the CPU."""
    return f"{engine()} {installed_version(engine()).partition('+')[0]}"


def require_engine(checkpoint: Checkpoint) -> None:
    """Check that such weights can be run here.

    Raises:
        Unavailable: neither is installed, or only ONNX Runtime and it cannot: the authors' own
            checkpoints are read by torch, and a device other than the CPU needs it.
    """
    if engine() == "torch":
        require("torch", extra="torch")
    elif len(checkpoint.files) > 1:
        raise Unavailable(
            f"torch is not installed, which reads {checkpoint.name}: {install('torch')}"
        )
    elif device() != "cpu":
        raise Unavailable(
            f"torch is not installed, for SYNBENCH_DEVICE={device()}: {install('torch')}"
        )
