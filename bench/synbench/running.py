"""``synbench.run``: do what a suite asks for, and only what is not done yet."""

from __future__ import annotations

import functools
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from synbench.execution.completed import Completed, completed_before, remember_completed
from synbench.execution.costs import remember_costs
from synbench.execution.execute import execute, folder_of
from synbench.execution.executors import Executor, ProcessPool, cuda_devices, make_executor
from synbench.execution.manifest import describe_run, item_rows, start_time
from synbench.execution.plan import Plan, make_plan
from synbench.execution.progress import (
    Progress,
    Reading,
    corpus_lines,
    duration,
    note_lines,
    print_lines,
    skipped_lines,
)
from synbench.execution.scratch import unpack_bundles
from synbench.execution.slurm_queue import end_earlier_jobs
from synbench.execution.stop_signals import stopped_by_signals
from synbench.execution.worker import fatal_faults
from synbench.lock import only_run
from synbench.results.cells import failure_counts
from synbench.results.compact import compact, compact_leftovers
from synbench.results.opened import OpenedRun, open_run
from synbench.results.outcomes import MOST_ATTEMPTS
from synbench.results.planned import read_planned
from synbench.results.store import RunFolder
from synbench.suite import Suite, find_suite, load_suite, make_suite
from synbench_base.collector import paused_collector
from synbench_base.device import check_device
from synbench_base.files import sweep

SHOWN_REASONS = 10

__all__ = ["RunSummary", "complete_run", "read_suite", "run"]


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """How a run ended.

    Attributes:
        folder: of the run.
        suite: what was asked for.
        total_scores: of its plan.
        failures: reason to count, over the scores that failed.
        planned: the plan, where one was made: what was complete and is unchanged needs none.
    """

    folder: Path
    suite: Suite
    total_scores: int
    failures: Counter[str]
    planned: Plan | None = None

    @functools.cached_property
    def plan(self) -> Plan:
        """What the suite asked for and what was missing of it."""
        return self.planned or make_plan(self.suite, RunFolder(self.folder))

    @property
    def allowed_failures(self) -> int:
        """How many scores may fail by the suite's budget."""
        return self.suite.allowed_failures(self.total_scores)

    @property
    def over_budget(self) -> bool:
        """More scores failed than the suite allows."""
        return self.failures.total() > self.allowed_failures

    def lines(self) -> list[str]:
        """What failed and how often, empty where nothing did."""
        if not self.failures:
            return []
        shown = self.failures.most_common(SHOWN_REASONS)
        more = len(self.failures) - len(shown)
        return [
            f"{self.failures.total()} of {self.total_scores} scores failed "
            f"(the suite allows {self.allowed_failures}):",
            *(f"  {count} x {reason}" for reason, count in shown),
            *([f"  and {more} other reasons; all: synbench export --rows"] if more else []),
            f"the same command tries them again, {MOST_ATTEMPTS} times in all; --retry any time",
        ]


def run(
    suite: str | Path | Mapping[str, Any] | Suite,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    executor: str = "local",
    retry: bool = False,
    cell_seconds: float | None = None,
    quiet: bool = False,
) -> OpenedRun:
    """Run a suite and open its results; the same call again computes only what is missing.

    ::

        run = synbench.run({
            "name": "first",
            "corpora": ["folder:path=speech"],
            "codecs": ["opus:bitrate_bps=6000", "opus:bitrate_bps=12000"],
            "metrics": ["pesq_wb", "stoi"],
        })
        run.scores()

    Args:
        suite: the name of a packaged suite, the path of a YAML file, or the same as a dictionary,
            whose relative paths count from the working folder.
        out: the run's folder; ``runs/NAME`` without it.
        workers: worker processes; one per core without it, 0 does everything in this process.
        executor: ``local``, ``slurm:...`` or ``dask:...``.
        retry: try every failure again, also those that count as final.
        cell_seconds: longest time of one clip by one codec or metric; without it 10 minutes, and
            one more for each second of the clip.
        quiet: show no progress.

    Returns:
        The run, as :func:`synbench.open` opens it. More failures than the suite allows are a
        warning: every score that is absent has its reason in ``scores()``.

    Raises:
        UsageError: something that the suite names does not exist.
        EnvironmentFault: something cannot run here, or the disk is full.
    """
    console = Console(stderr=True, quiet=quiet)
    ended = complete_run(
        read_suite(suite),
        out=out,
        workers=workers,
        executor=executor,
        retry=retry,
        cell_seconds=cell_seconds,
        console=console,
    )
    if ended.over_budget:
        warnings.warn("\n".join(ended.lines()), stacklevel=2)
    return open_run(ended.folder)


