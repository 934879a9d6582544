"""Running a plan: decode slices of each corpus, score a slice as soon as all its codecs are done.

Work is cut into units of some seconds to a minute; a finished unit is on the disk. A unit whose
worker died is tried once more, cut into its smallest pieces and one piece at a time, so that only
the piece that really kills a worker is recorded as failed.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from synbench.engine import Executor
from synbench.plan import Plan
from synbench.store import Row, RunFolder
from synbench.units import Cell, DecodeUnit, ItemWork, ScoreUnit
from synbench.work import Report, decode_unit, score_unit

SHORTEST_UNIT_SECONDS = 2.0
LONGEST_UNIT_SECONDS = 60.0
UNITS_PER_WORKER = 6
WORKER_DIED = "the worker process died twice on this cell (crash or out of memory)"

Unit = DecodeUnit | ScoreUnit
Listener = Callable[[Unit, Report], None]

__all__ = ["execute"]


@dataclass
class _Slice:
    """Some items, on their way from decoding to scoring."""

    items: tuple[ItemWork, ...]
    decoding: int = 0


@dataclass
class _Queue:
    """Units in the order in which they should start."""

    plan: Plan
    run: str
    slices: list[_Slice]
    decodes: deque[tuple[DecodeUnit, _Slice]] = field(default_factory=deque)
    scores: deque[ScoreUnit] = field(default_factory=deque)
    alone: deque[tuple[Unit, _Slice | None]] = field(default_factory=deque)
    undecoded: dict[tuple[str, str, str], tuple[str, bool]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.decodes or self.scores or self.alone)

    def next(self) -> tuple[Unit, _Slice | None]:
        """Scoring first: a scored slice is a result that a user can look at."""
        if self.scores:
            return self.scores.popleft(), None
        return self.decodes.popleft()


def execute(plan: Plan, run: RunFolder, executor: Executor, listener: Listener) -> None:
    """Do all that is missing; ``listener`` hears of every finished unit.

    Raises:
        EnvironmentFault: the disk is full; what was finished is kept.
    """
    queue = _fill(plan, run)
    running: dict[Future[Report], tuple[Unit, _Slice | None]] = {}
    while queue or running:
        _start(queue, running, executor)
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        suspects = []
        for future in done:
            unit, part = running.pop(future)
            try:
                report = future.result()
            except BrokenExecutor:
                suspects.append((unit, part))
                continue
            _finish(queue, unit, part, report, listener)
        if suspects:
            # Every unit in flight fails with the worker that died; any of them may be the cause.
            suspects += running.values()
            running.clear()
            executor.restart()
            run.log(f"a worker died; {len(suspects)} units are tried again, one piece at a time")
            for unit, part in suspects:
                _retry_or_record(queue, run, unit, part, listener)


def _start(
    queue: _Queue, running: dict[Future[Report], tuple[Unit, _Slice | None]], executor: Executor
) -> None:
    while queue and len(running) < executor.workers:
        if queue.alone:
            if running:
                return
            unit, part = queue.alone.popleft()
            running[_submit(executor, unit)] = unit, part
            return
        unit, part = queue.next()
        running[_submit(executor, unit)] = unit, part


def _submit(executor: Executor, unit: Unit) -> Future[Report]:
    function = decode_unit if isinstance(unit, DecodeUnit) else score_unit
    try:
        return executor.submit(function, unit)
    except BrokenExecutor as error:
        broken: Future[Report] = Future()
        broken.set_exception(error)
        return broken


def _finish(
    queue: _Queue, unit: Unit, part: _Slice | None, report: Report, listener: Listener
) -> None:
    listener(unit, report)
    if part is not None:
        queue.undecoded.update(report.undecoded)
        part.decoding -= 1
        if part.decoding == 0:
            _queue_scores(queue, part)


def _retry_or_record(
    queue: _Queue, run: RunFolder, unit: Unit, part: _Slice | None, listener: Listener
) -> None:
    pieces = list(_pieces(unit))
    if unit.attempt == 0:
        queue.alone.extend((piece, part) for piece in pieces)
        if part is not None:
            part.decoding += len(pieces) - 1
        return
    _finish(queue, unit, part, _record_crash(run, unit), listener)


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


def _record_crash(run: RunFolder, unit: Unit) -> Report:
    """Store a failed row for a unit of one cell; transient, so the next start tries again."""
    failed = {"status": "failed", "reason": WORKER_DIED, "transient": True, "written": time.time()}
    if isinstance(unit, DecodeUnit):
        (item,) = unit.items
        codec, stage = unit.codec, "decodes"
        extra: dict[str, Any] = {"threads": 1}
    else:
        ((item, (cell,)),) = unit.items
        (metric,) = cell.metrics
        codec, stage = cell.codec, "scores"
        extra = {"metric": metric.column, "metric_id": metric.metric_id, "cpu_seconds": 0.0}
    row: Row = {
        "corpus": item.corpus,
        "item": item.item,
        "item_digest": item.digest,
        "codec": codec.spec,
        "codec_id": codec.codec_id,
        "policy_id": unit.policy_id,
        "seconds": item.seconds,
        **failed,
        **extra,
    }
    run.add(stage, [row])
    place = (item.corpus, item.item, codec.codec_id)
    return Report(
        statuses=Counter({(codec.codec_id, "failed"): 1}),
        reasons=Counter({WORKER_DIED: 1}),
        undecoded={place: (WORKER_DIED, True)} if stage == "decodes" else {},
    )


def _fill(plan: Plan, run: RunFolder) -> _Queue:
    queue = _Queue(plan=plan, run=str(run.path), slices=[])
    missing = {codec: set(items) for codec, items in plan.decodes.items()}
    for items in _slice_items(plan):
        part = _Slice(items=items)
        for codec, wanted in missing.items():
            here = tuple(item for item in items if item in wanted)
            if here:
                unit = DecodeUnit(
                    run=queue.run, policy_id=plan.policy_id, codec=codec, items=here, attempt=0
                )
                queue.decodes.append((unit, part))
                part.decoding += 1
        queue.slices.append(part)
        if part.decoding == 0:
            _queue_scores(queue, part)
    return queue


def _slice_items(plan: Plan) -> Iterator[tuple[ItemWork, ...]]:
    """Cut the items that need work into slices of about equal forecast cost."""
    cost: dict[ItemWork, float] = defaultdict(float)
    for codec, items in plan.decodes.items():
        for item in items:
            cost[item] += plan.decode_cost(codec, item)
    for (item, _), metrics in plan.scores.items():
        cost[item] += plan.score_cost(item, metrics)
    total = sum(cost.values())
    per_slice = min(
        LONGEST_UNIT_SECONDS, max(SHORTEST_UNIT_SECONDS, total / (UNITS_PER_WORKER * 2))
    )
    slices = max(1, math.ceil(total / per_slice))
    current: list[ItemWork] = []
    spent, cut = 0.0, 1
    for item in plan.items:
        if item not in cost:
            continue
        current.append(item)
        spent += cost[item]
        if spent >= cut * total / slices - 1e-9:
            yield tuple(current)
            current, cut = [], math.floor(spent / (total / slices) + 1e-9) + 1 if total else 1
    if current:
        yield tuple(current)


def _queue_scores(queue: _Queue, part: _Slice) -> None:
    plan = queue.plan
    items = []
    for item in part.items:
        cells = []
        for planned in plan.codecs:
            metrics = plan.scores.get((item, planned.point))
            if not metrics:
                continue
            place = (item.corpus, item.item, planned.point.codec_id)
            known = plan.undecoded.get((item, planned.point), "")
            reason, transient = queue.undecoded.get(place, (known, False))
            cells.append(
                Cell(codec=planned.point, metrics=metrics, undecoded=reason, transient=transient)
            )
        if cells:
            items.append((item, tuple(cells)))
    if items:
        queue.scores.append(
            ScoreUnit(run=queue.run, policy_id=plan.policy_id, items=tuple(items), attempt=0)
        )


def folder_of(name: str, out: str | None) -> Path:
    """Where a suite's run lives: ``--out``, or ``runs/NAME``."""
    return Path(out) if out else Path("runs") / name
