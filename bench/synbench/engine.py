"""Executors: something with ``submit`` that gives a future. One seam, two implementations.

Durability is the store's business. An executor only runs a function of plain data somewhere and
says how it ended; a worker that dies shows as :class:`~concurrent.futures.BrokenExecutor`.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, Protocol

# One thread per worker: the pool already fills the cores, and timings name their thread count.
THREAD_VARIABLES = (
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

__all__ = ["Executor", "ProcessPool", "Serial", "default_workers", "make_executor"]


class Executor(Protocol):
    """Runs functions; the shape of :mod:`concurrent.futures`."""

    workers: int

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Start ``function(*arguments)``."""

    def restart(self) -> None:
        """Replace workers after one has died."""

    def shutdown(self, *, kill: bool = False) -> None:
        """Release the workers; with ``kill`` at once, whatever they are doing."""


class Serial:
    """Everything in this process, one after another: for debugging and tiny jobs."""

    workers = 1

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run now; the future is done when this returns."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - the future carries it, as a pool's would
            future.set_exception(error)
        return future

    def restart(self) -> None:
        """Nothing to replace."""

    def shutdown(self, *, kill: bool = False) -> None:
        """Nothing to release."""


class ProcessPool:
    """Spawned worker processes, one thread each."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        for variable in THREAD_VARIABLES:
            os.environ[variable] = "1"  # before any worker imports numpy
        self._pool = self._make()

    def _make(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_prepare_worker,
        )

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Start in a free worker."""
        return self._pool.submit(function, *arguments)

    def restart(self) -> None:
        """A fresh pool; the broken one is left to die."""
        self.shutdown(kill=True)
        self._pool = self._make()

    def shutdown(self, *, kill: bool = False) -> None:
        """Release the workers."""
        processes = list((self._pool._processes or {}).values()) if kill else []
        self._pool.shutdown(wait=not kill, cancel_futures=True)
        for process in processes:
            process.kill()


def _prepare_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it: an orphan must not write into a later run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()


def _die_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def default_workers() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_executor(workers: int) -> Executor:
    """A process pool, or with 0 workers everything in this process."""
    return ProcessPool(workers) if workers else Serial()
