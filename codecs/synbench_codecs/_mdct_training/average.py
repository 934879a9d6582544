"""A running mean of a network's weights: steadier to listen to than the last step's."""

from __future__ import annotations

import copy

import torch
from torch import nn

__all__ = ["RunningMean"]


class RunningMean:
    """The mean of a module's parameters and buffers, each step weighing ``1 - decay``.

    Over the first steps the decay is smaller, so that the start is soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.module = copy.deepcopy(module).requires_grad_(False).eval()

    @torch.no_grad()
    def add(self, module: nn.Module, step: int) -> None:
        """Take in what a step has made."""
        weight = 1 - min(self.decay, (step + 1) / (step + 10))
        pairs = zip(
            (*self.module.parameters(), *self.module.buffers()),
            (*module.parameters(), *module.buffers()),
            strict=True,
        )
        mean, new = map(list, zip(*pairs, strict=True))
        torch._foreach_lerp_(mean, new, weight)
