"""What a suite asks for, what the run folder already has, and so what is missing.

A cell is one (item, codec, metric). It is present when a stored row was made from exactly the item
samples, codec, metric and policy of today's plan; everything else is missing and will be computed.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import synbench_codecs
import synbench_metrics
from synbench import corpora, policy
from synbench.conditions.against import Against, against_input
from synbench.conditions.applied import apply_to
from synbench.conditions.condition import Condition
from synbench.conditions.corpora import Group, groups, under
from synbench.corpora import Corpus
from synbench.corpora.whereabouts import remember_recordings
from synbench.execution.costs import UNKNOWN_COST_SECONDS, known_costs, unmeasured_cost
from synbench.execution.identity import codec_identity
from synbench.execution.longest import longest_seconds
from synbench.execution.transcripts import transcript_note
from synbench.execution.units import CodecPoint, ItemWork, MetricPoint, artefact, item_digest
from synbench.results.confined import plain_name
from synbench.results.outcomes import Outcomes, stored_outcomes
from synbench.results.store import RunFolder
from synbench.suite import CodecEntry, CorpusEntry, Suite
from synbench_base.collector import paused_collector
from synbench_base.errors import MissingWeights, Unavailable, UsageError
from synbench_codecs import CodecInfo, Recording, format_spec
from synbench_metrics import MetricInfo

# Noise, rooms and the level of active speech, once for all codecs.
COST_OF_DAMAGE = 0.02
# Reading, resampling and writing one reconstruction or reference.
FILES_COST_SECONDS = 0.01

GO_ON = "to go on without what is not here, write into the suite: unavailable: skip"

__all__ = [
    "GO_ON",
    "Plan",
    "SkippedEntry",
    "SuiteCodec",
    "SuiteMetric",
    "corpus_spec",
    "is_complete_now",
    "make_plan",
    "suite_alone",
]


@dataclass(frozen=True, kw_only=True)
class SuiteCodec:
    """A codec point of the suite.

    ``cost`` is in CPU seconds per second of audio, of which ``decode_share`` goes to the decoder.
    Items of more than ``longest_seconds`` are not coded.
    """

    point: CodecPoint
    label: str
    info: CodecInfo
    cost: float
    decode_share: float = 0.5
    longest_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class SuiteMetric:
    """A column of the suite."""

    point: MetricPoint
    info: MetricInfo
    cost: float


@dataclass(frozen=True, kw_only=True)
class SkippedEntry:
    """A codec or metric that cannot run here; its cells stay missing, with this reason.

    ``codec`` is known where only the weights are absent: the codec keeps its row in every table.
    So does a metric its ``columns``.
    """

    kind: str
    name: str
    error: Unavailable
    codec: SuiteCodec | None = None
    columns: tuple[SuiteMetric, ...] = ()

    @property
    def reason(self) -> str:
        """Why, and what to type."""
        return str(self.error)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a run needs to know.

    Attributes:
        groups: every corpus under every condition.
        total_scores: cells of the scoring stage, done or not.
        decodes: items that must be coded, per codec.
        scores: metrics wanted, per (item, codec) that lacks some.
        undecoded: known reasons why an (item, codec id) has no reconstruction.
        cached_decodes, cached_scores: cells that need no work.
        decode_attempts: how often missing decodes were tried before, where they were.
        score_attempts: likewise by metric id.
        cell_seconds: how long one cell may take, 0 for the usual time.
    """

    suite: Suite
    policy_id: str
    groups: tuple[Group, ...]
    items: tuple[ItemWork, ...]
    codecs: tuple[SuiteCodec, ...]
    metrics: tuple[SuiteMetric, ...]
    skipped: tuple[SkippedEntry, ...]
    total_scores: int
    decodes: dict[CodecPoint, tuple[ItemWork, ...]]
    scores: dict[tuple[ItemWork, CodecPoint], tuple[MetricPoint, ...]]
    undecoded: dict[tuple[ItemWork, CodecPoint], str]
    cached_decodes: int
    cached_scores: int
    decode_attempts: dict[tuple[ItemWork, CodecPoint], int] = field(default_factory=dict)
    score_attempts: dict[tuple[ItemWork, CodecPoint], dict[str, int]] = field(default_factory=dict)
    cell_seconds: float = 0.0

    @property
    def corpora(self) -> tuple[Corpus, ...]:
        """The corpora by the names under which their rows are kept, see ``groups``."""
        return tuple(group.corpus for group in self.groups)

    @functools.cached_property
    def conditions(self) -> dict[str, Condition]:
        """By name of a corpus, as in ``corpora``."""
        return {group.corpus.name: group.condition for group in self.groups}

    @property
    def total_decodes(self) -> int:
        """Cells of the decoding stage, done or not."""
        return len(self.items) * len(self.codecs)

    @property
    def scores_per_codec(self) -> int:
        """Cells of the scoring stage of one codec."""
        return self.total_scores // len(self.codecs) if self.codecs else 0

    @property
    def missing_scores(self) -> int:
        """Scores still to compute."""
        return sum(len(metrics) for metrics in self.scores.values())

    @property
    def complete(self) -> bool:
        """Nothing is left to do."""
        return not self.decodes and not self.scores

    def decode_cost(self, codec: CodecPoint, item: ItemWork) -> float:
        """Forecast CPU seconds to code and decode one item."""
        return self._cost_per_second[codec, item.corpus] * item.seconds

    @functools.cached_property
    def _cost_per_second(self) -> dict[tuple[CodecPoint, str], float]:
        """By codec and corpus: what comes before the codec, its encoder where needed, its decoder.

        A channel damages the stream of the condition without it, which is coded once.
        """
        by_spec = {codec.info.spec: codec.cost for codec in self.codecs}
        names = self.conditions
        costs = {}
        for group in self.groups:
            condition, tandem = group.condition, group.condition.tandem
            sent = under(group.clean, condition.without_channel).name if condition.channel else ""
            for codec in self.codecs:
                share = codec.decode_share if sent in names else 1.0
                cost = codec.cost * share + FILES_COST_SECONDS
                if isinstance(tandem, int):
                    cost += 0.0 if sent in names else (tandem - 1) * codec.cost
                else:
                    # Made once for all codecs, so each has its share.
                    known = sum(by_spec.get(spec, UNKNOWN_COST_SECONDS) for spec in tandem)
                    cost += known / len(self.codecs)
                if condition.damages_input:
                    cost += COST_OF_DAMAGE / len(self.codecs)
                costs[codec.point, group.corpus.name] = cost
        return costs

    def score_cost(self, item: ItemWork, metrics: tuple[MetricPoint, ...]) -> float:
        """Forecast CPU seconds to score one reconstruction."""
        costs = {planned.point: planned.cost for planned in self.metrics}
        return (sum(costs[metric] for metric in metrics) + FILES_COST_SECONDS) * item.seconds

    @property
    def forecast_cpu_seconds(self) -> float:
        """CPU seconds that the missing work should take."""
        decode = sum(
            self.decode_cost(codec, item) for codec, items in self.decodes.items() for item in items
        )
        return decode + sum(
            self.score_cost(item, metrics) for (item, _), metrics in self.scores.items()
        )


