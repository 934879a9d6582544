"""Which unit of work starts next: slices of the corpus, decoded by every codec, then scored.

A slice is scored as soon as all its codecs are decoded, so that what a metric learns about a
reference serves all of them; a worker that would otherwise idle scores what is decoded so far.
Neural codecs are decoded codec by codec: each worker then loads each model at most once. All
others are decoded slice by slice, so that first scores appear early.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from synbench.execution.plan import Plan
from synbench.execution.units import CellWork, CodecPoint, DecodeUnit, ItemWork, ScoreUnit
from synbench.execution.worker import UnitReport

SLICES_PER_WORKER = 6

Unit = DecodeUnit | ScoreUnit
Takes = Literal["everything", "neural", "all but neural"]

__all__ = ["Schedule", "Slice", "Takes", "Task", "Unit"]


@dataclass(eq=False)
class Slice:
    """Some items on their way from decoding to scoring.

    Attributes:
        decoding: units that are not finished, by codec.
        unscored: codecs whose scores nobody was told to compute yet, in the plan's order.
    """

    items: tuple[ItemWork, ...]
    decoding: Counter[CodecPoint] = field(default_factory=Counter)
    unscored: list[CodecPoint] = field(default_factory=list)

    def ready(self) -> list[CodecPoint]:
        """Codecs that are decoded and unscored."""
        return [codec for codec in self.unscored if not self.decoding[codec]]


@dataclass(frozen=True, eq=False)
class Task:
    """A unit and the slice that waits for it."""

    unit: Unit
    part: Slice


class Schedule:
    """The units of a plan in the order in which they should start.

    Args:
        run: path of the run folder, valid wherever a worker runs.
        workers: how many there are to keep busy.
        unit_seconds: shortest and longest time that a unit should take.
    """

    def __init__(
        self, plan: Plan, run: str, *, workers: int, unit_seconds: tuple[float, float]
    ) -> None:
        self._plan, self._run = plan, run
        self._neural: deque[Task] = deque()
        self._decodes: deque[Task] = deque()
        self._scores: deque[Task] = deque()
        self._undecoded: dict[tuple[str, str, str], tuple[str, bool]] = {}
        self._slices = [Slice(items) for items in _cut(plan, workers, unit_seconds)]
        self._fill()

    def next(self, takes: Takes) -> Task | None:
        """What a free worker should do; nothing where the rest is for others or still to come."""
        if takes == "neural":
            return self._neural.popleft() if self._neural else None
        if self._scores:
            return self._scores.popleft()
        if self._neural and takes == "everything":
            return self._neural.popleft()
        if self._decodes:
            return self._decodes.popleft()
        fullest = max(self._slices, key=lambda part: len(part.ready()), default=None)
        if fullest is not None:
            self._queue_scores(fullest)
        return self._scores.popleft() if self._scores else None

    def finish(self, task: Task, report: UnitReport) -> None:
        """Take note that a task is done."""
        if not isinstance(task.unit, DecodeUnit):
            return
        self._undecoded.update(report.undecoded)
        task.part.decoding[task.unit.codec] -= 1
        if not task.part.decoding.total():
            self._queue_scores(task.part)

    def split(self, task: Task, units: Iterable[Unit]) -> list[Task]:
        """Tasks in place of one that is given up; the slice waits for all of them."""
        tasks = [Task(unit, task.part) for unit in units]
        if isinstance(task.unit, DecodeUnit):
            task.part.decoding[task.unit.codec] += len(tasks) - 1
        return tasks

    def repeat(self, tasks: Iterable[Task]) -> None:
        """Put tasks at the head of their queues."""
        for task in tasks:
            self._queue_of(task.unit).appendleft(task)

    def _queue_of(self, unit: Unit) -> deque[Task]:
        if isinstance(unit, ScoreUnit):
            return self._scores
        return self._neural if unit.codec in self._neural_codecs() else self._decodes

    def _neural_codecs(self) -> set[CodecPoint]:
        return {codec.point for codec in self._plan.codecs if codec.info.kind == "neural"}

    def _fill(self) -> None:
        missing = {codec: set(items) for codec, items in self._plan.decodes.items()}
        neural = self._neural_codecs()
        for part in self._slices:
            part.unscored = [
                planned.point
                for planned in self._plan.codecs
                if any((item, planned.point) in self._plan.scores for item in part.items)
            ]
        candidates = [
            (codec, part) for codec in missing if codec in neural for part in self._slices
        ]
        others = [codec for codec in missing if codec not in neural]
        candidates += [(codec, part) for part in self._slices for codec in others]
        for codec, part in candidates:
            here = tuple(item for item in part.items if item in missing[codec])
            if here:
                unit = DecodeUnit(
                    run=self._run,
                    policy_id=self._plan.policy_id,
                    codec=codec,
                    items=here,
                    attempt=0,
                    earlier={
                        (item.corpus, item.item): count
                        for item in here
                        if (count := self._plan.decode_attempts.get((item, codec)))
                    },
                    cell_seconds=self._plan.cell_seconds,
                )
                self._queue_of(unit).append(Task(unit, part))
                part.decoding[codec] += 1
        for part in list(self._slices):
            if not part.decoding.total():
                self._queue_scores(part)

    def _queue_scores(self, part: Slice) -> None:
        ready = part.ready()
        part.unscored = [codec for codec in part.unscored if codec not in ready]
        if not part.unscored and part in self._slices:
            self._slices.remove(part)
        items = []
        for item in part.items:
            cells = tuple(self._cell(item, codec) for codec in ready if self._wanted(item, codec))
            if cells:
                items.append((item, cells))
        if items:
            unit = ScoreUnit(
                run=self._run,
                policy_id=self._plan.policy_id,
                items=tuple(items),
                attempt=0,
                cell_seconds=self._plan.cell_seconds,
            )
            self._scores.append(Task(unit, part))

    def _wanted(self, item: ItemWork, codec: CodecPoint) -> bool:
        return (item, codec) in self._plan.scores

    def _cell(self, item: ItemWork, codec: CodecPoint) -> CellWork:
        known = self._plan.undecoded.get((item, codec), "")
        key = (item.corpus, item.item, codec.codec_id)
        reason, transient = self._undecoded.get(key, (known, False))
        metrics = self._plan.scores[item, codec]
        return CellWork(
            codec=codec,
            metrics=metrics,
            undecoded=reason,
            transient=transient,
            earlier=self._plan.score_attempts.get((item, codec), {}),
        )


def _cut(
    plan: Plan, workers: int, unit_seconds: tuple[float, float]
) -> Iterator[tuple[ItemWork, ...]]:
    """Cut the items that need work into slices of about equal forecast cost."""
    cost: dict[ItemWork, float] = defaultdict(float)
    for codec, items in plan.decodes.items():
        for item in items:
            cost[item] += plan.decode_cost(codec, item)
    for (item, _), metrics in plan.scores.items():
        cost[item] += plan.score_cost(item, metrics)
    total = sum(cost.values())
    shortest, longest = unit_seconds
    per_slice = min(longest, max(shortest, total / (SLICES_PER_WORKER * workers)))
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
