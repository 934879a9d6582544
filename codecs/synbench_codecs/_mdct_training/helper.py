"""A network that is trained beside the codec and thrown away with the run, with its optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from synbench_codecs._mdct_training.configuration import Optimiser
from synbench_codecs._mdct_training.loop import make_optimiser

__all__ = ["Helper"]


class Helper:
    """One such network; ``prepared`` is what goes forward, over all processes together."""

    def __init__(self, module: nn.Module, settings: Optimiser, accelerator: Any) -> None:
        self.module, self.settings, self.accelerator = module, settings, accelerator
        self.prepared, self.optimiser = accelerator.prepare(
            module, make_optimiser(module, settings)
        )

    def descend(self, loss: Tensor) -> None:
        """One step of its own."""
        self.optimiser.zero_grad()
        self.accelerator.backward(loss)
        if self.settings.clip is not None:
            self.accelerator.clip_grad_norm_(self.module.parameters(), self.settings.clip)
        self.optimiser.step()

    def set_rate(self, rate: float) -> None:
        """Give its optimiser a learning rate."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def state(self) -> dict[str, Any]:
        """Weights and optimiser."""
        return {"module": self.module.state_dict(), "optimiser": self.optimiser.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state back."""
        self.module.load_state_dict(state["module"])
        self.optimiser.load_state_dict(state["optimiser"])

    def take(self, state: Mapping[str, Any]) -> None:
        """Go on from the helper of another run, if it had the same sizes; else start afresh."""
        before, own = state.get("module", {}), self.module.state_dict()
        if _shapes(before) == _shapes(own):
            self.restore(state)


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in tensors.items()}
