"""How worker processes start: as copies of a helper that has imported what they all need.

The helper (a fork server) imports once and then forks in milliseconds; it has no threads, so that
nothing is lost in the copies. Where the system has none, each worker is a fresh Python.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING

from synbench_base.allocator import keep_freed_memory

if TYPE_CHECKING:
    from multiprocessing import SimpleQueue

__all__ = ["prepare_worker", "worker_context"]


def worker_context(preload: Sequence[str]) -> BaseContext:
    """Starts processes that have these modules; a helper that runs already keeps what it has."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def prepare_worker(devices: SimpleQueue[str] | None, environment: Mapping[str, str]) -> None:
    """Leave Ctrl-C to the parent, and end with it: an orphan must not write into a later run.

    Args:
        devices: ids of CUDA devices, one of which this worker takes; ``None`` for no device.
        environment: the parent's as it is now; the helper has that of the time it was started.
    """
    if os.environ != environment:
        os.environ.clear()
        os.environ.update(environment)
    keep_freed_memory()
    if devices is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = devices.get()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()


def _die_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
