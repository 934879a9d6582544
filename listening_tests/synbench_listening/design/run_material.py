"""What a finished run offers to a listening test: items that every wanted system has decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from synbench.corpora.whereabouts import known_recordings
from synbench.errors import UsageError
from synbench.results.counted_rows import CountedRows
from synbench.results.planned import undamaged
from synbench.results.queries import OK, SCORED
from synbench.results.store import FORMAT, RunFolder
from synbench.results.stored_files import ItemFiles, files_of
from synbench_listening.design.run_parts import CorpusPart, corpora_under, offer, one_of

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
    folder: Path,
    *,
    systems: Sequence[str],
    corpus: str | None,
    metric: str | None,
    conditions: Sequence[str] = (),
    reference: Literal["input", "clean"] = "input",
) -> Material:
    """Read a run.

    Args:
        systems: labels or specs; all that are no anchors if empty.
        corpus: as recorded, or by its name under a condition.
        metric: column whose mean over the systems is wanted per item.
        conditions: labels, ``clean`` among them: every utterance is a candidate under each. Without
            them, the items of the corpus as it is named.
        reference: what damaged items are compared with: what the codecs were given, or the
            recording.

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
        parts = corpora_under(manifest["corpora"], corpus=corpus, conditions=conditions)
        metric_id = None
        if metric is not None:
            columns = {entry["column"]: entry["metric_id"] for entry in manifest["metrics"]}
            metric_id = columns[one_of("metric", metric, list(columns))]
    candidates: list[Candidate] = []
    left_out: dict[str, int] = {}
    for part in parts:
        counted = CountedRows(
            folder,
            policy_id=manifest["policy_id"],
            codec_ids=[system.codec_id for system in chosen],
            metric_ids=[metric_id] if metric_id else [],
        )
        scores = _mean_scores(counted, part.corpus) if metric_id else {}
        recordings = _recordings(part)
        for number, item in enumerate(files_of(counted, part.corpus, recordings)):
            mean, unscored = scores.get(number, (None, range(len(chosen) if metric_id else 0)))
            path = item.damaged if reference == "input" and item.damaged else item.source
            reason = item.problem or _lacking(item, unscored, chosen)
            if path is None:
                reason = reason or "its recording is not known on this machine"
            if reason or path is None:
                reason = f"{part.label}: {reason}" if part.label else reason
                left_out[reason] = left_out.get(reason, 0) + 1
                continue
            candidates.append(
                Candidate(
                    item=f"{item.item}, {part.label}" if part.label else item.item,
                    path=path,
                    target_rate=item.target_rate,
                    seconds=item.seconds,
                    speaker=item.speaker,
                    decoded=tuple(made for made in item.reconstructions if made is not None),
                    score=mean,
                    transcript=item.transcript,
                    utterance=item.item,
                    condition=part.label,
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
            raise UsageError(f"the run has {len(here)} codecs {name!r}; {offer(name, labels)}")
        systems.append(System(label=here[0]["label"], codec_id=here[0]["codec_id"]))
    if not systems or len({system.codec_id for system in systems}) < len(systems):
        raise UsageError("expected systems of the run, each once; see: synbench show RUN")
    return tuple(systems)


def _recordings(part: CorpusPart) -> dict[str, Path]:
    """Item to recording; a run does not say where they lie, this machine's cache does.

    Raises:
        UsageError: the corpus was never read on this machine.
    """
    recordings = known_recordings(part.digest)
    if not recordings:
        raise UsageError(
            f"where the recordings of the corpus {part.corpus!r} lie is not known on this machine: "
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
