"""What a run is meant to hold: the manifest of its latest start as typed data.

Rates are in bit/s and Hz, durations in seconds, digests are hex.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from synbench.errors import UsageError
from synbench.results.checked_types import check_types
from synbench.results.store import FORMAT, RunFolder
from synbench_base.decimals import is_share
from synbench_codecs import Delays, delays_of

Direction = Literal["up", "down", ""]

__all__ = [
    "Direction",
    "Part",
    "PlannedCodec",
    "PlannedComparison",
    "PlannedCorpus",
    "PlannedMetric",
    "PlannedRun",
    "Skipped",
    "read_planned",
    "undamaged",
]


NEWER_OF_METRIC = ("pooling", "training_data", "against", "missing")


@dataclass(frozen=True, kw_only=True)
class PlannedCodec:
    """One codec point; the fields are those of ``CodecInfo`` that a table needs.

    ``bits_counted`` is False where only decoded files exist, so that the rate is a declared one.
    ``weights`` names the files of the checkpoint and their digests; empty where there are none.
    ``training_data`` names the corpora that its weights were trained on, as far as stated.
    ``released`` is False where some of them are a user's own.
    ``conceals`` is whether its decoder bridges lost frames by itself.
    ``missing`` says why the codec could not run at the latest start; it is empty otherwise.
    """

    label: str
    codec_id: str
    spec: str
    kind: str
    nominal_bps: float | None
    bits_counted: bool
    training_note: str
    training_data: tuple[str, ...] = ()
    implementation: str = ""
    weights: tuple[str, ...] = ()
    released: bool = False
    source: str = ""
    codebook_sizes: tuple[int, ...] = ()
    bits_per_frame: float | None = None
    conceals: bool = False
    delays: Delays = field(default_factory=Delays)
    missing: str = ""

    @property
    def is_anchor(self) -> bool:
        """Whether it is a fixed point of the scale and no competitor."""
        return self.kind == "anchor"


@dataclass(frozen=True, kw_only=True)
class PlannedMetric:
    """One metric column; the fields are those of ``MetricInfo`` that a table needs.

    ``against`` is what the scores compare with: the clean recording, or the damaged input.
    ``missing`` says why the metric could not run at the latest start; it is empty otherwise.
    """

    metric_id: str
    column: str
    label: str
    unit: str
    direction: Direction
    maximum: float | None
    sample_rates: tuple[int, ...]
    implementation: str
    version: str
    mode: str
    weights_sha256: str
    source: str
    pooling: str = "mean"
    training_data: tuple[str, ...] = ()
    against: Literal["clean", "input"] = "clean"
    missing: str = field(default="", compare=False)

    @property
    def is_rate(self) -> bool:
        """Whether the number of a corpus is all errors over all reference words."""
        return self.pooling == "weighted_mean"

    @property
    def is_share(self) -> bool:
        """Whether the number is an error rate, which is printed in per cent."""
        return is_share(self.pooling, self.unit)

    @property
    def scale(self) -> int:
        """What a number is multiplied by before it is printed: 100 for a share, else 1."""
        return 100 if self.is_share else 1

    @property
    def printed_label(self) -> str:
        """``WER in %`` for a share, else the label."""
        return f"{self.label} in %" if self.is_share else self.label

    @property
    def is_distance(self) -> bool:
        """Whether the number of a corpus is one distance of two sets, which has no items."""
        return self.pooling == "frechet"


@dataclass(frozen=True, kw_only=True)
class PlannedCorpus:
    """One corpus; ``note`` is what a reader of any score must know, ``seconds`` its duration.

    Under a condition, ``clean`` is the name of the same corpus as recorded, ``condition`` the label
    of what was done to it, ``condition_group`` what that varies and ``condition_value`` where it
    lies on that scale. ``damaged_input`` is whether the codecs got another wave than the recording.
    A tandem goes through the codec ``passes`` times, and before it through others that keep speech
    back for ``earlier_delay`` seconds, ``None`` where they need the whole file. ``conceal`` is what
    is done about lost frames.
    """

    name: str
    digest: str
    items: int
    seconds: float
    note: str
    licence: str = ""
    clean: str = ""
    condition: str = ""
    condition_group: str = ""
    condition_value: float | None = None
    damaged_input: bool = False
    passes: int = 1
    earlier_delay: float | None = 0.0
    conceal: str = ""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A codec or metric that could not run on the machine, and why."""

    kind: str
    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """One of the runs that were merged: names of its corpora, ids of its codecs and metrics."""

    corpora: frozenset[str]
    codecs: frozenset[str]
    metrics: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class PlannedComparison:
    """A comparison that the suite fixed: labels of two codecs, and of two more for a share."""

    first: str
    second: str
    asks: str = ""
    share_of: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """All codecs it needs, first and second at the front."""
        return (self.first, self.second, *self.share_of)


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """Everything that says which stored rows count, and what a table says about them.

    ``limits`` are what the suite asks of a codec: ``latency_ms``, ``giga_macs``.
    ``parts`` are the runs that a merged run was made of; empty where every codec and metric was
    planned for every corpus.
    """

    folder: Path
    name: str
    started: str
    policy_id: str
    policy: dict[str, str]
    processor: str
    codecs: tuple[PlannedCodec, ...]
    metrics: tuple[PlannedMetric, ...]
    corpora: tuple[PlannedCorpus, ...]
    skipped: tuple[Skipped, ...]
    parts: tuple[Part, ...] = ()
    comparisons: tuple[PlannedComparison, ...] = ()
    limits: dict[str, float] = field(default_factory=dict)

    @functools.cached_property
    def _against_input(self) -> frozenset[str]:
        return frozenset(each.metric_id for each in self.metrics if each.against == "input")

    @functools.cached_property
    def _damaged_inputs(self) -> frozenset[str]:
        return frozenset(each.name for each in self.corpora if each.damaged_input)

    @property
    def asks_everything(self) -> bool:
        """Whether every codec and metric was planned for every corpus."""
        return not self.parts and not self._against_input

    def digest_of(self, corpus: str) -> str:
        """The digest of one of the corpora, empty where there is none of this name."""
        return next((known.digest for known in self.corpora if known.name == corpus), "")

    def asks(self, *, corpus: str, codec_id: str, metric_id: str) -> bool:
        """Whether this cell was planned.

        In a merged run some were in none of its parts, and against the damaged input there is no
        score where the input is the recording.
        """
        if metric_id in self._against_input and corpus not in self._damaged_inputs:
            return False
        return not self.parts or any(
            corpus in part.corpora and codec_id in part.codecs and metric_id in part.metrics
            for part in self.parts
        )


