"""Executors: something with ``submit`` that gives a future; the shape of ``concurrent.futures``.

Durability is the store's business. An executor only runs a function of plain data somewhere and
says how it ended. A worker that dies shows as :class:`~concurrent.futures.BrokenExecutor` where it
takes the other workers with it, and as :class:`WorkerDied` where only its own unit is lost.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from synbench.errors import EnvironmentFault, UsageError
from synbench.execution.cores import default_workers
from synbench.execution.worker_start import prepare_worker, worker_context
from synbench_base.device import device

# One thread per worker: the pool already fills the cores, and timings name their thread count.
THREAD_VARIABLES = (
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

LOCAL_UNIT_SECONDS = (2.0, 60.0)
# What every worker of a run imports.
RUN_MODULES = ("synbench.execution.decoding", "synbench.execution.scoring")
WORKER_DIED = "the worker process died twice on this cell (crash or out of memory)"
EXECUTORS = {
    "local": "synbench.execution.executors:local",
    "slurm": "synbench.execution.executor_slurm:Slurm",
    "dask": "synbench.execution.executor_dask:Dask",
}

__all__ = [
    "WORKER_DIED",
    "Executor",
    "ProcessPool",
    "Serial",
    "WorkerDied",
    "cuda_devices",
    "make_executor",
]


class WorkerDied(Exception):
    """The worker of this unit died; units of other workers are not lost.

    Args:
        shared: other units were with that worker, so that one of them may have killed it.
    """

    def __init__(self, reason: str, *, shared: bool = False) -> None:
        super().__init__(reason)
        self.shared = shared


class Executor(Protocol):
    """Runs functions; the shape of :mod:`concurrent.futures`."""

    workers: int
    """How many units are worked on at the same time."""
    in_flight: int
    """How many units may be submitted and not finished."""
    unit_seconds: tuple[float, float]
    """Shortest and longest time that a unit of work should take here."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Start ``function(*arguments)``."""

    def restart(self) -> None:
        """Replace workers after one has died."""

    def shutdown(self, *, kill: bool = False) -> None:
        """Release the workers; with ``kill`` at once, whatever they are doing."""


class Serial:
    """Everything in this process, one after another: for debugging and tiny jobs."""

    workers = in_flight = 1
    unit_seconds = LOCAL_UNIT_SECONDS

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
    """Worker processes, one thread each.

    Args:
        devices: ids of CUDA devices; each worker sees one of them, as its only one.
        preload: modules that all of them need; imported once, where the system can.
    """

    unit_seconds = LOCAL_UNIT_SECONDS

    def __init__(
        self, workers: int, *, devices: Sequence[str] = (), preload: Sequence[str] = RUN_MODULES
    ) -> None:
        self.workers = self.in_flight = workers
        self._devices = devices
        self._preload = preload
        for variable in THREAD_VARIABLES:
            os.environ[variable] = "1"  # before any worker imports numpy
        self._pool = self._make()

    def _make(self) -> ProcessPoolExecutor:
        with _startable():
            context = worker_context(self._preload)
            devices = context.SimpleQueue()
            for index in self._devices:
                devices.put(index)
            return ProcessPoolExecutor(
                self.workers,
                mp_context=context,
                initializer=prepare_worker,
                initargs=(devices if self._devices else None, dict(os.environ)),
            )

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Start in a free worker.

        Raises:
            EnvironmentFault: the system starts no further process.
        """
        with _startable(), _without_main():
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


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Workers started here do not run the main script again.

    They need nothing of it, and a script of a user's own, without ``if __name__ == "__main__"``,
    would start a run in each of them.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _startable() -> Iterator[None]:
    """Turn what keeps processes from starting into one sentence.

    Workers need helper processes of Python's (resource tracker, fork server), pipes and shared
    memory; limits on processes and memory show as ``OSError``, a helper that died as a broken pipe.
    """
    try:
        with warnings.catch_warnings():
            # Python warns that the helper died, and fails a moment later.
            warnings.filterwarnings("ignore", message="resource_tracker")
            yield
    except BrokenExecutor:
        raise
    except (OSError, RuntimeError) as error:
        raise EnvironmentFault(
            f"cannot start worker processes: {error}; raise the limits of this shell (ulimit -a), "
            f"or do everything in one process with --workers 0"
        ) from error


def cuda_devices() -> tuple[str, ...]:
    """Ids of the CUDA devices to share out among workers; none unless ``SYNBENCH_DEVICE=cuda``."""
    if device() != "cuda":
        return ()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(filter(None, (name.strip() for name in visible.split(","))))
    try:
        import torch
    except ImportError:
        return ()
    return tuple(str(index) for index in range(torch.cuda.device_count()))


def make_executor(spec: str, *, workers: int | None, folder: Path) -> Executor:
    """The executor called ``local``, ``slurm`` or ``dask``, with options as ``name:option=value``.

    Args:
        workers: units at the same time; ``None`` for what is usual there, 0 for this very process.
        folder: the run's own.

    Raises:
        UsageError: another name, or options that do not fit.
        EnvironmentFault: the package or the cluster is not there.
    """
    from synbench_base.option_values import typed_options
    from synbench_codecs import parse_spec

    name, options = parse_spec(spec)
    if name not in EXECUTORS:
        raise UsageError(f"unknown executor {name!r}; there are: {', '.join(EXECUTORS)}")
    module, _, attribute = EXECUTORS[name].partition(":")
    maker = getattr(importlib.import_module(module), attribute)
    options = typed_options(options, inspect.signature(maker).parameters)
    try:
        inspect.signature(maker).bind(workers=workers, folder=folder, **options)
    except TypeError as error:
        known = sorted(inspect.signature(maker).parameters.keys() - {"workers", "folder"})
        raise UsageError(
            f"{spec}: {error}; options of {name}: {', '.join(known) or 'none'}"
        ) from error
    made: Executor = maker(workers=workers, folder=folder, **options)
    return made


def local(*, workers: int | None, folder: Path) -> Executor:
    """A process pool on the cores of this machine, or with 0 workers this very process."""
    count = default_workers() if workers is None else workers
    return ProcessPool(count) if count else Serial()
