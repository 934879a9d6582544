"""What a condition costs each codec: its number under the condition, and the drop against clean.

The drop is the clean number minus the one under the condition, on the items that both have, so a
positive drop is a loss where more is better. Its interval and its test take speakers as the unit
where the corpus names them. A score against the damaged input is set beside that of the clean
recording, whose input is the recording itself. Holm's correction is over all codecs and conditions
of one metric and one corpus.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from synbench.conditions.against import measure_of
from synbench.results.cells import Cells, Store
from synbench.results.planned import PlannedCorpus, PlannedMetric, PlannedRun
from synbench.statistics.means import FEWEST_CLUSTERS, estimate_differences, estimate_means
from synbench.statistics.multiplicity import SIGNIFICANCE, correct

__all__ = ["Drop", "drops", "has_conditions"]


@dataclass(frozen=True, kw_only=True)
class Drop:
    """One codec under one condition, by one metric.

    Attributes:
        corpus: name of the clean corpus.
        condition, group, value: its label, what it varies, and where it lies on that scale; clean
            itself has an empty group.
        number: the metric under the condition; NaN where nothing was scored.
        low, high: ends of its 95 % interval.
        drop: clean minus condition on common items; 0 for clean itself, NaN where unknown.
        drop_low, drop_high: ends of its 95 % interval.
        p_holm: two-sided, that there is no drop; NaN with too few speakers or items.
        items, planned: scored under the condition, and of how many.
    """

    corpus: str
    metric: PlannedMetric
    codec: str
    condition: str
    group: str
    value: float | None
    number: float
    low: float
    high: float
    drop: float
    drop_low: float
    drop_high: float
    p_holm: float
    items: int
    planned: int

    @property
    def is_shown(self) -> bool:
        """Whether the test finds a difference from clean."""
        return self.p_holm < SIGNIFICANCE


def has_conditions(planned: PlannedRun) -> bool:
    """Whether a run has any corpus under a condition."""
    return any(corpus.clean for corpus in planned.corpora)


def drops(planned: PlannedRun) -> Iterator[Drop]:
    """All codecs under all conditions, corpus by corpus, metric by metric; clean comes first."""
    store = Store(planned)
    for clean in planned.corpora:
        if clean.clean:
            continue
        damaged = [corpus for corpus in planned.corpora if corpus.clean == clean.name]
        # Whole cells, also of codecs that merged runs planned for some conditions only: the codec
        # axis is then the same everywhere.
        groups = [(corpus, store.cells(corpus.name)) for corpus in (clean, *damaged)]
        metric_indices = {metric.column: index for index, metric in enumerate(planned.metrics)}
        for index, metric in enumerate(planned.metrics):
            if metric.is_distance:
                continue
            wanted = groups
            if metric.against == "input":
                wanted = [group for group in groups if not group[0].clean or group[0].damaged_input]
            clean_index = metric_indices.get(measure_of(metric.column), index)
            yield from _of_metric(planned, wanted, index, metric, clean_index=clean_index)


def _of_metric(
    planned: PlannedRun,
    groups: list[tuple[PlannedCorpus, Cells]],
    index: int,
    metric: PlannedMetric,
    *,
    clean_index: int,
) -> Iterator[Drop]:
    count, (clean, clean_cells) = len(planned.codecs), groups[0]
    columns = [(cells, index if group.clean else clean_index) for group, cells in groups]
    values = np.concatenate(
        [cells.values[:, :, metric_index] for cells, metric_index in columns], axis=1
    )
    sizes = np.concatenate(
        [cells.sizes[:, :, metric_index] for cells, metric_index in columns], axis=1
    )
    clusters = clean_cells.speakers
    numbers = estimate_means(values, clusters=clusters, sizes=sizes)
    # Of clean itself against clean too, so that every column has a line; its p is not counted.
    pairs = [(column % count, column) for column in range(values.shape[1])]
    differences = estimate_differences(values, pairs, clusters=clusters, sizes=sizes)
    tested = (differences.clusters >= FEWEST_CLUSTERS) & (np.arange(len(pairs)) >= count)
    corrected = correct([float(p) for p in np.where(tested, differences.p(), np.nan)])
    low, high, drop_low, drop_high = numbers.low, numbers.high, differences.low, differences.high
    for column in range(values.shape[1]):
        corpus, _ = groups[column // count]
        yield Drop(
            corpus=clean.name,
            metric=metric,
            codec=planned.codecs[column % count].label,
            condition=corpus.condition or "clean",
            group=corpus.condition_group,
            value=corpus.condition_value,
            number=float(numbers.mean[column]),
            low=float(low[column]),
            high=float(high[column]),
            drop=float(differences.mean[column]),
            drop_low=float(drop_low[column]),
            drop_high=float(drop_high[column]),
            p_holm=corrected[column],
            items=int(np.isfinite(values[:, column]).sum()),
            planned=values.shape[0],
        )
