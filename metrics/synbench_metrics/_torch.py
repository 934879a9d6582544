"""What the metrics that run on torch share; imported only when one of them computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from synbench_base.device import check_device
from synbench_base.errors import Unavailable

Model = TypeVar("Model", bound=torch.nn.Module)

# One forward pass on a GPU takes this much audio; on a CPU side by side is not faster.
SECONDS_AT_ONCE = 120.0

__all__ = ["device", "load_strictly", "passes", "read_state"]


def device() -> torch.device:
    """The device of :mod:`synbench_base.device`, for torch.

    Raises:
        EnvironmentFault: it is not there.
    """
    return torch.device(check_device())


def passes(waves: NDArray[Any], sample_rate: int) -> Iterator[torch.Tensor]:
    """Waves ``(batch, samples)`` of one length as float32 tensors on the device, pass by pass."""
    seconds = waves.shape[1] / sample_rate
    size = 1 if device().type == "cpu" else max(1, int(SECONDS_AT_ONCE / seconds))
    for at in range(0, len(waves), size):
        yield torch.from_numpy(waves[at : at + size].astype(np.float32)).to(device())


def read_state(path: Path) -> Any:
    """The content of a checkpoint; nothing in it is executed.

    Raises:
        Unavailable: it is damaged, or holds more than tensors and plain values.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Not the library's own words: they advise to load the file without this protection.
        raise Unavailable(
            f"{path} is not a checkpoint: it is damaged, or holds more than tensors and plain "
            f"values ({type(error).__name__}); nothing in it was executed"
        ) from error


def load_strictly(make: Callable[[], Model], state: Any, name: str) -> Model:
    """A model in evaluation mode on the device, with every tensor from ``state`` and no other.

    Raises:
        Unavailable: names or shapes differ; the message names the first of them.
    """
    with torch.device("meta"):
        model = make()
    wanted = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    given = {key: tuple(getattr(value, "shape", ())) for key, value in dict(state).items()}
    different = sorted(key for key in wanted | given if wanted.get(key) != given.get(key))
    if different:
        key = different[0]
        raise Unavailable(
            f"this is no checkpoint of {name}: {len(different)} tensors differ, first {key}: "
            f"expected {wanted.get(key, 'none')}, got {given.get(key, 'none')}"
        )
    broken = [key for key, value in state.items() if not bool(value.isfinite().all())]
    if broken:
        raise Unavailable(f"this checkpoint of {name} holds NaN or infinity, first in {broken[0]}")
    model.load_state_dict(
        {key: value.float() for key, value in state.items()}, strict=True, assign=True
    )
    return model.eval().requires_grad_(False).to(device())
