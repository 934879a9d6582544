"""What a worker does: code and decode, or score; then store its rows, complete or not at all.

Both functions return a small :class:`Report` for the progress display. A file that cannot be used
is a row with a reason. Only what makes going on pointless (a full disk) leaves a function as an
exception.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import resource
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import synbench_codecs
import synbench_metrics
from synbench import policy
from synbench.audio import write_audio
from synbench.execution.units import (
    Cell,
    CodecPoint,
    DecodeUnit,
    ItemWork,
    MetricPoint,
    ScoreUnit,
    artefact,
)
from synbench.results.rows import DecodeRow, ScoreRow
from synbench.results.store import RunFolder
from synbench_base.errors import EnvironmentFault, ItemError, Unavailable, UsageError
from synbench_base.files import write_bytes
from synbench_codecs import Codec, CodecInfo, Recording
from synbench_metrics import Metric, Outcome

NO_TRANSCRIPT = Outcome.not_applicable("the corpus has no transcript of this item")
FATAL_ERRNO = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE})

__all__ = ["Report", "blank_decode", "decode_unit", "score_row", "score_unit"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a finished unit tells the one who submitted it.

    Attributes:
        statuses: how many cells ended how, by (codec id, status).
        reasons: how often each reason for a failure came up.
        undecoded: (corpus, item, codec id) to (reason, transient), for failed decodes.
    """

    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    undecoded: dict[tuple[str, str, str], tuple[str, bool]] = field(default_factory=dict)


@functools.lru_cache(maxsize=1)
def _codec(spec: str) -> Codec | Recording:
    """One codec at a time stays in memory, built once per run of units."""
    codec = synbench_codecs.load(spec)
    # Networks are read at their first use; that must not count as the first wave's coding.
    getattr(codec, "model", None)
    return codec


def decode_unit(unit: DecodeUnit) -> Report:
    """Code every item, decode it from the bytes on disk, align it, store it.

    Raises:
        EnvironmentFault: the disk is full or read-only.
    """
    report = Report()
    rows = []
    with fatal_faults(unit.run):
        for item in unit.items:
            row = _decode_item(unit, item)
            rows.append(row)
            report.statuses[unit.codec.codec_id, row.status] += 1
            if row.status != "ok":
                report.reasons[row.reason] += 1
                place = (item.corpus, item.item, unit.codec.codec_id)
                report.undecoded[place] = (row.reason, row.transient)
        RunFolder(Path(unit.run)).add("decodes", rows)
    return report


def _decode_item(unit: DecodeUnit, item: ItemWork) -> DecodeRow:
    row = blank_decode(unit, item)
    if item.problem:
        return replace(row, reason=item.problem)
    try:
        return replace(row, **_code_and_decode(unit, item))
    except (ItemError, UsageError, Unavailable) as error:
        return replace(row, reason=str(error), transient=not _still(item))
    except (EnvironmentFault, OSError):
        raise
    except MemoryError:
        return replace(row, reason="out of memory", transient=True)
    except Exception as error:  # noqa: BLE001 - a codec's own bug is that item's failure
        return replace(row, reason=f"{type(error).__name__}: {error}")


def _code_and_decode(unit: DecodeUnit, item: ItemWork) -> dict[str, Any]:
    run, codec = Path(unit.run), _codec(unit.codec.spec)
    reference, rate = policy.read_reference(Path(item.path), target_rate=item.target_rate)
    target = artefact(unit.codec, item, unit.policy_id, ".flac")
    if isinstance(codec, Recording):
        decoded, decoded_rate = codec.fetch(item.item)
        measured: dict[str, Any] = {}
    else:
        stream = artefact(unit.codec, item, unit.policy_id, ".syn")
        decoded, decoded_rate, measured = _through_bytes(
            codec, reference, rate, run / "bitstreams" / stream
        )
        measured["bitstream"] = str(Path("bitstreams") / stream)
    aligned = policy.align(
        decoded,
        sample_rate=decoded_rate,
        delay_samples=codec.info.output_delay_samples,
        reference=reference,
        reference_rate=rate,
    )
    write_audio(run / "reconstructions" / target, aligned.wave, sample_rate=rate)
    return measured | {
        "status": "ok",
        "lag_seconds": aligned.lag_seconds,
        "correlation": aligned.correlation,
        "clipped_samples": aligned.clipped_samples,
        "filled_samples": aligned.filled_samples,
        "reconstruction": str(Path("reconstructions") / target),
    }


