"""Units of work as jobs of a Slurm array, by way of submitit.

Jobs are handed over in arrays of at most 1000, a moment after they were submitted, so that a run
costs the scheduler a few arrays and not thousands of jobs. The run folder must lie on a file system
that all nodes share. Jobs that still wait when their run was killed do nothing when they start.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from synbench.errors import EnvironmentFault, UsageError
from synbench.execution.executors import THREAD_VARIABLES, WorkerDied
from synbench_base.files import write_bytes
from synbench_base.packages import import_extra

LONGEST_ARRAY_JOBS = 1000
USUAL_JOBS = 100
SECONDS_BETWEEN_LOOKS = {"slurm": 5.0, "local": 0.2}

__all__ = ["Slurm"]


class Slurm:
    """An executor on a Slurm cluster.

    Args:
        folder: of the run; job files and their output go to ``slurm`` in it.
        workers: how many jobs may run at the same time.
        cluster: ``slurm``, or ``local`` for processes on this machine, to try things out.
        minutes: time limit of a job; a unit takes at most ten.
        memory_gb: memory of a job.
        partition, account: as ``sbatch`` takes them; empty for the cluster's own default.
    """

    unit_seconds = (60.0, 600.0)

    def __init__(
        self,
        *,
        folder: Path,
        workers: int | None,
        cluster: str = "slurm",
        minutes: int = 60,
        memory_gb: int = 4,
        partition: str = "",
        account: str = "",
    ) -> None:
        if cluster not in SECONDS_BETWEEN_LOOKS:
            raise UsageError(f"slurm: cluster must be slurm or local; got {cluster!r}")
        submitit: Any = import_extra("submitit", extra="slurm")
        try:
            folder = folder.absolute() / "slurm"
            self._executor = submitit.AutoExecutor(folder=folder / "%j", cluster=cluster)
        except RuntimeError as error:
            raise EnvironmentFault(f"slurm cannot be used from here: {error}") from error
        self.workers, self.in_flight = workers or USUAL_JOBS, LONGEST_ARRAY_JOBS
        named = {"slurm_partition": partition, "slurm_account": account}
        self._executor.update_parameters(
            name="synbench",
            timeout_min=minutes,
            mem_gb=memory_gb,
            cpus_per_task=1,
            slurm_array_parallelism=self.workers,
            **{name: value for name, value in named.items() if value},
        )
        for variable in THREAD_VARIABLES:
            os.environ[variable] = "1"  # sbatch hands the environment on
        self._current, self._token = folder / "current", secrets.token_hex(8)
        write_bytes(self._current, self._token.encode())
        self._pending: deque[tuple[Future[Any], tuple[Any, ...]]] = deque()
        self._jobs: dict[Future[Any], Any] = {}
        self._pause = SECONDS_BETWEEN_LOOKS[cluster]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Goes into the next array."""
        future: Future[Any] = Future()
        self._pending.append((future, (function, arguments)))
        return future

    def restart(self) -> None:
        """Nothing to replace: a job that dies takes no other with it."""

    def shutdown(self, *, kill: bool = False) -> None:
        """Cancel what still waits or runs."""
        self._stop.set()
        self._thread.join()
        self._current.unlink(missing_ok=True)
        for job in filter(None, self._jobs.values()):
            job.cancel(check=False)

    def _look(self) -> None:
        """Send what was submitted, then settle what has ended, until told to stop."""
        while not self._stop.wait(self._pause):
            try:
                self._send()
                for future in [one for one, job in self._jobs.items() if job.done()]:
                    _settle(future, self._jobs.pop(future))
            except Exception as error:  # noqa: BLE001 - whoever waits for a future must hear of it
                self._fail(EnvironmentFault(f"slurm: {type(error).__name__}: {error}"))

    def _send(self) -> None:
        sent = [self._pending.popleft() for _ in range(min(len(self._pending), LONGEST_ARRAY_JOBS))]
        if not sent:
            return
        self._jobs.update(dict.fromkeys((future for future, _ in sent)))
        with self._executor.batch():
            jobs = [
                self._executor.submit(_work, str(self._current), self._token, *call)
                for _, call in sent
            ]
        self._jobs.update(zip((future for future, _ in sent), jobs, strict=True))

    def _fail(self, error: Exception) -> None:
        for future in [*self._jobs, *(future for future, _ in self._pending)]:
            future.set_exception(error)
        self._jobs.clear()
        self._pending.clear()


def _work(
    current: str, token: str, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[Any, Exception | None]:
    """Runs on the node; an exception is data, for submitit would keep only its text."""
    try:
        if Path(current).read_text() != token:
            raise WorkerDied("the run of this job is over")
        return function(*arguments), None
    except Exception as error:  # noqa: BLE001 - the future carries it, as a pool's would
        return None, error


def _settle(future: Future[Any], job: Any) -> None:
    import submitit

    try:
        result, error = job.result()
    except (submitit.core.utils.UncompletedJobError, submitit.core.utils.FailedJobError) as died:
        result, error = None, WorkerDied(f"job {job.job_id}: {died}")
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
