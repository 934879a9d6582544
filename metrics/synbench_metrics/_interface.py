"""The metric interface: two waves go in, a value or a status with a reason comes out.

Conventions of every metric in this package
    reference, degraded   mono float64, shape ``(samples,)``, full scale at -1 and 1, same rate
    sample_rate           Hz
    value                 float in the metric's own unit; bigger is better when direction is "up"

A metric is a :class:`MetricInfo` and a plain function. :func:`score` puts the same checks before
every metric, so silence, NaN, a short clip or a wrong rate has one outcome whatever the column.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

from synbench_base.weights import Checkpoint

Wave = NDArray[Any]
Details = Mapping[str, str | int | float]
Status = Literal["ok", "not_applicable", "failed"]
Direction = Literal["up", "down"]
Needs = Literal["reference", "transcript", "language"]
BatchPolicy = Literal["single", "equal_length"]
Pooling = Literal["mean", "weighted_mean", "frechet"]

__all__ = [
    "BatchPolicy",
    "Details",
    "Direction",
    "Measured",
    "Metric",
    "MetricInfo",
    "Outcome",
    "Pooling",
    "Status",
    "Wave",
]


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """All that is known about one column; stored beside its scores.

    Attributes:
        column: name with the mode in it, ``pesq_wb``; never a bare ambiguous name.
        label: heading for tables, ``PESQ-WB``.
        unit: ``MOS``, ``dB`` or empty.
        direction: ``up`` when a bigger value is better.
        minimum, maximum: range of possible values; ``None`` where unbounded.
        sample_rates: rates in Hz at which it is defined, preferred first; empty means any rate.
        needs: what it must be given beside the degraded wave.
        minimum_seconds: shorter waves are not applicable.
        longest_seconds: longer waves are not applicable, for what it keeps of a wave at a time
            grows with the length; ``None`` where nothing is known against any length.
        by_stretches: it asks for a stretch of a wave at a time, so that hours take no more memory
            than minutes; such a function may be given a
            :class:`~synbench_base.long_wave.LongWave` in the place of an array.
        implementation: package (or "synbench") that computes it.
        version: version of that package.
        mode: what distinguishes this column from others of the same implementation.
        weights_sha256: digest of the model file, empty where there is none.
        licence: licence of the implementation, and of the weights where they differ.
        batch_policy: whether equal-length waves may share one forward pass.
        pooling: how the scores of a corpus become one number: their mean; their mean weighted by
            :attr:`Outcome.weight` (errors over words, for a corpus word error rate); or the Frechet
            distance of the sets of :attr:`Outcome.vector`.
        cpu_seconds_per_audio_second: rough cost on one core; the run corrects it.
        source: paper or standard.
        training_data: corpora that its model was trained on, as far as its authors state; scores on
            one of them are warned about. No part of the identity.
        languages: those it is for, as two letters; empty means any. An item of another one has no
            such score; one whose language is unknown is taken for one of them.
    """

    column: str
    label: str
    unit: str
    direction: Direction
    minimum: float | None
    maximum: float | None
    sample_rates: tuple[int, ...]
    needs: frozenset[Needs] = frozenset({"reference"})
    minimum_seconds: float = 0.0
    longest_seconds: float | None = None
    by_stretches: bool = False
    implementation: str
    version: str
    mode: str = ""
    weights_sha256: str = ""
    licence: str = ""
    batch_policy: BatchPolicy = "single"
    pooling: Pooling = "mean"
    cpu_seconds_per_audio_second: float
    source: str
    training_data: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        record = dataclasses.asdict(self)
        record["training_data"] = list(self.training_data)
        record["languages"] = list(self.languages)
        record["needs"] = sorted(self.needs)
        record["sample_rates"] = list(self.sample_rates)
        return record

    @property
    def identity(self) -> str:
        """Hex digest of everything that can change a score."""
        relevant = [
            self.column,
            self.implementation,
            self.version,
            self.mode,
            self.weights_sha256,
            list(self.sample_rates),
        ]
        return hashlib.sha256(json.dumps(relevant).encode()).hexdigest()

    def rate_for(self, sample_rate: int) -> int:
        """The rate in Hz at which a wave of ``sample_rate`` is scored."""
        if not self.sample_rates or sample_rate in self.sample_rates:
            return sample_rate
        return self.sample_rates[0]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a metric's function may return in place of a float.

    Attributes:
        value: the score.
        weight: how much it counts in a weighted mean, such as the number of reference words.
        details: counts and texts behind the score, kept beside it.
        vector: embeddings of the reference and the degraded wave, one after the other.
    """

    value: float
    weight: float = 1.0
    details: Details = field(default_factory=dict, hash=False)
    vector: tuple[float, ...] = ()


@dataclass(frozen=True)
class Metric:
    """One column: what it is, and the function that computes it.

    Attributes:
        info: name, unit, range, identity.
        compute: called with the keyword arguments that ``info.needs`` asks for, among
            ``reference=``, ``degraded=``, ``sample_rate=``, ``transcript=`` and ``language=`` (two
            letters); returns a float or a :class:`Measured`, or raises :class:`NotApplicable`.
        check: called before any work is planned; raises
            :class:`~synbench_metrics.errors.Unavailable` when a package or model is absent.
        checkpoints: model files that no package brings.
        compute_batch: the same for several degraded waves of one reference and one length,
            ``degraded=`` of shape ``(batch, samples)``; returns a list with one score per wave.
    """

    info: MetricInfo
    compute: Callable[..., float | Measured] = field(repr=False)
    check: Callable[[], None] = field(repr=False, default=lambda: None)
    checkpoints: tuple[Checkpoint, ...] = ()
    compute_batch: Callable[..., Sequence[float | Measured]] | None = field(
        repr=False, default=None
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A score, or why there is none.

    ``value`` is a finite float exactly when ``status`` is ``"ok"``, else ``None``; ``reason`` is
    empty exactly then. ``weight``, ``details`` and ``vector`` are those of :class:`Measured`.
    ``crashed`` says that the code fell over, which another time or place may not let it.
    """

    status: Status
    value: float | None = None
    reason: str = ""
    weight: float = 1.0
    details: Details = field(default_factory=dict, hash=False)
    vector: tuple[float, ...] = ()
    crashed: bool = False

    def __post_init__(self) -> None:
        if (self.status == "ok") != (self.value is not None) or (self.status == "ok") != (
            not self.reason
        ):
            raise ValueError(
                f"an outcome is ok with a value, or has a reason and none; got {self.status!r}, "
                f"{self.value!r}, {self.reason!r}"
            )

    @classmethod
    def ok(cls, value: float, **more: Any) -> Outcome:
        """A finite score; ``more`` is weight, details or vector."""
        return cls(status="ok", value=value, **more)

    @classmethod
    def not_applicable(cls, reason: str) -> Outcome:
        """The metric is not defined for this pair."""
        return cls(status="not_applicable", reason=reason)

    @classmethod
    def failed(cls, reason: str, *, crashed: bool = False) -> Outcome:
        """The metric should have had a value and has none."""
        return cls(status="failed", reason=reason, crashed=crashed)
