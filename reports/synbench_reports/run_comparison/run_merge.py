"""Several runs made one: parts of a comparison that several people or machines computed.

Merged is only what fits together: the same policy; codecs, metrics and corpora that are the same
wherever they have the same name; and, where two runs computed the same cell, the same result. The
merged run is for reading: its manifest names where its rows come from.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synbench.errors import EnvironmentFault, UsageError
from synbench.results.compact import compact, write_rows
from synbench.results.confined import inside, stored_file
from synbench.results.counting import CELL, counting, stored
from synbench.results.planned import read_planned
from synbench.results.rows import STAGES, Stage
from synbench.results.run_identity import CODEC_FIELDS, METRIC_FIELDS, differing_fields
from synbench.results.store import FORMAT, RunFolder

TREES = ("inputs", "bitstreams", "reconstructions")
# Scores of one cell that differ by more than this share are two results, not one.
TOLERANCE_SHARE = 1e-6

__all__ = ["merge_runs"]


def merge_runs(folders: Sequence[Path], out: Path, *, allow_differences: bool = False) -> list[str]:
    """Write the merged run and say what was found.

    Args:
        folders: of the runs; where two have the same cell, the result written last counts.
        out: must not hold a run yet.
        allow_differences: take cells of which two runs have different results.

    Raises:
        UsageError: the runs do not fit together; the message says in what.
        EnvironmentFault: the files cannot be written.
    """
    runs = [RunFolder(folder) for folder in folders]
    target = RunFolder(out)
    if target.exists():
        raise UsageError(f"{out} holds a run already: name a new folder")
    for folder in folders:
        read_planned(folder)
    manifests = [run.manifest() for run in runs]
    _check_formats(manifests, folders)
    codecs = _united(manifests, folders, "codecs", "label", "codec_id", CODEC_FIELDS)
    metrics = _united(manifests, folders, "metrics", "column", "metric_id", METRIC_FIELDS)
    corpora = _united(manifests, folders, "corpora", "name", "digest", ("digest", "items", "spec"))
    notes = _conflicts(runs, allow_differences)
    try:
        for run in runs:
            for tree in TREES:
                _take_tree(run, target, tree)
        for stage in STAGES:
            _write_rows(runs, target, stage)
        target.begin(_manifest(manifests, folders, out, codecs, metrics, corpora), _items(runs))
        compact(target)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {out}: {error.strerror}") from error
    return notes


def _check_formats(manifests: Sequence[dict[str, Any]], folders: Sequence[Path]) -> None:
    for manifest, folder in zip(manifests, folders, strict=True):
        if manifest.get("format") != FORMAT:
            raise UsageError(f"{folder} has format {manifest.get('format')}, expected {FORMAT}")
        if manifest["policy_id"] != manifests[0]["policy_id"]:
            fields = tuple(sorted({*manifest["policy"], *manifests[0]["policy"]}))
            differences = differing_fields(manifests[0]["policy"], manifest["policy"], fields)
            raise UsageError(
                f"{folders[0]} and {folder} follow different policies ({differences}): their "
                "scores are not comparable; run one of them again with the version of the other"
            )


def _united(
    manifests: Sequence[dict[str, Any]],
    folders: Sequence[Path],
    plural: str,
    key: str,
    identity: str,
    fields: tuple[str, ...],
) -> list[dict[str, Any]]:
    """All entries, those of one name once; they must be the same in every run that could have it.

    Without its weights nobody knows which ones a codec or metric would have had.
    """
    entries: dict[str, tuple[dict[str, Any], Path]] = {}
    for manifest, folder in zip(manifests, folders, strict=True):
        for entry in manifest[plural]:
            known, where = entries.setdefault(entry[key], (entry, folder))
            if known.get("missing") and not entry.get("missing"):
                entries[entry[key]] = entry, folder
            elif known[identity] != entry[identity] and not entry.get("missing"):
                changes = differing_fields(known, entry, fields)
                raise UsageError(
                    f"{entry[key]} is not the same in {where} and {folder}: {changes}; give one "
                    "of them another name, or compute it again"
                )
    return [entry for entry, _ in entries.values()]


def _conflicts(runs: Sequence[RunFolder], allow: bool) -> list[str]:
    """Cells of which two runs have different results.

    Raises:
        UsageError: there are some and they are not allowed.
    """
    import duckdb

    notes = []
    values: dict[Stage, str] = {"scores": "value", "decodes": "payload_bits"}
    for stage, value in values.items():
        with duckdb.connect() as connection:
            if not _gather(connection, runs, stage):
                continue
            shared, apart, widest = connection.execute(
                f"SELECT count(*), count(*) FILTER (apart > $slack), max(apart) FROM ("
                f"SELECT (max({value}) - min({value})) / greatest(1, max(abs({value}))) AS apart "
                f"FROM gathered WHERE status = 'ok' AND {value} IS NOT NULL "
                f"GROUP BY {', '.join(CELL[stage])} HAVING count(*) > 1)",
                {"slack": TOLERANCE_SHARE},
            ).fetchall()[0]
        if apart and not allow:
            raise UsageError(
                f"{apart} of {shared} {stage} that several runs have are different (by up to "
                f"{widest:.2g} of their size): something undeclared differs between the machines; "
                "find it with synbench diff, or take the last written with --allow-differences"
            )
        if shared:
            notes.append(f"{shared} {stage} in several runs, {apart} of them different")
    return notes


def _gather(connection: Any, runs: Sequence[RunFolder], stage: Stage) -> int:
    """Make a table ``gathered`` of the rows that count in each run; how many there are.

    Attempts were counted by each run for itself, so they do not say which of two runs was later.
    """
    connection.execute(f"CREATE TABLE gathered AS SELECT * FROM {stored(stage, files=False)}")
    for run in runs:
        if files := run.all_shards(stage):
            connection.execute(
                f"INSERT INTO gathered BY NAME SELECT * FROM {stored(stage, files=True)} "
                f"{counting(stage)}",
                {"files": files},
            )
    count: int = connection.execute("SELECT count(*) FROM gathered").fetchall()[0][0]
    return count


def _write_rows(runs: Sequence[RunFolder], target: RunFolder, stage: Stage) -> None:
    """One row a cell: of several runs that have it the one written last."""
    import duckdb

    with duckdb.connect() as connection:
        if not _gather(connection, runs, stage):
            return
        connection.execute("UPDATE gathered SET attempt = NULL")
        query = f"SELECT * FROM gathered {counting(stage)} ORDER BY {', '.join(CELL[stage])}"
        write_rows(target, stage, stage, query, connection)


def _manifest(
    manifests: Sequence[dict[str, Any]],
    folders: Sequence[Path],
    out: Path,
    codecs: list[dict[str, Any]],
    metrics: list[dict[str, Any]],
    corpora: list[dict[str, Any]],
) -> dict[str, Any]:
    present = {entry["label"] for entry in codecs} | {entry["column"] for entry in metrics}
    skipped = [entry for manifest in manifests for entry in manifest["skipped"]]
    processors = dict.fromkeys(manifest["host"]["processor"] for manifest in manifests)
    return {
        "format": FORMAT,
        "started": max(manifest["started"] for manifest in manifests),
        "suite": {"name": out.name, "comparisons": _comparisons(manifests)},
        "policy": manifests[0]["policy"],
        "policy_id": manifests[0]["policy_id"],
        "host": {"processor": "; ".join(processors)},
        "packages": _packages(manifests),
        "codecs": codecs,
        "metrics": metrics,
        "corpora": corpora,
        "skipped": [
            entry
            for entry_index, entry in enumerate(skipped)
            if entry["name"] not in present and entry not in skipped[:entry_index]
        ],
        "merged": [
            part
            for manifest, folder in zip(manifests, folders, strict=True)
            for part in manifest.get("merged", [_part(manifest, folder)])
        ],
    }


def _comparisons(manifests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the suites fixed, each once."""
    fixed = [one for manifest in manifests for one in manifest["suite"].get("comparisons", [])]
    return [one for index, one in enumerate(fixed) if one not in fixed[:index]]