@paused_collector()
def make_plan(
    suite: Suite,
    run: RunFolder,
    *,
    progress: Callable[[int, int], None] | None = None,
    retry: bool = False,
    cell_seconds: float = 0.0,
    stop: bool = True,
) -> Plan:
    """Resolve a suite against this machine and a run folder.

    Args:
        progress: called with (files read, files) while corpora are read.
        retry: try every failure again, however often it was tried.
        cell_seconds: how long one clip may take by one codec or metric; 0 for the usual time.
        stop: stop at what cannot run here where the suite says so; else it is only left out.

    Raises:
        UsageError: something the suite names does not exist.
        Unavailable: something cannot run here and the suite says to stop.
    """
    alone = suite_alone(suite, run, stop=stop)
    codecs, metrics = alone.codecs, alone.metrics
    loaded = tuple(
        _noted(corpus, [metric.info for metric in metrics]) for corpus in _corpora(suite, progress)
    )
    grouped = groups(loaded, suite.read_conditions())
    for group in grouped:
        if not group.condition.is_clean:  # those as recorded were remembered when they were read
            remember_recordings(group.corpus)
    items = tuple(_item(group, item) for group in grouped for item in group.corpus.items)
    planned_items = dataclasses.replace(alone, groups=grouped, items=items)
    stored = _stored(planned_items, run, retry=retry)
    decodes: dict[CodecPoint, list[ItemWork]] = defaultdict(list)
    scores: dict[tuple[ItemWork, CodecPoint], tuple[MetricPoint, ...]] = {}
    undecoded: dict[tuple[ItemWork, CodecPoint], str] = {}
    decode_attempts: dict[tuple[ItemWork, CodecPoint], int] = {}
    score_attempts: dict[tuple[ItemWork, CodecPoint], dict[str, int]] = {}
    asked = _asked(grouped, metrics)
    total_scores = int(np.count_nonzero(asked)) * len(codecs)
    lacking = ~stored.scored & asked[:, None, :]
    unfinished = ~stored.decoded | lacking.any(axis=2)
    tried = np.asarray((stored.score_attempts * asked[:, None, :]).any(axis=2))
    wanted: dict[bytes, tuple[MetricPoint, ...]] = {}
    for number, planned in enumerate(codecs):
        for index in np.flatnonzero(unfinished[:, number]).tolist():
            item, pair = items[index], (index, number)
            key = item, planned.point
            # Few sets of metrics are missing anywhere, and a million cells share them.
            pattern = lacking[pair].tobytes()
            if pattern not in wanted:
                missing = np.flatnonzero(lacking[pair])
                wanted[pattern] = tuple(metrics[metric].point for metric in missing)
            if wanted[pattern]:
                scores[key] = wanted[pattern]
            if wanted[pattern] and tried[pair]:
                score_attempts[key] = {
                    metric.point.metric_id: int(count)
                    for metric, count in zip(metrics, stored.score_attempts[pair], strict=True)
                    if count and metric.point in wanted[pattern]
                }
            reason = stored.undecoded.get(pair)
            if reason is not None:
                undecoded[key] = reason
            elif not stored.decoded[pair] or not _file_is_there(run, planned, item):
                decodes[planned.point].append(item)
                if stored.decode_attempts[pair]:
                    decode_attempts[key] = int(stored.decode_attempts[pair])
    return dataclasses.replace(
        planned_items,
        total_scores=total_scores,
        decodes={codec: tuple(missing) for codec, missing in decodes.items()},
        scores=scores,
        undecoded=undecoded,
        cached_decodes=len(items) * len(codecs) - sum(map(len, decodes.values())),
        cached_scores=total_scores - sum(map(len, scores.values())),
        decode_attempts=decode_attempts,
        score_attempts=score_attempts,
        cell_seconds=cell_seconds,
    )


