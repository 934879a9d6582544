"""The manifest: who ran what, on which machine, with which versions."""

from __future__ import annotations

import os
import platform
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import synbench_codecs
import synbench_metrics
from synbench import policy
from synbench.conditions.corpora import Group
from synbench.corpora import Corpus
from synbench.execution.plan import Plan, SuiteCodec, SuiteMetric
from synbench.execution.units import input_artefact
from synbench.published import (
    common_folder,
    published_entry,
    published_path,
    relative_spec,
    user_names,
    without_folders,
)
from synbench.results.rows import Row
from synbench.results.store import FORMAT
from synbench_base.compiled import compilation
from synbench_base.files import printable
from synbench_base.packages import installed_version
from synbench_codecs import delays_of, published_spec

PACKAGES = (
    "ai-edge-litert",
    "av",
    "jiwer",
    "numpy",
    "onnxruntime",
    "pesq",
    "pesqc2",
    "pocketsphinx",
    "pycodec2",
    "pyworld",
    "scipy",
    "soundfile",
    "soxr",
    "speechmos",
    "synbench",
    "torch",
    "transformers",
    "visqol-python",
    "whisper-normalizer",
)
COMPILED = ("pesq", "pesqc2")  # import names

# Stands for any file of a folder.
FILE = "file"

__all__ = ["describe_run", "item_rows", "start_time"]


def describe_run(plan: Plan) -> dict[str, Any]:
    """All that is needed to read the rows of a run, as JSON-ready data."""
    return {
        "format": FORMAT,
        "started": start_time(),
        "suite": _suite(plan),
        "policy": policy.describe(),
        "policy_id": plan.policy_id,
        "host": _host(),
        "packages": _packages(),
        "builds": _builds(),
        "codecs": [
            *(_codec(codec, missing="") for codec in plan.codecs),
            *(
                _codec(skipped.codec, missing=skipped.reason)
                for skipped in plan.skipped
                if skipped.codec is not None
            ),
        ],
        "metrics": _metrics(plan),
        "corpora": [
            {
                "name": corpus.name,
                "spec": relative_spec(corpus.spec, plan.suite.folder),
                "digest": corpus.digest,
                "items": len(corpus.items),
                "seconds": corpus.seconds,
                "licence": corpus.licence,
                "note": corpus.note,
                "target_rate": corpus.target_rate,
                **_condition(group),
            }
            for group in plan.groups
            for corpus in (group.corpus,)
        ],
        "skipped": [
            {
                "kind": skipped.kind,
                "name": published_spec(skipped.name),
                "reason": without_folders(skipped.reason),
            }
            for skipped in plan.skipped
        ],
    }


def start_time() -> str:
    """Now, as a manifest says when a run started."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _metrics(plan: Plan) -> list[dict[str, Any]]:
    """All columns in the order of the suite, those that cannot run here among them."""
    skipped = [
        _metric(metric, missing=without_folders(each.reason))
        for each in plan.skipped
        for metric in each.columns
    ]
    columns = [(synbench_metrics.family(name) or (name,))[0] for name in plan.suite.metrics]
    order = {column: number for number, column in enumerate(columns)}
    entries = [*(_metric(metric, missing="") for metric in plan.metrics), *skipped]
    # Columns against the damaged input come after all others.
    return sorted(entries, key=lambda entry: order.get(entry["column"], len(order)))


def _metric(metric: SuiteMetric, *, missing: str) -> dict[str, Any]:
    """A metric's column; ``missing`` is the reason of all its cells where it could not run."""
    return {
        "metric_id": metric.point.metric_id,
        **metric.info.to_json(),
        "against": metric.point.against,
        "missing": missing,
    }


def _codec(codec: SuiteCodec, *, missing: str) -> dict[str, Any]:
    """A codec's row; ``missing`` is the reason of all its cells where it could not run."""
    return {
        **codec.info.to_json(),
        "spec": codec.info.published_spec,
        "label": codec.label,
        "codec_id": codec.point.codec_id,
        "missing": without_folders(missing),
    }