def _part(manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Where rows come from, and which cells were planned there."""
    return {
        "folder": folder.name,
        "started": manifest["started"],
        "host": manifest["host"],
        "corpora": [entry["name"] for entry in manifest["corpora"]],
        "codecs": [entry["codec_id"] for entry in manifest["codecs"]],
        "metrics": [entry["metric_id"] for entry in manifest["metrics"]],
    }


def _packages(manifests: Sequence[dict[str, Any]]) -> dict[str, str]:
    names = sorted({name for manifest in manifests for name in manifest["packages"]})
    packages = {}
    for name in names:
        versions = dict.fromkeys(manifest["packages"].get(name, "") for manifest in manifests)
        packages[name] = " and ".join(filter(None, versions))
    return packages


def _items(runs: Sequence[RunFolder]) -> list[dict[str, Any]]:
    """The items of all corpora, those of one corpus together."""
    import pyarrow.parquet

    items: dict[tuple[str, str], dict[str, Any]] = {}
    for run in runs:
        for row in pyarrow.parquet.read_table(run.items_path).to_pylist():
            items.setdefault((row["corpus"], row["item"]), row)
    order = list(dict.fromkeys(corpus for corpus, _ in items))
    return sorted(items.values(), key=lambda row: order.index(row["corpus"]))


def _take_tree(run: RunFolder, target: RunFolder, tree: str) -> None:
    """All files of a tree; a link that leads out of the run is refused, not followed."""
    for path in sorted(inside(run.path, tree).rglob("*")):
        name = path.relative_to(run.path).as_posix()
        file = None if path.name.startswith(".") or path.is_dir() else stored_file(run.path, name)
        if file is not None:
            _take(file.resolve(), inside(target.path, name))


def _take(source: Path, target: Path) -> None:
    """Link a file where the disk can, copy it elsewhere; finished files are never changed."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