def suite_alone(suite: Suite, run: RunFolder | None = None, *, stop: bool = True) -> Plan:
    """What of a suite can run here, as a plan that has read no corpus.

    Args:
        run: whose measured costs to forecast from; without it, they are what codecs declare.

    Raises:
        UsageError, Unavailable: as :func:`make_plan`.
    """
    skipped: list[SkippedEntry] = []
    measured = known_costs(run) if run else {}
    metrics = _metrics(suite, measured, skipped)
    codecs = _codecs(suite, measured, _decode_shares(run) if run else {}, skipped)
    if stop and skipped and suite.unavailable == "stop":
        raise _noted_error(skipped)
    return Plan(
        suite=suite,
        policy_id=policy.policy_id(),
        groups=(),
        items=(),
        codecs=codecs,
        metrics=metrics,
        skipped=tuple(skipped),
        total_scores=0,
        decodes={},
        scores={},
        undecoded={},
        cached_decodes=0,
        cached_scores=0,
    )


def is_complete_now(plan: Plan, run: RunFolder) -> bool:
    """Whether nothing of a plan is left to do, after it was worked on."""
    stored = _stored(plan, run, retry=False)
    lacking = ~stored.scored & _asked(plan.groups, plan.metrics)[:, None, :]
    return bool(stored.decoded.all() and not lacking.any())


