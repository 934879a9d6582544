"""Scoring pairs of files without a run: match by name, score on all cores, keep the order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import synbench_metrics
from synbench import policy
from synbench.audio import SUFFIXES
from synbench.errors import ItemError, UsageError
from synbench.execution.executors import ProcessPool
from synbench_metrics import Metric, Outcome

# Starting workers costs about this much; less work than that stays in this process.
START_OF_A_WORKER_SECONDS = 1.0
USUAL_CLIP_SECONDS = 5.0
CHUNKS_PER_WORKER = 4

__all__ = ["Pair", "Pairing", "Scored", "load_metrics", "match", "score_pairs"]


@dataclass(frozen=True)
class Pair:
    """Two files that belong together."""

    name: str
    reference: Path
    degraded: Path


@dataclass(frozen=True)
class Pairing:
    """The pairs of two folders, and the names that have no partner."""

    pairs: list[Pair]
    only_reference: list[str]
    only_degraded: list[str]


@dataclass(frozen=True)
class Scored:
    """The outcomes of one pair by column."""

    name: str
    outcomes: dict[str, Outcome]


def load_metrics(columns: Sequence[str]) -> list[Metric]:
    """The metrics, each checked to be usable here.

    Raises:
        UsageError: an unknown column, or none.
        Unavailable: a package is absent.
    """
    if not columns:
        raise UsageError("expected at least one metric, such as --metrics pesq_wb,stoi")
    metrics = [synbench_metrics.load(column) for column in columns]
    for metric in metrics:
        metric.check()
        if "transcript" in metric.info.needs:
            raise UsageError(f"{metric.info.column} needs transcripts: use a suite with a corpus")
    return metrics


def match(reference: Path, degraded: Path) -> Pairing:
    """Pair two files, or the files of two folders by relative path without suffix.

    Raises:
        UsageError: one is a file and the other a folder, or a name stands for two files.
    """
    if reference.is_file() and degraded.is_file():
        return Pairing([Pair(degraded.stem, reference, degraded)], [], [])
    if reference.is_file() or degraded.is_file():
        raise UsageError("--reference and --degraded must both be files or both be folders")
    left, right = _by_name(reference), _by_name(degraded)
    return Pairing(
        [Pair(name, left[name], right[name]) for name in sorted(left.keys() & right.keys())],
        sorted(left.keys() - right.keys()),
        sorted(right.keys() - left.keys()),
    )


def _by_name(folder: Path) -> dict[str, Path]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            found[path.relative_to(folder).with_suffix("").as_posix()].append(path)
    for name, paths in found.items():
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            raise UsageError(f"{folder}: {names} have the same name {name!r}; keep one of them")
    return {name: paths[0] for name, paths in found.items()}


def score_pairs(
    pairs: Sequence[Pair], columns: Sequence[str], *, workers: int, cut: bool = False
) -> list[Scored]:
    """Score all pairs, in their order; with ``cut`` the longer of a pair is cut to the shorter.

    Raises:
        concurrent.futures.BrokenExecutor: a worker died.
    """
    per_second = sum(m.info.cpu_seconds_per_audio_second for m in load_metrics(columns))
    expected = len(pairs) * USUAL_CLIP_SECONDS * per_second
    if workers < 2 or len(pairs) < 2 or expected < 2 * START_OF_A_WORKER_SECONDS:
        return score_chunk(pairs, columns, cut)
    size = max(1, -(-len(pairs) // (workers * CHUNKS_PER_WORKER)))
    chunks = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    pool = ProcessPool(min(workers, len(chunks)))
    try:
        futures = [pool.submit(score_chunk, chunk, columns, cut) for chunk in chunks]
        return [scored for future in futures for scored in future.result()]
    finally:
        pool.shutdown(kill=True)


def score_chunk(pairs: Sequence[Pair], columns: Sequence[str], cut: bool) -> list[Scored]:
    """Score some pairs in this process."""
    metrics = [synbench_metrics.load(column) for column in columns]
    return [Scored(pair.name, _score_pair(pair, metrics, cut)) for pair in pairs]


def _score_pair(pair: Pair, metrics: Sequence[Metric], cut: bool) -> dict[str, Outcome]:
    try:
        reference, reference_rate = policy.read_reference(pair.reference, target_rate=None)
        degraded, degraded_rate = policy.read_reference(pair.degraded, target_rate=None)
    except ItemError as error:
        return {metric.info.column: Outcome.failed(str(error)) for metric in metrics}
    outcomes = {}
    for metric in metrics:
        rate = metric.info.rate_for(reference_rate)
        left = policy.at_rate(reference, sample_rate=reference_rate, to=rate)
        right = policy.at_rate(degraded, sample_rate=degraded_rate, to=rate)
        # Two rates of one recording round its length differently, by a sample at most.
        rounding = reference_rate != degraded_rate and abs(left.size - right.size) <= 1
        if cut or rounding:
            shorter = min(left.size, right.size)
            left, right = left[:shorter], right[:shorter]
        outcomes[metric.info.column] = synbench_metrics.score(
            metric, reference=left, degraded=right, sample_rate=rate
        )
    return outcomes
