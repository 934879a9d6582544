"""How much work is left, by what the units that are done took.

Before anything is done the forecast rests on what codecs and metrics declare, or took on this
machine before. The first unit of a codec or metric then corrects the rest of the same.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from synbench.execution.plan import FILES_COST_SECONDS, Plan
from synbench.execution.units import DecodeUnit, MetricPoint, ScoreUnit
from synbench.execution.worker import FILES, UnitReport

# Sooner than this, or of less, the pace of all workers together says nothing.
SETTLED_SECONDS, SETTLED_SHARE = 5.0, 0.02

__all__ = ["Forecast"]


class Forecast:
    """The CPU seconds that are left, by codec and metric.

    Args:
        workers: how many units are worked on at the same time.
        clock: seconds, from any start.
    """

    def __init__(
        self, plan: Plan, *, workers: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan, self._workers, self._clock = plan, max(1, workers), clock
        self._started = clock()
        self._costs = {metric.point: metric.cost for metric in plan.metrics}
        self._left: dict[str, float] = defaultdict(float)
        self._finished: dict[str, float] = defaultdict(float)
        self._expected: dict[str, float] = defaultdict(float)
        self._measured: dict[str, float] = defaultdict(float)
        for codec, items in plan.decodes.items():
            self._left[codec.codec_id] += sum(plan.decode_cost(codec, item) for item in items)
        seconds: dict[tuple[MetricPoint, ...], float] = defaultdict(float)
        for (item, _), metrics in plan.scores.items():
            seconds[metrics] += item.seconds
        for metrics, total in seconds.items():
            for key, cost in self._of_scores(total, metrics):
                self._left[key] += cost

    def _of_scores(
        self, seconds: float, metrics: tuple[MetricPoint, ...]
    ) -> Iterator[tuple[str, float]]:
        """Forecast CPU seconds of scores of so much audio, by metric id."""
        for point in metrics:
            yield point.metric_id, self._costs[point] * seconds
        yield FILES, FILES_COST_SECONDS * seconds

    def hear(self, unit: DecodeUnit | ScoreUnit, report: UnitReport) -> None:
        """Take note of a finished unit and of what it took."""
        expected: dict[str, float] = defaultdict(float)
        if isinstance(unit, DecodeUnit):
            for item in unit.items:
                expected[unit.codec.codec_id] += self._plan.decode_cost(unit.codec, item)
        else:
            for item, cells in unit.items:
                for cell in cells:
                    for key, cost in self._of_scores(item.seconds, cell.metrics):
                        expected[key] += cost
        for key, cost in expected.items():
            self._left[key] -= cost
            self._finished[key] += cost
            # A failure ends early: what it took says nothing about the others.
            if key in report.measured and not report.reasons:
                self._expected[key] += cost
                self._measured[key] += report.measured[key]

    def _corrected(self, costs: Mapping[str, float]) -> float:
        """The sum of forecast costs, each by what its codec or metric turned out to take."""
        return sum(
            max(0.0, cost)
            * (self._measured[key] / self._expected[key] if self._expected[key] else 1.0)
            for key, cost in costs.items()
        )

    @property
    def cpu_seconds_left(self) -> float:
        """CPU seconds still to go."""
        return self._corrected(self._left)

    @property
    def seconds_left(self) -> float:
        """Wall seconds still to go, at the pace of the time so far where there is one."""
        left, done = self.cpu_seconds_left, self._corrected(self._finished)
        elapsed = self._clock() - self._started
        if elapsed < SETTLED_SECONDS or done < SETTLED_SHARE * (done + left):
            return left / self._workers
        return elapsed * left / done