def _stored(plan: Plan, run: RunFolder, *, retry: bool) -> Outcomes:
    return stored_outcomes(
        run.path,
        items=(
            [item.corpus for item in plan.items],
            [item.item for item in plan.items],
            [item.digest for item in plan.items],
        ),
        policy_id=plan.policy_id,
        codec_ids=[codec.point.codec_id for codec in plan.codecs],
        metric_ids=[metric.point.metric_id for metric in plan.metrics],
        retry=retry,
    )


def _asked(grouped: tuple[Group, ...], metrics: Sequence[SuiteMetric]) -> NDArray[np.bool_]:
    """Whether a score is asked for, shape ``(item, metric)``: against a damaged input where it is.

    Elsewhere the input is the recording, and the score would be the other column's.
    """
    wanted = [
        [each.point.against == "clean" or group.condition.damages_input for each in metrics]
        for group in grouped
    ]
    table = np.array(wanted, dtype=bool).reshape(len(grouped), len(metrics))
    return np.repeat(table, [len(group.corpus.items) for group in grouped], axis=0)


def _file_is_there(run: RunFolder, planned: SuiteCodec, item: ItemWork) -> bool:
    name = artefact(planned.point, item, policy.policy_id(), ".flac")
    return (run.path / "reconstructions" / name).is_file()


def _corpora(suite: Suite, progress: Callable[[int, int], None] | None) -> tuple[Corpus, ...]:
    loaded = tuple(_corpus(entry, progress) for entry in suite.corpora)
    names = [plain_name(corpus.name, what="the corpus name") for corpus in loaded]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two corpora are called {name!r}: give one of them another `name:`")
    return loaded


def _corpus(entry: CorpusEntry, progress: Callable[[int, int], None] | None) -> Corpus:
    corpus = corpora.load(
        corpus_spec(entry),
        limit=entry.limit,
        expected_digest=entry.digest,
        progress=progress,
    )
    return dataclasses.replace(corpus, name=entry.name) if entry.name else corpus


def corpus_spec(entry: CorpusEntry) -> str:
    """How an entry of a suite names its corpus."""
    return format_spec(entry.corpus, entry.options)


def _noted(corpus: Corpus, metrics: list[MetricInfo]) -> Corpus:
    note = transcript_note(corpus, metrics)
    return dataclasses.replace(corpus, note="; ".join(filter(None, (corpus.note, note))))


def _item(group: Group, item: corpora.Item) -> ItemWork:
    corpus, damage, condition, made_by = group.corpus, "", "", ""
    sent = ("", "")
    if not group.condition.is_clean:
        applied = apply_to(group.condition, group.clean, item)
        damage, condition, made_by = applied.to_text(), group.condition.label, applied.identity
    if group.condition.channel:
        before = group.condition.without_channel
        identity = "" if before.is_clean else apply_to(before, group.clean, item).identity
        sent = under(group.clean, before).name, _digest(corpus, item, identity)
    return ItemWork(
        corpus=corpus.name,
        item=item.id,
        digest=_digest(corpus, item, made_by),
        path=str(item.path),
        seconds=item.seconds,
        target_rate=corpus.target_rate,
        transcript=item.transcript,
        language=item.language,
        problem=item.problem,
        condition=condition,
        damage=damage,
        sent=sent,
    )


def _digest(corpus: Corpus, item: corpora.Item, condition: str) -> str:
    return item_digest(
        item.sha256,
        corpus.target_rate,
        item.transcript,
        condition=condition,
        language=item.language,
    )