def _through_bytes(
    codec: Codec, reference: policy.Wave, rate: int, path: Path
) -> tuple[Any, int, dict[str, Any]]:
    """Encode, write, read back, decode: the decoder sees what lies on the disk."""
    codec_rate = codec.info.sample_rate or rate
    wave = policy.at_rate(reference, sample_rate=rate, to=codec_rate).astype("float32")
    with stopwatch() as encode_time:
        data = synbench_codecs.write_stream(synbench_codecs.encode(codec, wave, codec_rate))
    write_bytes(path, data)
    encoded = synbench_codecs.read_stream(path.read_bytes())
    with stopwatch() as decode_time:
        decoded = synbench_codecs.decode(codec, encoded)
    measured = {
        "payload_bits": encoded.payload_bits,
        "side_bits": encoded.side_bits,
        "encode_cpu_seconds": encode_time["cpu"],
        "encode_wall_seconds": encode_time["wall"],
        "decode_cpu_seconds": decode_time["cpu"],
        "decode_wall_seconds": decode_time["wall"],
    }
    return decoded, output_rate(codec.info, codec_rate), measured


def output_rate(info: CodecInfo, codec_rate: int) -> int:
    """Rate in Hz of the wave that a codec returns for an input at ``codec_rate``."""
    return info.output_sample_rate or codec_rate


def score_unit(unit: ScoreUnit) -> Report:
    """Score every wanted cell of every item; reads each reference once.

    Raises:
        EnvironmentFault: the disk is full or read-only.
    """
    report = Report()
    rows: list[ScoreRow] = []
    with fatal_faults(unit.run):
        for item, cells in unit.items:
            for row in _score_item(unit, item, cells):
                rows.append(row)
                report.statuses[row.codec_id, row.status] += 1
                if row.status == "failed":
                    report.reasons[row.reason] += 1
        RunFolder(Path(unit.run)).add("scores", rows)
    return report


def _score_item(unit: ScoreUnit, item: ItemWork, cells: tuple[Cell, ...]) -> Iterator[ScoreRow]:
    references = _Resampled(Path(item.path), item.target_rate)
    together: dict[MetricPoint, list[Cell]] = {}
    for cell in cells:
        degraded = _reconstruction(unit, item, cell)
        for metric in cell.metrics:
            if synbench_metrics.load(metric.column).compute_batch is not None:
                together.setdefault(metric, []).append(cell)
                continue
            with stopwatch() as spent:
                outcome, transient = _score_cell(item, cell, metric.column, references, degraded)
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
            found = _score_together(unit, item, wanted, metric.column, references)
        for cell, (outcome, transient) in zip(wanted, found, strict=True):
            share = spent["cpu"] / len(wanted)
            yield score_row(
                unit, item, cell, metric, outcome, transient=transient, cpu_seconds=share
            )


def _reconstruction(unit: ScoreUnit, item: ItemWork, cell: Cell) -> _Resampled:
    name = artefact(cell.codec, item, unit.policy_id, ".flac")
    return _Resampled(Path(unit.run) / "reconstructions" / name, None)


def score_row(
    unit: ScoreUnit,
    item: ItemWork,
    cell: Cell,
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
        codec=cell.codec.spec,
        codec_id=cell.codec.codec_id,
        metric=metric.column,
        metric_id=metric.metric_id,
        policy_id=unit.policy_id,
        status=outcome.status,
        value=outcome.value,
        reason=outcome.reason,
        weight=outcome.weight if outcome.status == "ok" else None,
        details=json.dumps(dict(outcome.details), ensure_ascii=False) if outcome.details else None,
        vector=vector,
        transient=transient,
        attempt=cell.earlier.get(metric.metric_id, 0) + 1,
        seconds=item.seconds,
        cpu_seconds=cpu_seconds,
    )