def read_planned(folder: Path) -> PlannedRun:
    """Read the manifest of a run folder.

    Raises:
        UsageError: the manifest is damaged, or written by another version of synbench.
    """
    path = RunFolder(folder).manifest_path
    manifest = RunFolder(folder).manifest()
    run_format = manifest.get("format")
    if run_format != FORMAT:
        raise UsageError(
            f"{path} has format {run_format!r:.40}, expected {FORMAT}: "
            "read it with the version of synbench that wrote it, or run the suite again"
        )
    with undamaged(path):
        planned = _planned(folder, manifest)
        check_types(planned)
        _check_texts(manifest)
        if any(not 1 <= size < 2**31 for codec in planned.codecs for size in codec.codebook_sizes):
            raise ValueError("a codebook of no size")
        return planned


@contextlib.contextmanager
def undamaged(path: Path) -> Iterator[None]:
    """Where a manifest is taken apart: what does not fit is damage, and not our bug.

    Raises:
        UsageError: something was absent or of another kind; the message names the file.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def _check_texts(manifest: dict[str, Any]) -> None:
    """What only comparisons of runs read, as plain data: texts and numbers by name.

    Raises:
        TypeError: something else.
    """
    for part in ("policy", "packages", "host", "builds"):
        texts = manifest.get(part, {}) if part == "builds" else manifest[part]
        for name, value in texts.items():
            if not isinstance(value, str | int | float | None):
                raise TypeError(f"{part} {name}: expected a text or a number, got {value!r:.60}")
    for plural, keys in (("codecs", ("label", "codec_id")), ("corpora", ("name", "digest"))):
        for entry in manifest[plural]:
            if any(not isinstance(entry[key], str) for key in keys):
                raise TypeError(f"{plural}: expected texts as {' and '.join(keys)}")


def _planned(folder: Path, manifest: dict[str, Any]) -> PlannedRun:
    return PlannedRun(
        folder=folder,
        name=manifest["suite"]["name"],
        started=manifest["started"],
        policy_id=manifest["policy_id"],
        policy={name: str(value) for name, value in manifest["policy"].items()},
        processor=manifest["host"]["processor"],
        codecs=tuple(map(_codec, manifest["codecs"])),
        metrics=tuple(map(_metric, manifest["metrics"])),
        corpora=tuple(map(_corpus, manifest["corpora"])),
        skipped=tuple(Skipped(**entry) for entry in manifest["skipped"]),
        parts=_parts(manifest.get("merged", [])),
        # A suite of an older version fixed none.
        comparisons=tuple(map(_comparison, manifest["suite"].get("comparisons", []))),
        limits=_limits(manifest["suite"].get("limits") or {}),
    )


def _parts(records: list[dict[str, Any]]) -> tuple[Part, ...]:
    # Those of an older version do not say what was planned: then everything was.
    names = Part.__dataclass_fields__
    if any(name not in record for record in records for name in names):
        return ()
    return tuple(Part(**{name: frozenset(record[name]) for name in names}) for record in records)


def _limits(record: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in record.items() if value is not None}


def _comparison(record: dict[str, Any]) -> PlannedComparison:
    return PlannedComparison(**record | {"share_of": tuple(record["share_of"])})


def _codec(record: dict[str, Any]) -> PlannedCodec:
    nominal = record["nominal_bitrate_bps"]
    return PlannedCodec(
        label=record["label"],
        codec_id=record["codec_id"],
        spec=record["spec"],
        kind=record["kind"],
        nominal_bps=None if nominal is None else float(Fraction(nominal)),
        bits_counted=record["bits_counted"],
        training_note=record["training_note"],
        # A run of an older version does not say it.
        training_data=tuple(record.get("training_data", ())),
        implementation=record["implementation"],
        weights=tuple(map(_weights, record["weights"] or ())),
        released=bool(record["weights"])
        and all(source["repository"] != "local" for source in record["weights"]),
        source=record["source"],
        codebook_sizes=tuple(record["codebook_sizes"]),
        bits_per_frame=record["bits_per_frame"],
        # A run of an older version does not say it.
        conceals=bool(record.get("conceals", False)),
        delays=delays_of(record),
        missing=record.get("missing", ""),
    )


def _weights(record: dict[str, Any]) -> str:
    origin = f"{record['repository']} {record['file']} at {record['revision'][:12]}"
    return f"{origin}, sha256 {record['sha256'][:12]}"


def _metric(record: dict[str, Any]) -> PlannedMetric:
    names = PlannedMetric.__dataclass_fields__
    # A manifest of an older version has no pooling: then everything is a mean; nor does it say what
    # a metric was trained on, and its scores are against the clean recordings.
    values = {name: record[name] for name in names if name in record or name not in NEWER_OF_METRIC}
    lists = {name: tuple(record.get(name, ())) for name in ("sample_rates", "training_data")}
    return PlannedMetric(**values | lists)


def _corpus(record: dict[str, Any]) -> PlannedCorpus:
    # A corpus as recorded has no condition, nor has any of an older version.
    names = PlannedCorpus.__dataclass_fields__.keys() & record.keys()
    return PlannedCorpus(**{name: record[name] for name in names})