def _codecs(
    suite: Suite,
    measured: dict[str, float],
    shares: dict[str, float],
    skipped: list[SkippedEntry],
) -> tuple[SuiteCodec, ...]:
    planned: list[SuiteCodec] = []
    for entry in suite.codecs:
        spec = format_spec(entry.codec, entry.options)
        try:
            codec = synbench_codecs.load(spec)
        except Unavailable as error:
            skipped.append(_skipped_codec(entry, spec, error))
            continue
        one = _planned_codec(entry, codec, measured)
        share = shares.get(one.point.codec_id, one.decode_share)
        planned.append(dataclasses.replace(one, decode_share=share))
    rows = [*planned, *(each.codec for each in skipped if each.codec is not None)]
    for attribute in ("label", "point"):
        values = [getattr(codec, attribute) for codec in rows]
        for value in values:
            if values.count(value) > 1:
                raise UsageError(
                    f"the suite has two codecs with the same {attribute}: {value}; "
                    + ("give one of them another `label:`" if attribute == "label" else "drop one")
                )
    return tuple(planned)


def _noted_error(skipped: Sequence[SkippedEntry]) -> Unavailable:
    """What stops a run: the first, with the others and the way on as notes."""
    first, *others = skipped
    for other in others:
        first.error.add_note(f"{other.kind} {other.name}: {other.reason}")
    first.error.add_note(GO_ON)
    return first.error


def _skipped_codec(entry: CodecEntry, spec: str, error: Unavailable) -> SkippedEntry:
    known = synbench_codecs.describe(spec) if isinstance(error, MissingWeights) else None
    if known is None:
        return SkippedEntry(kind="codec", name=entry.label or spec, error=error)
    codec = SuiteCodec(
        point=CodecPoint(spec=known.spec, codec_id=known.identity[:16]),
        label=entry.label or known.label,
        info=known,
        cost=0.0,
    )
    return SkippedEntry(kind="codec", name=codec.label, error=error, codec=codec)


def _planned_codec(
    entry: CodecEntry, codec: synbench_codecs.Codec | Recording, measured: dict[str, float]
) -> SuiteCodec:
    info = codec.info
    codec_id = codec_identity(codec)
    return SuiteCodec(
        point=CodecPoint(spec=info.spec, codec_id=codec_id),
        label=entry.label or info.label,
        info=info,
        cost=measured.get(codec_id, unmeasured_cost(codec)),
        longest_seconds=longest_seconds(codec),
    )


def _metrics(
    suite: Suite, measured: dict[str, float], skipped: list[SkippedEntry]
) -> tuple[SuiteMetric, ...]:
    loaded = [synbench_metrics.load(column) for column in suite.metrics]
    damaged = any(condition.damages_input for condition in suite.read_conditions())
    planned: list[SuiteMetric] = []
    beside: list[SuiteMetric] = []
    for column, metric in {metric.info.column: metric for metric in loaded}.items():
        clean, damaged_input = [], []
        if "clean" in suite.against or not damaged or "reference" not in metric.info.needs:
            clean.append(_planned_metric(metric.info, "clean", measured))
        other = against_input(metric.info)
        if damaged and "input" in suite.against and other is not None:
            damaged_input.append(_planned_metric(other, "input", measured))
        try:
            metric.check()
        except Unavailable as error:
            columns = (*clean, *damaged_input)
            skipped.append(SkippedEntry(kind="metric", name=column, error=error, columns=columns))
            continue
        planned += clean
        beside += damaged_input
    return (*planned, *beside)


def _planned_metric(info: MetricInfo, against: Against, measured: dict[str, float]) -> SuiteMetric:
    metric_id = info.identity[:16]
    return SuiteMetric(
        point=MetricPoint(column=info.column, metric_id=metric_id, against=against),
        info=info,
        cost=measured.get(metric_id, info.cpu_seconds_per_audio_second),
    )


def _decode_shares(run: RunFolder) -> dict[str, float]:
    """Which part of coding and decoding the decoder took in this folder, by codec id."""
    shares = run.query(
        "decodes",
        "SELECT codec_id, sum(decode_cpu_seconds) / sum(encode_cpu_seconds + decode_cpu_seconds) "
        "FROM rows WHERE encode_cpu_seconds IS NOT NULL GROUP BY codec_id "
        "HAVING sum(encode_cpu_seconds + decode_cpu_seconds) > 0",
        every=True,
    )
    return {str(name): float(share) for name, share in shares}
