"""Running a plan on executors: start, collect, and deal with workers that die.

Work is cut into units of some seconds to a minute; a finished unit is on the disk. A unit whose
worker died is tried once more, cut into its smallest pieces (and one at a time where a worker drags
others along), so that only the piece that really kills a worker is recorded as failed.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from synbench.execution.decoding import blank_decode, decode_unit
from synbench.execution.executors import WORKER_DIED, Executor, WorkerDied
from synbench.execution.plan import Plan
from synbench.execution.schedule import Schedule, Takes, Task, Unit
from synbench.execution.scoring import score_row, score_unit
from synbench.execution.scratch import unpack_bundle
from synbench.execution.units import DecodeUnit
from synbench.execution.worker import UnitReport, cell_seconds, fatal_faults
from synbench.results.store import RunFolder
from synbench_base.errors import EnvironmentFault
from synbench_metrics import Outcome

Listener = Callable[[Unit, UnitReport], None]

__all__ = ["execute"]


@dataclass(eq=False)
class _Lane:
    """An executor, what it is given, and what it is doing.

    ``alone`` holds pieces that may kill a worker: while one of them runs, nothing else does.
    """

    executor: Executor
    takes: Takes
    running: dict[Future[UnitReport], Task] = field(default_factory=dict)
    alone: deque[Task] = field(default_factory=deque)
    started: dict[Task, float] = field(default_factory=dict)

    def start(self, schedule: Schedule) -> None:
        """Give every free worker something to do."""
        while len(self.running) < self.executor.in_flight:
            if self.alone:
                if not self.running:
                    self._submit(self.alone.popleft())
                return
            task = schedule.next(self.takes)
            if task is None:
                return
            self._submit(task)

    def _submit(self, task: Task) -> None:
        function = decode_unit if isinstance(task.unit, DecodeUnit) else score_unit
        try:
            future = self.executor.submit(function, task.unit)
        except BrokenExecutor as error:
            future = Future()
            future.set_exception(error)
        self.running[future] = task
        self.started[task] = time.monotonic()

    def why_died(self, task: Task) -> str:
        """Why a worker died with a unit of one cell: it took too long, or crashed."""
        if self.executor.in_flight > self.executor.workers:
            return WORKER_DIED  # nobody here knows when it started
        spent = time.monotonic() - self.started.get(task, time.monotonic())
        item = task.unit.items[0] if isinstance(task.unit, DecodeUnit) else task.unit.items[0][0]
        limit = cell_seconds(item, task.unit.cell_seconds)
        return f"took longer than {limit:g} s" if spent > limit else WORKER_DIED


def execute(
    plan: Plan,
    run: RunFolder,
    executor: Executor,
    listener: Listener,
    *,
    devices: Executor | None = None,
) -> None:
    """Do all that is missing; ``listener`` is called after every finished unit.

    Args:
        devices: has one worker for each GPU and decodes the neural codecs; without it the one
            executor does everything.

    Raises:
        EnvironmentFault: the disk is full; what was finished is kept.
    """
    lanes = [_Lane(executor, "all but neural" if devices else "everything")]
    if devices:
        lanes.append(_Lane(devices, "neural"))
    schedule = Schedule(
        plan,
        str(run.path.absolute()),
        workers=executor.workers,
        unit_seconds=executor.unit_seconds,
    )
    while True:
        for lane in lanes:
            lane.start(schedule)
        running = [future for lane in lanes for future in lane.running]
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for lane in lanes:
            _collect(lane, schedule, run, listener, done & lane.running.keys())


def _collect(
    lane: _Lane,
    schedule: Schedule,
    run: RunFolder,
    listener: Listener,
    done: set[Future[UnitReport]],
) -> None:
    lost: list[Task] = []
    suspects: list[Task] = []
    reasons: dict[Task, str] = {}
    broken = False
    for future in done:
        task = lane.running.pop(future)
        try:
            report = future.result()
        except WorkerDied as error:
            (suspects if error.shared else lost).append(task)
            reasons[task] = str(error)
        except BrokenExecutor:
            suspects.append(task)
            broken = True
        except EnvironmentFault:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001
            # A bug of ours, or of what a worker imports: it costs the cells that meet it.
            lost.append(task)
            reasons[task] = f"{type(error).__name__}: {error}"
        else:
            with fatal_faults(str(run.path)):
                for name in report.bundles:
                    unpack_bundle(run.path, name)
            listener(task.unit, report)
            schedule.finish(task, report)
    if broken:
        # Every unit in flight fails with the worker that died; any of them may be the cause.
        suspects += lane.running.values()
        lane.running.clear()
        lane.executor.restart()
    if lost or suspects:
        run.log(f"a worker died; {len(lost + suspects)} units are tried again, in pieces")
    for task in lost + suspects:
        if task.unit.attempt:
            report = _record_crash(run, task.unit, reasons.get(task) or lane.why_died(task))
            listener(task.unit, report)
            schedule.finish(task, report)
            continue
        pieces = schedule.split(task, _pieces(task.unit))
        if task in lost:
            schedule.repeat(pieces)
        else:
            lane.alone.extend(pieces)


def _pieces(unit: Unit) -> Iterator[Unit]:
    """The smallest units that together do the same work."""
    if isinstance(unit, DecodeUnit):
        for item in unit.items:
            yield replace(unit, items=(item,), attempt=1)
        return
    for item, cells in unit.items:
        for cell in cells:
            for metric in cell.metrics:
                alone = replace(cell, metrics=(metric,))
                yield replace(unit, items=((item, (alone,)),), attempt=1)


def _record_crash(run: RunFolder, unit: Unit, reason: str) -> UnitReport:
    """Store a failed row for a unit of one cell; transient, so the next start tries again."""
    if isinstance(unit, DecodeUnit):
        (item,) = unit.items
        row = blank_decode(unit, item)
        run.add("decodes", [replace(row, reason=reason, transient=True)])
        undecoded = {(item.corpus, item.item, row.codec_id): (reason, True)}
        return _failed(row.codec_id, reason, undecoded)
    ((item, (cell,)),) = unit.items
    (metric,) = cell.metrics
    outcome = Outcome.failed(reason)
    score = score_row(unit, item, cell, metric, outcome, transient=True, cpu_seconds=0.0)
    run.add("scores", [score])
    return _failed(score.codec_id, reason, {})


def _failed(
    codec_id: str, reason: str, undecoded: dict[tuple[str, str, str], tuple[str, bool]]
) -> UnitReport:
    return UnitReport(
        statuses=Counter({(codec_id, "failed"): 1}),
        reasons=Counter({reason: 1}),
        undecoded=undecoded,
    )


def folder_of(name: str, out: str | None) -> Path:
    """Where a suite's run lives: ``--out``, or ``runs/NAME``."""
    return Path(out) if out else Path("runs") / name