def read_suite(suite: str | Path | Mapping[str, Any] | Suite) -> Suite:
    """A suite by its name, path or content.

    Raises:
        UsageError: there is none, or it is not valid.
    """
    if isinstance(suite, Suite):
        return suite
    return make_suite(suite) if isinstance(suite, Mapping) else load_suite(find_suite(str(suite)))


def complete_run(
    suite: Suite,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    executor: str = "local",
    retry: bool = False,
    cell_seconds: float | None = None,
    console: Console,
) -> RunSummary:
    """Compute what a run folder lacks of a suite.

    Raises:
        UsageError, EnvironmentFault: as :func:`run`.
    """
    if executor.partition(":")[0] == "local":  # elsewhere, workers have devices of their own
        check_device()
    folder = RunFolder(folder_of(suite.name, None if out is None else str(out)))
    with only_run(folder.path), stopped_by_signals():
        end_earlier_jobs(folder.path)
        with fatal_faults(str(folder.path)):
            unpack_bundles(folder.path)
            compact_leftovers(folder)
        reading = Reading(console)
        completed = None if retry else completed_before(suite, folder, progress=reading)
        if completed is not None:
            return _nothing_to_do(completed, suite, folder, console)
        plan = make_plan(
            suite, folder, progress=reading, retry=retry, cell_seconds=cell_seconds or 0.0
        )
        announcement = [*skipped_lines(plan), *corpus_lines(plan), *note_lines(plan)]
        print_lines(announcement, console)
        with fatal_faults(str(folder.path)):
            with paused_collector():
                folder.begin(describe_run(plan), item_rows(plan))
            folder.log(f"start: {plan.missing_scores} of {plan.total_scores} scores are missing")
        if plan.complete:
            _say_complete(folder, plan.total_scores, console)
        else:
            made = make_executor(executor, workers=workers, folder=folder.path)
            _work(plan, folder, made, console)
            remember_costs(folder)
        with fatal_faults(str(folder.path)):
            unpack_bundles(folder.path)
            if executor.partition(":")[0] != "local":
                sweep(folder.path)  # nodes that died had no time to clear up
            compact(folder)
        failures = failure_counts(read_planned(folder.path))
        remember_completed(plan, folder, failures, announcement)
    folder.log(f"end: {failures.total()} of {plan.total_scores} scores failed")
    return RunSummary(
        folder=folder.path,
        suite=suite,
        total_scores=plan.total_scores,
        failures=failures,
        planned=plan,
    )


def _nothing_to_do(
    completed: Completed, suite: Suite, folder: RunFolder, console: Console
) -> RunSummary:
    print_lines(completed.announcement, console)
    with fatal_faults(str(folder.path)):
        folder.go_on(started=start_time())
        folder.log(f"start: 0 of {completed.total_scores} scores are missing")
        folder.log(f"end: {completed.failures.total()} of {completed.total_scores} scores failed")
    _say_complete(folder, completed.total_scores, console)
    return RunSummary(
        folder=folder.path,
        suite=suite,
        total_scores=completed.total_scores,
        failures=completed.failures,
    )


def _say_complete(folder: RunFolder, scores: int, console: Console) -> None:
    console.print(f"{folder.path}: all {scores} scores are there")


def _work(plan: Plan, folder: RunFolder, executor: Executor, console: Console) -> None:
    console.print(
        f"{folder.path}: {plan.missing_scores} of {plan.total_scores} scores to compute, "
        f"about {duration(plan.forecast_cpu_seconds / executor.workers)} "
        f"on {executor.workers} workers",
        highlight=False,
        soft_wrap=True,
    )
    gpus = cuda_devices() if isinstance(executor, ProcessPool) else ()
    devices = ProcessPool(len(gpus), devices=gpus) if gpus else None
    clean = False
    try:
        with Progress(plan, workers=executor.workers, console=console) as progress:
            execute(plan, folder, executor, progress.hear, devices=devices)
        clean = True
    finally:
        for one in filter(None, (executor, devices)):
            one.shutdown(kill=not clean)
