"""What a finished run offers to a listening test: items that every wanted system has decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synbench.corpora.whereabouts import known_recordings
from synbench.errors import UsageError
from synbench.results.counted_rows import CountedRows
from synbench.results.planned import undamaged
from synbench.results.queries import OK, SCORED
from synbench.results.store import FORMAT, RunFolder
from synbench.results.stored_files import ItemFiles, files_of
from synbench_base.close_names import suggestion

__all__ = ["Candidate", "Material", "System", "read_material"]


@dataclass(frozen=True, kw_only=True)
class System:
    """One codec of the run."""

    label: str
    codec_id: str


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One utterance: its recording, what each system made of it, and its mean score.

    ``score`` is the mean over systems of the metric that items are stratified by. ``item`` names it
    in the study; ``utterance`` is its id in the corpus and ``condition`` what was done to it before
    it was coded, where a study has utterances under several conditions.
    """

    item: str
    path: Path
    target_rate: int | None
    seconds: float
    speaker: str
    decoded: tuple[Path, ...]
    score: float | None
    transcript: str = ""
    utterance: str = ""
    condition: str = ""


@dataclass(frozen=True, kw_only=True)
class Material:
    """All of it, and how many items were left out for which reason."""

    folder: Path
    started: str
    systems: tuple[System, ...]
    candidates: tuple[Candidate, ...]
    left_out: dict[str, int]


def read_material(
    folder: Path, *, systems: Sequence[str], corpus: str | None, metric: str | None
) -> Material:
    """Read a run.

    Args:
        systems: labels or specs; all that are no anchors if empty.
        metric: column whose mean over the systems is wanted per item.

    Raises:
        UsageError: no run, or it lacks a system, corpus or metric (the message offers others); it
            names a file outside its folder; its recordings are not known on this machine.
    """
    run = RunFolder(folder)
    if not run.exists():
        raise UsageError(f"no run in {folder}; start one with: synbench run SUITE")
    manifest = run.manifest()
    if manifest.get("format") != FORMAT:
        raise UsageError(f"{folder} has format {manifest.get('format')}, expected {FORMAT}")
    with undamaged(run.manifest_path):
        chosen = _systems(manifest, systems)
        corpus = _one_of("corpus", corpus, [entry["name"] for entry in manifest["corpora"]])
        metric_id = None
        if metric is not None:
            columns = {entry["column"]: entry["metric_id"] for entry in manifest["metrics"]}
            metric_id = columns[_one_of("metric", metric, list(columns))]
    counted = CountedRows(
        folder,
        policy_id=manifest["policy_id"],
        codec_ids=[system.codec_id for system in chosen],
        metric_ids=[metric_id] if metric_id else [],
    )
    recordings = _recordings(manifest, corpus)
    scores = _mean_scores(counted, corpus) if metric_id else {}
    candidates: list[Candidate] = []
    left_out: dict[str, int] = {}
    for number, item in enumerate(files_of(counted, corpus, recordings)):
        mean, unscored = scores.get(number, (None, range(len(chosen) if metric_id else 0)))
        reason = item.problem or _lacking(item, unscored, chosen)
        if item.source is None:
            reason = reason or "its recording is not known on this machine"
        if reason or item.source is None:
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        candidates.append(
            Candidate(
                item=item.item,
                path=item.source,
                target_rate=item.target_rate,
                seconds=item.seconds,
                speaker=item.speaker,
                decoded=tuple(path for path in item.reconstructions if path is not None),
                score=mean,
                transcript=item.transcript,
                utterance=item.item,
            )
        )
    return Material(
        folder=folder,
        started=manifest["started"],
        systems=chosen,
        candidates=tuple(candidates),
        left_out=left_out,
    )


def _systems(manifest: dict[str, Any], wanted: Sequence[str]) -> tuple[System, ...]:
    codecs = manifest["codecs"]
    if not wanted:
        wanted = [entry["label"] for entry in codecs if entry["kind"] != "anchor"]
    systems = []
    for name in wanted:
        here = [entry for entry in codecs if name in (entry["label"], entry["spec"])]
        if len(here) != 1:
            labels = [entry["label"] for entry in codecs]
            raise UsageError(f"the run has {len(here)} codecs {name!r}; {_offer(name, labels)}")
        systems.append(System(label=here[0]["label"], codec_id=here[0]["codec_id"]))
    if not systems or len({system.codec_id for system in systems}) < len(systems):
        raise UsageError("expected systems of the run, each once; see: synbench show RUN")
    return tuple(systems)


def _one_of(kind: str, wanted: str | None, there: list[str]) -> str:
    if wanted is None and len(there) == 1:
        return there[0]
    if wanted is None or wanted not in there:
        named = f"no {kind} {wanted!r}" if wanted else f"several: name one as {kind}"
        raise UsageError(f"the run has {named}; {_offer(wanted or '', there)}")
    return wanted


def _offer(name: str, there: Sequence[str]) -> str:
    return suggestion(name, there, f"it has: {', '.join(there) or 'none'}")


def _recordings(manifest: dict[str, Any], corpus: str) -> dict[str, Path]:
    """Item to recording; a run does not say where they lie, this machine's cache does.

    Raises:
        UsageError: the corpus was never read on this machine.
    """
    digest = next(entry["digest"] for entry in manifest["corpora"] if entry["name"] == corpus)
    recordings = known_recordings(digest)
    if not recordings:
        raise UsageError(
            f"where the recordings of the corpus {corpus!r} lie is not known on this machine: "
            "type the synbench run command of this run once more here; it reads them, and "
            "computes nothing that is there"
        )
    return recordings


def _mean_scores(
    counted: CountedRows, corpus: str
) -> dict[int, tuple[float | None, Sequence[int]]]:
    """By place of an item: the mean of its scores over the systems, and the systems without one."""
    counted.load("scores")
    scores: dict[int, dict[int, float]] = {}
    for index, codec, _, code, value, _ in counted.tuples(SCORED, corpus):
        if code == OK:
            scores.setdefault(index, {})[codec] = value
    return {
        index: (
            sum(of[codec] for codec in sorted(of)) / len(of),
            [codec for codec in range(counted.codecs) if codec not in of],
        )
        for index, of in scores.items()
    }


def _lacking(item: ItemFiles, unscored: Sequence[int], systems: Sequence[System]) -> str:
    for system_index, system in enumerate(systems):
        if item.reconstructions[system_index] is None:
            return f"not decoded by {system.label}"
        if system_index in unscored:
            return f"no score for {system.label}"
    return ""
