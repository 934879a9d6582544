"""Units of work as tasks of a running Dask cluster, wherever its scheduler listens.

The run folder and the corpora must be reachable under the same paths from every worker, and each
worker must have one thread: codecs and metrics hold models that two threads must not share.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

from synbench.errors import EnvironmentFault, UsageError
from synbench.execution.executors import WorkerDied
from synbench_base.packages import import_extra

SECONDS_TO_ANSWER = 20
UNITS_PER_WORKER = 2

__all__ = ["Dask"]


class Dask:
    """An executor on a Dask cluster.

    Args:
        address: of the scheduler, ``tcp://host:8786``; or
        scheduler_file: the file that ``dask scheduler --scheduler-file`` wrote on a shared disk.
        workers, folder: not used; every executor is given them.
    """

    unit_seconds = (5.0, 120.0)

    def __init__(
        self, *, workers: int | None, folder: Path, address: str = "", scheduler_file: str = ""
    ) -> None:
        if workers is not None:
            raise UsageError("dask: its workers are those of the cluster; leave out --workers")
        if bool(address) == bool(scheduler_file):
            raise UsageError("expected dask:address=tcp://host:8786 or dask:scheduler_file=FILE")
        address = address or _written_address(Path(scheduler_file))
        distributed = import_extra("distributed", extra="dask")
        try:
            connect: Any = distributed.Client
            self._client = connect(address, timeout=SECONDS_TO_ANSWER)
        except (OSError, ValueError) as error:
            raise EnvironmentFault(f"no Dask scheduler at {address}: {error}") from error
        threads = self._client.nthreads()
        if not threads or max(threads.values()) > 1:
            thread_counts = (
                ", ".join(f"{name}: {count}" for name, count in threads.items()) or "none"
            )
            self._client.close()
            raise UsageError(
                f"expected Dask workers with one thread each, got {thread_counts}; "
                "start them with: dask worker ADDRESS --nworkers N --nthreads 1"
            )
        # More units than workers, so that none waits for this process.
        self.workers, self.in_flight = len(threads), UNITS_PER_WORKER * len(threads)
        self._address = address
        self._waiting: dict[Any, Future[Any]] = {}

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Start on a free worker."""
        future: Future[Any] = Future()
        task: Any = self._client.submit(function, *arguments, pure=False)
        self._waiting[task] = future  # a task that nobody holds is cancelled
        task.add_done_callback(self._settle)
        return future

    def restart(self) -> None:
        """Nothing to replace: the cluster starts its workers again itself."""

    def shutdown(self, *, kill: bool = False) -> None:
        """Cancel what was submitted; the cluster stays."""
        self._client.cancel(list(self._waiting))
        self._client.close()

    def _settle(self, task: Any) -> None:
        import distributed
        from distributed.comm.core import CommClosedError

        future = self._waiting.pop(task)
        try:
            future.set_result(task.result())
        except distributed.KilledWorker:
            future.set_exception(WorkerDied("", shared=True))
        except (CancelledError, asyncio.CancelledError, CommClosedError):
            # Nobody here cancels a task whose result is waited for.
            future.set_exception(
                EnvironmentFault(
                    f"the Dask scheduler at {self._address} is gone; start it and its workers, "
                    "then type the same command again"
                )
            )
        except Exception as error:  # noqa: BLE001 - the future carries it, as a pool's would
            future.set_exception(error)


def _written_address(file: Path) -> str:
    """What a scheduler wrote about where it listens."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["address"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EnvironmentFault(
            f"cannot read {file}: {error}; start it with: dask scheduler --scheduler-file {file}"
        ) from error
