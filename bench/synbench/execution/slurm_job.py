"""What runs on a node: one unit of work, unless its run is over; SIGTERM drops it at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from synbench.execution.executors import WorkerDied
from synbench.execution.scratch import clear_scratch
from synbench_base.allocator import keep_freed_memory
from synbench_base.files import drop_unfinished

__all__ = ["work"]


def work(
    current: str, token: str, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[Any, Exception | None]:
    """Do a unit; an exception is data, for submitit would keep only its text.

    Args:
        current: file that holds the token of the run which works now.
        token: of the run that submitted this.
    """
    keep_freed_memory()
    for name in (signal.SIGTERM, signal.SIGUSR2):
        signal.signal(name, _drop)
    try:
        if Path(current).read_text(encoding="ascii") != token:
            raise WorkerDied("the run of this job is over")
        return function(*arguments), None
    except Exception as error:  # noqa: BLE001 - the future carries it, as a pool's would
        return None, error


def _drop(number: int, _: FrameType | None) -> None:
    """Preempted, cancelled or out of time: nothing half-done has its final name, so just end.

    No exception would do: foreign code catches it, and what is left of it would cost a cell.
    """
    drop_unfinished()
    clear_scratch()
    os._exit(128 + number)
