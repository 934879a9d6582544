"""The next step's data, made by a thread while this step runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

__all__ = ["Ahead"]


class Ahead:
    """Calls a function of the step one step before its value is wanted.

    The value depends on the step alone, so it does not matter whether it was foreseen. On a machine
    with a GPU it lies in pinned memory, from where it is copied without waiting.
    """

    def __init__(self, make: Callable[[int], Tensor]) -> None:
        self.make = make
        self.pool = ThreadPoolExecutor(1)
        self.foreseen: dict[int, Future[Tensor]] = {}

    def __call__(self, step: int) -> Tensor:
        """The value for a step; the next one is begun."""
        now = self.foreseen.pop(step, None) or self.pool.submit(self._made, step)
        self.foreseen = {step + 1: self.pool.submit(self._made, step + 1)}
        return now.result()

    def _made(self, step: int) -> Tensor:
        value = self.make(step)
        return value.pin_memory() if torch.cuda.is_available() else value
