"""Units of work as jobs of a Slurm array, by way of submitit.

Jobs are handed over in arrays, a moment after they were submitted, so that a run costs the
scheduler a few arrays and not thousands of jobs. The run folder must lie on a file system that all
nodes share. A job that is preempted, or whose node dies, is done again; one that takes too long or
too much memory counts as a worker that died.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from synbench.errors import EnvironmentFault, UsageError
from synbench.execution.executors import THREAD_VARIABLES, WorkerDied
from synbench.execution.slurm_job import work
from synbench.execution.slurm_queue import (
    ALIVE,
    BLAMELESS,
    CURRENT,
    end_jobs,
    job_name,
    job_states,
    longest_array,
)
from synbench_base.files import write_bytes
from synbench_base.packages import import_extra

MOST_JOBS = 1000
USUAL_JOBS = 100
SECONDS_BETWEEN_LOOKS = {"slurm": 5.0, "local": 0.2}
# How long the file with a job's result may take from the node to here.
SECONDS_FOR_A_FILE = 15.0
# How often a unit is handed over again whose job ended through no fault of its own.
MOST_HAND_OVERS = 20
# How long a cluster may refuse jobs, or not answer, while none of this run is on it.
PATIENCE_SECONDS = 300.0
TOO_MANY = ("array", "limit", "temporarily")
AWAY = ("contact", "connect", "timed out", "standby", "communication")

__all__ = ["Slurm"]


class Slurm:
    """An executor on a Slurm cluster.

    Args:
        folder: of the run; job files and their output go to ``slurm`` in it, and stay there only
            where a job failed.
        workers: how many jobs may run at the same time.
        cluster: ``slurm``, or ``local`` for processes on this machine, to try things out.
        minutes: time limit of a job; a unit takes at most ten.
        memory_gb: memory of a job.
        partition, account, qos, constraint: as ``sbatch`` takes them; empty for the cluster's own
            default.
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
        qos: str = "",
        constraint: str = "",
    ) -> None:
        if cluster not in SECONDS_BETWEEN_LOOKS:
            raise UsageError(f"slurm: cluster must be slurm or local; got {cluster!r}")
        submitit: Any = import_extra("submitit", extra="slurm")
        self._token = secrets.token_hex(8)
        self._current = folder.absolute() / "slurm" / CURRENT
        self._folder = self._current.with_name(self._token)
        try:
            self._executor = submitit.AutoExecutor(folder=self._folder, cluster=cluster)
        except RuntimeError as error:
            raise EnvironmentFault(f"slurm cannot be used from here: {error}") from error
        self.workers, self.in_flight = workers or USUAL_JOBS, MOST_JOBS
        named = {"partition": partition, "account": account, "qos": qos, "constraint": constraint}
        self._executor.update_parameters(
            name=job_name(self._token),
            timeout_min=minutes,
            mem_gb=memory_gb,
            cpus_per_task=1,
            slurm_array_parallelism=self.workers,
            # The signal that submitit asks for would be taken for a fault of the cell.
            slurm_additional_parameters={"requeue": True, "signal": "CONT@10"},
            **{f"slurm_{name}": value for name, value in named.items() if value},
        )
        for variable in THREAD_VARIABLES:
            os.environ[variable] = "1"  # sbatch hands the environment on
        write_bytes(self._current, self._token.encode())
        self._reasons = {
            "TIMEOUT": f"its job took longer than {minutes} minutes; give jobs more with "
            "--executor slurm:minutes=...",
            "OUT_OF_MEMORY": f"its job needed more than {memory_gb} GB; give jobs more with "
            "--executor slurm:memory_gb=...",
        }
        self._is_local = cluster == "local"
        self._longest_array = MOST_JOBS if self._is_local else longest_array()
        self._pending: deque[tuple[Future[Any], tuple[Any, ...]]] = deque()
        self._jobs: dict[Future[Any], Any] = {}
        self._calls: dict[Future[Any], tuple[Any, ...]] = {}
        self._ended: dict[Future[Any], float] = {}
        self._hand_overs: Counter[Future[Any]] = Counter()
        self._refused_since: float | None = None
        self._any_died = False
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
        if self._is_local:
            self._thread.join()
            for job in self._jobs.values():
                job.cancel(check=False)
        else:
            end_jobs(self._token)
            self._thread.join()
            if self._jobs or kill:
                end_jobs(self._token)  # an array may have been on its way
        self._current.unlink(missing_ok=True)
        if not kill and not self._any_died:
            shutil.rmtree(self._folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                self._folder.parent.rmdir()

    def _look(self) -> None:
        """Send what was submitted, then settle what has ended, until told to stop."""
        while not self._stop.wait(self._pause):
            try:
                self._send()
                if self._is_local:
                    for future in [one for one, job in self._jobs.items() if job.done()]:
                        self._settle(future)
                elif self._jobs:
                    self._settle_ended(job_states(self._token))
            except Exception as error:  # noqa: BLE001 - whoever waits for a future must hear of it
                self._fail(EnvironmentFault(f"slurm: {type(error).__name__}: {error}"))

    def _send(self) -> None:
        import submitit

        count = min(len(self._pending), self._longest_array)
        if not count:
            return
        sent = [self._pending.popleft() for _ in range(count)]
        try:
            with self._executor.batch():
                jobs = [
                    self._executor.submit(work, str(self._current), self._token, *call)
                    for _, call in sent
                ]
        except submitit.core.utils.FailedJobError as error:
            self._pending.extendleft(reversed(sent))
            if not self._stop.is_set():
                self._refused(str(error), count)
            return
        self._refused_since = None
        for (future, call), job in zip(sent, jobs, strict=True):
            self._jobs[future], self._calls[future] = job, call

    def _refused(self, said: str, count: int) -> None:
        """Smaller arrays, or patience, where one of them helps.

        Raises:
            EnvironmentFault: neither does.
        """
        self._refused_since = self._refused_since or time.monotonic()
        too_many = any(word in said.lower() for word in TOO_MANY)
        if too_many and count > 1:
            self._longest_array = count // 2
            return
        may_change = too_many or any(word in said.lower() for word in AWAY)
        if may_change and (self._jobs or time.monotonic() - self._refused_since < PATIENCE_SECONDS):
            return
        self._fail(EnvironmentFault(f"slurm takes no jobs: {said.strip()}"))

    def _settle_ended(self, states: dict[str, str] | None) -> None:
        """Settle the jobs whose result is there, and those that ended without one."""
        now = time.monotonic()
        for future, job in list(self._jobs.items()):
            state = "" if states is None else states.get(job.job_id, "ENDED")
            if state in ALIVE:
                self._ended.pop(future, None)
            elif job.paths.result_pickle.exists():
                self._settle(future)
            elif state and now - self._ended.setdefault(future, now) > SECONDS_FOR_A_FILE:
                self._lose(future, state)

    def _lose(self, future: Future[Any], state: str) -> None:
        self._ended.pop(future, None)
        self._jobs.pop(future)
        call = self._calls.pop(future)
        if state in BLAMELESS and self._hand_overs[future] < MOST_HAND_OVERS:
            self._hand_overs[future] += 1
            self._pending.append((future, call))
            return
        self._any_died = True
        future.set_exception(WorkerDied(self._reasons.get(state, "")))

    def _settle(self, future: Future[Any]) -> None:
        import submitit

        self._ended.pop(future, None)
        self._calls.pop(future)
        job = self._jobs.pop(future)
        try:
            result, error = job.result()
        except (submitit.core.utils.UncompletedJobError, submitit.core.utils.FailedJobError):
            self._any_died = True
            result, error = None, WorkerDied("")
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def _fail(self, error: Exception) -> None:
        for future in [*self._jobs, *(future for future, _ in self._pending)]:
            future.set_exception(error)
        for kept in (self._jobs, self._calls, self._ended, self._pending):
            kept.clear()