def _score_together(
    unit: ScoreUnit, item: ItemWork, cells: list[Cell], column: str, references: _Resampled
) -> list[tuple[Outcome, bool]]:
    """The outcomes of one item by several codecs, whose waves are equally long."""
    outcomes: dict[CodecPoint, tuple[Outcome, bool]] = {}
    waves: dict[CodecPoint, policy.Wave] = {}
    metric = synbench_metrics.load(column)
    for cell in cells:
        degraded = _reconstruction(unit, item, cell)
        try:
            if not item.problem and not cell.undecoded:
                waves[cell.codec] = degraded.at(metric.info.rate_for(references.rate))
                continue
        except (ItemError, MemoryError):
            pass  # said again, and turned into a status, by the next line
        outcomes[cell.codec] = _score_cell(item, cell, column, references, degraded)
    if waves:
        found = _guarded_batch(item, metric, list(waves.values()), references)
        outcomes.update(zip(waves, found, strict=True))
    return [outcomes[cell.codec] for cell in cells]


def _guarded_batch(
    item: ItemWork, metric: Metric, waves: list[policy.Wave], references: _Resampled
) -> list[tuple[Outcome, bool]]:
    try:
        rate = metric.info.rate_for(references.rate)
        found = synbench_metrics.score_batch(
            metric,
            reference=references.at(rate) if "reference" in metric.info.needs else None,
            degraded=waves,
            sample_rate=rate,
            transcript=item.transcript or None,
        )
    except ItemError as error:
        return [(Outcome.failed(str(error)), True)] * len(waves)
    except UsageError:
        return [(NO_TRANSCRIPT, False)] * len(waves)
    except MemoryError:
        return [(Outcome.failed("out of memory"), True)] * len(waves)
    return [(outcome, False) for outcome in found]


def _score_cell(
    item: ItemWork, cell: Cell, column: str, references: _Resampled, degraded: _Resampled
) -> tuple[Outcome, bool]:
    """The outcome, and whether it should be tried again at the next start."""
    if item.problem:
        return Outcome.failed(item.problem), False
    if cell.undecoded:
        return Outcome.failed(cell.undecoded), cell.transient
    try:
        metric = synbench_metrics.load(column)
        rate = metric.info.rate_for(references.rate)
        outcome = synbench_metrics.score(
            metric,
            reference=references.at(rate) if "reference" in metric.info.needs else None,
            degraded=degraded.at(rate),
            sample_rate=rate,
            transcript=item.transcript or None,
        )
    except ItemError as error:
        return Outcome.failed(str(error)), True
    except UsageError:
        return NO_TRANSCRIPT, False
    except MemoryError:
        return Outcome.failed("out of memory"), True
    return outcome, False


class _Resampled:
    """A file's wave at every rate asked for, read and resampled once."""

    def __init__(self, path: Path, target_rate: int | None) -> None:
        self._path, self._target_rate = path, target_rate
        self._waves: dict[int, policy.Wave] = {}

    @functools.cached_property
    def _original(self) -> tuple[policy.Wave, int]:
        return policy.read_reference(self._path, target_rate=self._target_rate)

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


@contextlib.contextmanager
def stopwatch() -> Iterator[dict[str, float]]:
    """Measures CPU seconds (all threads and finished child processes) and wall seconds."""
    spent = {"cpu": 0.0, "wall": 0.0}
    cpu, wall = _cpu_seconds(), time.perf_counter()
    yield spent
    spent["cpu"], spent["wall"] = _cpu_seconds() - cpu, time.perf_counter() - wall


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextlib.contextmanager
def fatal_faults(run: str) -> Iterator[None]:
    """Turn a full or read-only disk into an error that stops the run and says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in FATAL_ERRNO:
            raise
        raise EnvironmentFault(
            f"cannot write to {run}: {error.strerror}; make room, then type the same command again"
        ) from error


def _still(item: ItemWork) -> bool:
    """Whether the item's file is there; a failure while it was away is worth another try."""
    return Path(item.path).is_file()


def blank_decode(unit: DecodeUnit, item: ItemWork) -> DecodeRow:
    """What is stored of a decode before anything was done: a failure without a reason."""
    return DecodeRow(
        corpus=item.corpus,
        item=item.item,
        item_digest=item.digest,
        codec=unit.codec.spec,
        codec_id=unit.codec.codec_id,
        policy_id=unit.policy_id,
        status="failed",
        attempt=unit.earlier.get((item.corpus, item.item), 0) + 1,
        seconds=item.seconds,
    )
