"""Scoring in a worker: every wanted cell of every item, each reference read once."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import synbench_metrics
from synbench import policy
from synbench.conditions.against import measure_of
from synbench.conditions.applied import applied
from synbench.execution.decoding import store_reconstruction
from synbench.execution.guard import guarded
from synbench.execution.heard import damaged_recording
from synbench.execution.sealed import read_sealed
from synbench.execution.units import (
    CellWork,
    CodecPoint,
    ItemWork,
    MetricPoint,
    ScoreUnit,
    artefact,
)
from synbench.execution.worker import (
    FILES,
    NO_SUCH_CELL,
    UnitReport,
    cell_seconds,
    fatal_faults,
    published_reason,
    read_item,
    stopwatch,
)
from synbench.results.confined import inside
from synbench.results.rows import ScoreRow
from synbench.results.store import RunFolder
from synbench_base.errors import ItemError, UsageError
from synbench_codecs import published_spec
from synbench_metrics import Metric, Outcome

NO_TRANSCRIPT = Outcome.not_applicable("the corpus has no transcript of this item")

# An outcome, and whether the next start should try again.
Attempt = tuple[Outcome, bool]

__all__ = ["score_row", "score_unit"]


def score_unit(unit: ScoreUnit) -> UnitReport:
    """Score every wanted cell of every item; reads each reference and damaged input once.

    Raises:
        EnvironmentFault: the disk is full or read-only.
    """
    report = UnitReport()
    rows: list[ScoreRow] = []
    measured: dict[str, float] = defaultdict(float)
    with stopwatch() as spent:
        for item, cells in unit.items:
            rows += _score_item(unit, item, cells)
    for row in rows:
        measured[row.metric_id] += row.cpu_seconds
    # What no metric was charged with.
    measured[FILES] = max(0.0, spent["cpu"] - sum(measured.values()))
    report.measured.update(measured)
    for row in rows:
        report.statuses[row.codec_id, row.status] += 1
        if row.status == "failed":
            report.reasons[row.reason] += 1
    with fatal_faults(unit.run):
        RunFolder(Path(unit.run)).add("scores", rows)
    return report


def _score_item(unit: ScoreUnit, item: ItemWork, cells: tuple[CellWork, ...]) -> Iterator[ScoreRow]:
    references = _References(unit, item)
    together: dict[MetricPoint, list[CellWork]] = {}
    for cell in cells:
        degraded = _Resampled(functools.partial(_reconstruction, unit, item, cell))
        for metric in cell.metrics:
            if _takes_batches(measure_of(metric.column)):
                together.setdefault(metric, []).append(cell)
                continue
            with stopwatch() as spent:
                outcome, transient = _score_cell(
                    unit, item, cell, metric, references.of(metric), degraded
                )
            yield score_row(
                unit,
                item,
                cell,
                metric,
                outcome,
                transient=transient,
                cpu_seconds=spent["cpu"],
            )
    for metric, wanted in together.items():
        with stopwatch() as spent:
            results = _score_together(unit, item, wanted, metric, references.of(metric))
        for cell, (outcome, transient) in zip(wanted, results, strict=True):
            share = spent["cpu"] / len(wanted)
            yield score_row(
                unit, item, cell, metric, outcome, transient=transient, cpu_seconds=share
            )


def _takes_batches(column: str) -> bool:
    try:
        return synbench_metrics.load(column).compute_batch is not None
    except Exception:  # noqa: BLE001 - said as the status of each cell
        return False


def _reconstruction(unit: ScoreUnit, item: ItemWork, cell: CellWork) -> tuple[policy.Wave, int]:
    """A stored reconstruction; one that is absent or not what was stored is made once more.

    Raises:
        ItemError: it cannot be made.
        EnvironmentFault: the disk is full or read-only.
    """
    name = artefact(cell.codec, item, unit.policy_id, ".flac")
    path = inside(Path(unit.run), f"reconstructions/{name}")
    try:
        return read_sealed(path, name=str(name))
    except ItemError:
        try:
            store_reconstruction(unit, cell.codec, item, files=Path(unit.run))
        except ItemError as error:
            # The next start decodes what is not there.
            path.unlink(missing_ok=True)
            raise ItemError(f"the stored reconstruction was damaged, and then: {error}") from error
        return read_sealed(path, name=str(name))


def score_row(
    unit: ScoreUnit,
    item: ItemWork,
    cell: CellWork,
    metric: MetricPoint,
    outcome: Outcome,
    *,
    transient: bool,
    cpu_seconds: float,
) -> ScoreRow:
    """What is stored of one score."""
    vector = np.asarray(outcome.vector, dtype="<f4").tobytes() if outcome.vector else None
    return ScoreRow(
        corpus=item.corpus,
        item=item.item,
        item_digest=item.digest,
        condition=item.condition,
        codec=published_spec(cell.codec.spec),
        codec_id=cell.codec.codec_id,
        metric=metric.column,
        metric_id=metric.metric_id,
        policy_id=unit.policy_id,
        status=outcome.status,
        value=outcome.value,
        reason=published_reason(outcome.reason, run=unit.run, item=item),
        weight=outcome.weight if outcome.status == "ok" else None,
        details=json.dumps(dict(outcome.details), ensure_ascii=False) if outcome.details else None,
        vector=vector,
        transient=transient,
        attempt=cell.earlier.get(metric.metric_id, 0) + 1,
        seconds=item.seconds,
        cpu_seconds=cpu_seconds,
    )


def _score_together(
    unit: ScoreUnit,
    item: ItemWork,
    cells: list[CellWork],
    point: MetricPoint,
    references: _Resampled,
) -> list[Attempt]:
    """The outcomes of one item by several codecs, whose waves are equally long."""
    outcomes: dict[CodecPoint, Attempt] = {}
    waves: dict[CodecPoint, policy.Wave] = {}
    metric = synbench_metrics.load(measure_of(point.column))
    for cell in cells:
        degraded = _Resampled(functools.partial(_reconstruction, unit, item, cell))
        try:
            if not item.problem and not cell.undecoded:
                waves[cell.codec] = degraded.at(metric.info.rate_for(references.rate))
                continue
        except (ItemError, MemoryError, OSError):
            pass  # said again, and turned into a status, by the next line
        outcomes[cell.codec] = _score_cell(unit, item, cell, point, references, degraded)
    if waves:
        results = _guarded_batch(unit, item, metric, list(waves.values()), references)
        outcomes.update(zip(waves, results, strict=True))
    return [outcomes[cell.codec] for cell in cells]


def _guarded_batch(
    unit: ScoreUnit,
    item: ItemWork,
    metric: Metric,
    waves: list[policy.Wave],
    references: _Resampled,
) -> list[Attempt]:
    def compute() -> list[Outcome]:
        rate = metric.info.rate_for(references.rate)
        return synbench_metrics.score_batch(
            metric,
            reference=references.at(rate) if "reference" in metric.info.needs else None,
            degraded=waves,
            sample_rate=rate,
            transcript=item.transcript or None,
            language=item.language,
        )

    return _outcomes(compute, len(waves), cell_seconds(item, unit.cell_seconds) * len(waves))


def _score_cell(
    unit: ScoreUnit,
    item: ItemWork,
    cell: CellWork,
    point: MetricPoint,
    references: _Resampled,
    degraded: _Resampled,
) -> Attempt:
    """The outcome, and whether it should be tried again at the next start."""
    if item.problem:
        return Outcome.failed(item.problem), False
    if cell.undecoded.startswith(NO_SUCH_CELL):
        return Outcome.not_applicable(cell.undecoded.removeprefix(NO_SUCH_CELL)), False
    if cell.undecoded:
        return Outcome.failed(cell.undecoded), cell.transient

    def compute() -> list[Outcome]:
        metric = synbench_metrics.load(measure_of(point.column))
        rate = metric.info.rate_for(references.rate)
        outcome = synbench_metrics.score(
            metric,
            reference=references.at(rate) if "reference" in metric.info.needs else None,
            degraded=degraded.at(rate),
            sample_rate=rate,
            transcript=item.transcript or None,
            language=item.language,
        )
        return [outcome]

    try:
        references.load()
        degraded.load()
    except (ItemError, OSError) as error:
        return Outcome.failed(str(error)), True
    except MemoryError:
        return Outcome.failed("out of memory"), True
    (result,) = _outcomes(compute, 1, cell_seconds(item, unit.cell_seconds))
    return result


def _outcomes(compute: Callable[[], list[Outcome]], count: int, seconds: float) -> list[Attempt]:
    """What a metric gives, or the one fault of all ``count`` cells.

    A library that fell over may have met a full folder or a busy machine: it is tried again. What
    a metric finds wrong with the waves stays wrong.
    """
    try:
        with guarded(seconds):
            try:
                outcomes = compute()
            except UsageError:
                return [(NO_TRANSCRIPT, False)] * count
    except ItemError as error:
        return [(Outcome.failed(str(error)), True)] * count
    return [(outcome, outcome.crashed) for outcome in outcomes]


class _References:
    """What an item's scores are against, each read once: its recording, and its damaged input."""

    def __init__(self, unit: ScoreUnit, item: ItemWork) -> None:
        self._clean = _Resampled(lambda: read_item(item))
        self._input = _Resampled(lambda: self._damaged(unit, item))

    def of(self, metric: MetricPoint) -> _Resampled:
        """The one of a metric."""
        return self._clean if metric.against == "clean" else self._input

    def _damaged(self, unit: ScoreUnit, item: ItemWork) -> tuple[policy.Wave, int]:
        self._clean.load()
        rate = self._clean.rate
        damage = applied(item.damage)
        if damage is None or not damage.condition.damages_input:
            raise ItemError("nothing was done to the input of this item")
        seconds = cell_seconds(item, unit.cell_seconds)
        wave = damaged_recording(
            self._clean.at(rate), rate, damage=damage, item=item, run=unit.run, seconds=seconds
        )
        return wave, rate


class _Resampled:
    """A wave at every rate asked for, read and resampled once."""

    def __init__(self, read: Callable[[], tuple[policy.Wave, int]]) -> None:
        self._read = read
        self._waves: dict[int, policy.Wave] = {}

    @functools.cached_property
    def _original(self) -> tuple[policy.Wave, int]:
        return self._read()

    def load(self) -> None:
        """Read it now.

        Raises:
            ItemError: it cannot be read, or is not what it should be.
        """
        _ = self._original

    @property
    def rate(self) -> int:
        """Rate in Hz before any resampling for a metric."""
        return self._original[1]

    def at(self, rate: int) -> policy.Wave:
        """The wave at a rate in Hz."""
        if rate not in self._waves:
            wave, original = self._original
            self._waves[rate] = policy.at_rate(wave, sample_rate=original, to=rate)
        return self._waves[rate]