def _condition(group: Group) -> dict[str, Any]:
    """What a table needs to set a corpus beside the same one as recorded; nothing where it is."""
    condition = group.condition
    if condition.is_clean:
        return {}
    return {
        "clean": group.clean.name,
        "condition": condition.label,
        "condition_group": condition.group,
        "condition_value": condition.value,
        "condition_settings": dict(condition.settings),
        "damaged_input": condition.damages_input,
        "conceal": condition.channel.get("conceal", ""),
        **_tandem(condition.tandem),
    }


def _tandem(tandem: int | tuple[str, ...]) -> dict[str, Any]:
    """What a tandem adds to the delay of a codec, in seconds."""
    if isinstance(tandem, int):
        return {"passes": tandem, "earlier_delay": 0.0}
    totals = [delays_of(vars(synbench_codecs.load(spec).info)).total for spec in tandem]
    known = [total for total in totals if total is not None]
    return {"passes": 1, "earlier_delay": sum(known) if len(known) == len(totals) else None}


def _suite(plan: Plan) -> dict[str, Any]:
    """The suite with paths relative to its own file."""
    suite = plan.suite.model_dump()
    for plural, key in (("codecs", "codec"), ("corpora", "corpus")):
        for entry in suite[plural]:
            entry["options"] = published_entry(entry[key], entry["options"], plan.suite.folder)
    suite["conditions"] = [_shown(each, plan.suite.folder) for each in suite["conditions"]]
    return suite


def _shown(condition: str | dict[str, Any], folder: Path) -> str | dict[str, Any]:
    """A condition of the suite without the folders of its noises and rooms."""
    if isinstance(condition, str):
        return condition
    return {
        key: published_path(folder / value, folder)
        if isinstance(value, str) and "/" in value
        else value
        for key, value in condition.items()
    }


def item_rows(plan: Plan) -> list[Row]:
    """The items of every corpus as rows of ``items.parquet``."""
    works = iter(plan.items)
    return [
        {
            "corpus": corpus.name,
            "item": item.id,
            "item_digest": work.digest,
            "condition": work.condition,
            "path": path,
            "seconds": item.seconds,
            "sample_rate": item.sample_rate,
            "channels": item.channels,
            "target_rate": corpus.target_rate,
            "speaker": item.speaker,
            "transcript": item.transcript,
            "problem": item.problem
            and without_folders(item.problem, str(item.path.absolute().parent)),
            "input": f"inputs/{input_artefact(work)}" if damaged else None,
            "gender": item.gender,
            "language": item.language,
            "accent": item.accent,
        }
        for corpus in plan.corpora
        for damaged in (plan.conditions[corpus.name].damages_input,)
        for item, path, work in zip(
            corpus.items, _shown_paths(corpus), islice(works, len(corpus.items)), strict=True
        )
    ]


def _shown_paths(corpus: Corpus) -> list[str]:
    """The path of every item as others may read it; the folders, of which there are few, once."""
    root = common_folder([item.path for item in corpus.items])
    folders: dict[str, tuple[str, set[str]]] = {}
    shown = []
    for item in corpus.items:
        folder, _, name = str(item.path).rpartition(os.sep)
        if folder not in folders:
            start = published_path(f"{folder}{os.sep}{FILE}", root).removesuffix(FILE)
            folders[folder] = start, user_names().union(Path(folder).parts)
        start, doubtful = folders[folder]
        path = published_path(item.path, root) if name in doubtful else f"{start}{name}"
        shown.append(path if path.isascii() else printable(path))
    return shown


def _host() -> dict[str, Any]:
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _packages() -> dict[str, str]:
    versions = {name: installed_version(name) for name in PACKAGES}
    return {name: version for name, version in versions.items() if version}


def _builds() -> dict[str, str]:
    """How packages were compiled whose numbers depend on it."""
    builds = {name: compilation(name) for name in COMPILED}
    return {name: str(build) for name, build in builds.items() if build}
