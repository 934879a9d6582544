"""Scoring pairs of files without a run, by the rules of a run: the same files belong together, the
same policy brings them onto each other, and what was cut, filled, clipped or delayed is kept.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import synbench_metrics
from synbench import policy
from synbench.audio import read_audio
from synbench.corpora.folder import folder
from synbench.doubt import MEASURES, Doubt, doubts, measures_of
from synbench.errors import ItemError, UsageError
from synbench.execution.guard import guarded, usual_seconds
from synbench_base.device import check_device
from synbench_base.folders import AudioFiles
from synbench_base.sound_files import read_decoded
from synbench_metrics import Metric, Outcome

# Workers are there after this time; what they save must be more.
START_OF_WORKERS_SECONDS = 0.4
LEAST_WORK_OF_A_WORKER_SECONDS = 0.2
USUAL_CLIP_SECONDS = 5.0
LONGEST_BELIEVED_SECONDS = 1e6  # of a header that knows no length
NO_TRANSCRIPT = Outcome.not_applicable(
    "no transcript: put one into NAME.txt beside each reference, or take a column that needs none, "
    "such as dwer_pocketsphinx_english"
)

__all__ = [
    "Pairing",
    "ScoredPair",
    "SoundPair",
    "doubts_of",
    "failed_pair",
    "load_metrics",
    "match",
    "score_chunk",
    "score_pairs",
]


@dataclass(frozen=True)
class SoundPair:
    """Two files that belong together; what is said in them, and in which language, if known."""

    name: str
    reference: Path
    degraded: Path
    transcript: str = ""
    language: str = ""


@dataclass(frozen=True)
class Pairing:
    """The pairs of two folders, and the names that have no partner."""

    pairs: list[SoundPair]
    only_reference: list[str]
    only_degraded: list[str]


@dataclass(frozen=True)
class ScoredPair:
    """The outcomes of one pair by column.

    Attributes:
        measures: those of :mod:`synbench.doubt`; empty where the pair could not be read.
        lag_profile: see :mod:`synbench.lag`; likewise.
    """

    name: str
    outcomes: dict[str, Outcome]
    measures: Mapping[str, float] = field(default_factory=dict)
    lag_profile: bytes = b""


def load_metrics(columns: Sequence[str]) -> list[Metric]:
    """The metrics, each checked to be usable here.

    Raises:
        UsageError: an unknown column, or none.
        Unavailable: a package is absent.
    """
    if not columns:
        raise UsageError("expected at least one metric, such as --metrics pesq_wb,stoi")
    check_device()
    loaded = [synbench_metrics.load(column) for column in columns]
    metrics = list({metric.info.column: metric for metric in loaded}.values())
    for metric in metrics:
        metric.check()
    return metrics


def match(reference: Path, degraded: Path) -> Pairing:
    """Pair two files; or the files of two folders as a run with ``recordings`` does.

    Raises:
        UsageError: one is a file and the other a folder, or two files fit one name.
        EnvironmentFault: a folder cannot be listed.
    """
    if reference.is_dir() != degraded.is_dir():
        raise UsageError("--reference and --degraded must both be files or both be folders")
    if not reference.is_dir():
        return Pairing([SoundPair(degraded.stem, reference, degraded)], [], [])
    files = AudioFiles(degraded)
    _check_names(degraded, files.ids)
    entries = sorted(folder(path=str(reference)).entries, key=lambda entry: entry.id)
    _check_names(reference, {entry.path: entry.id for entry in entries})
    pairs, alone, taken = [], [], Counter[Path]()
    for entry in entries:
        matches = files.matching(entry.id)
        if len(matches) > 1:
            named = " and ".join(files.ids[path] for path in matches[:3])
            raise UsageError(
                f"{degraded}: {named} fit {entry.id!r} equally well; give them the same folders as "
                f"in {reference}"
            )
        taken.update(matches)
        if matches:
            pairs.append(
                SoundPair(entry.id, entry.path, matches[0], entry.transcript, entry.language)
            )
        else:
            alone.append(entry.id)
    unused = sorted(key for path, key in files.ids.items() if not taken[path])
    return Pairing(pairs, alone, unused)


def _check_names(root: Path, ids: Mapping[Path, str]) -> None:
    first: dict[str, Path] = {}
    for path, name in ids.items():
        if first.setdefault(name, path) != path:
            names = " and ".join((first[name].name, path.name))
            raise UsageError(f"{root}: {names} have the same name {name!r}; keep one of them")


def score_pairs(
    pairs: Sequence[SoundPair], columns: Sequence[str], *, workers: int
) -> list[ScoredPair]:
    """Score all pairs, in their order; a pair that kills its worker twice has failed."""
    per_second = sum(m.info.cpu_seconds_per_audio_second for m in load_metrics(columns))
    if workers < 2 or len(pairs) < 2:
        return score_chunk(pairs, columns)
    costs = [per_second * _seconds(pair.reference) for pair in pairs]
    workers = min(workers, len(pairs), int(sum(costs) / LEAST_WORK_OF_A_WORKER_SECONDS))
    if workers < 2 or sum(costs) * (1 - 1 / workers) < START_OF_WORKERS_SECONDS:
        return score_chunk(pairs, columns)
    from synbench.pairs_in_pool import in_pool  # most jobs are too small for workers

    scored = {one.name: one for one in in_pool(pairs, costs, columns, workers=workers)}
    return [scored[pair.name] for pair in pairs]


def _seconds(path: Path) -> float:
    """How long a file says that it is; a guess where it does not."""
    import soundfile

    try:
        header = soundfile.info(os.fsencode(path))
    except (soundfile.SoundFileError, OSError, TypeError):
        return USUAL_CLIP_SECONDS
    seconds = float(header.duration)
    return seconds if 0 < seconds < LONGEST_BELIEVED_SECONDS else USUAL_CLIP_SECONDS


def score_chunk(pairs: Sequence[SoundPair], columns: Sequence[str]) -> list[ScoredPair]:
    """Score some pairs in this process."""
    metrics = [synbench_metrics.load(column) for column in columns]
    return [_score_pair(pair, metrics) for pair in pairs]


def failed_pair(name: str, columns: Sequence[str], reason: str) -> ScoredPair:
    """A pair without any score, for one reason."""
    return ScoredPair(name, {column: Outcome.failed(reason) for column in columns})


def _without_paths(reason: str, pair: SoundPair) -> str:
    """The reason in words that are the same for all files that have it; names stand beside it."""
    return reason.replace(str(pair.degraded), "the degraded file").replace(
        str(pair.reference), "the reference"
    )


def _score_pair(pair: SoundPair, metrics: Sequence[Metric]) -> ScoredPair:
    columns = [metric.info.column for metric in metrics]
    try:
        reference, rate, aligned = _read(pair)
        outcomes = {
            metric.info.column: _score(metric, pair, reference, aligned.wave, rate)
            for metric in metrics
        }
    except ItemError as error:
        return failed_pair(pair.name, columns, _without_paths(str(error), pair))
    except MemoryError:
        return failed_pair(pair.name, columns, "out of memory")
    except Exception as error:  # noqa: BLE001 - what is wrong with one pair must not cost the others
        return failed_pair(pair.name, columns, f"{type(error).__name__}: {error}")
    return ScoredPair(pair.name, outcomes, measures_of(aligned), aligned.lag_profile)


def _read(pair: SoundPair) -> tuple[policy.Wave, int, policy.Aligned]:
    """The reference, its rate in Hz, and the degraded wave brought onto it."""
    reference = read_audio(pair.reference, by_stretches=True, digest=False)
    decoded, decoded_rate = read_decoded(pair.degraded)
    aligned = policy.align(
        decoded,
        sample_rate=decoded_rate,
        delay_samples=0,
        reference=reference.wave,
        reference_rate=reference.sample_rate,
    )
    return reference.wave, reference.sample_rate, aligned


def _score(
    metric: Metric, pair: SoundPair, reference: policy.Wave, degraded: policy.Wave, rate: int
) -> Outcome:
    if "transcript" in metric.info.needs and not pair.transcript:
        return NO_TRANSCRIPT
    to = metric.info.rate_for(rate)
    try:
        with guarded(usual_seconds(reference.size / rate)):
            return _score_at(metric, pair, reference, degraded, rate=rate, to=to)
    except ItemError as error:
        return Outcome.failed(str(error))


def _score_at(
    metric: Metric,
    pair: SoundPair,
    reference: policy.Wave,
    degraded: policy.Wave,
    *,
    rate: int,
    to: int,
) -> Outcome:
    return synbench_metrics.score(
        metric,
        reference=policy.at_rate(reference, sample_rate=rate, to=to),
        degraded=policy.at_rate(degraded, sample_rate=rate, to=to),
        sample_rate=to,
        transcript=pair.transcript or None,
        language=pair.language,
    )


def doubts_of(scored: Sequence[ScoredPair]) -> list[Doubt]:
    """What must be said about the degraded files, taken as the output of one system."""
    read = [one for one in scored if one.measures]
    measures = {
        name: np.array([one.measures[name] for one in read], dtype=np.float64) for name in MEASURES
    }
    profiles = [one.lag_profile for one in read]
    return list(doubts(measures, items=len(scored), lag_profiles=profiles))
