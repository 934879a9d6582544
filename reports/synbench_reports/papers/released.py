"""Scores published for released checkpoints, and the suites that measure them again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from synbench.suite import CodecEntry, CorpusEntry, Suite
from synbench_base.yaml_text import read_yaml
from synbench_reports.papers.specification import PublishedColumn, PublishedTable

__all__ = ["Released", "limited", "read_released", "suites"]


@dataclass(frozen=True, kw_only=True)
class Released:
    """One codec: its published scores as a table of one row, and how to measure each corpus."""

    table: PublishedTable
    points: tuple[tuple[str, str], ...]
    corpora: dict[str, str]


def read_released() -> dict[str, Released]:
    """By the codec's name, in the order of the packaged file."""
    path = Path(str(resources.files("synbench_reports"))) / "released.yaml"
    content = read_yaml(path, what="list of scores", keys="corpora, codecs").content
    return {
        name: _released(name, record, content["corpora"])
        for name, record in content["codecs"].items()
    }


def _released(name: str, record: dict[str, Any], corpora: dict[str, Any]) -> Released:
    columns, values, points = [], [], []
    for score in record["scores"]:
        corpus = corpora[score["corpus"]]
        label = f"{record['label']} {score['point']}"
        points.append((record["points"][score["point"]], label))
        columns.append(
            PublishedColumn(
                metric=score["metric"],
                label=score["metric"],
                group=f"{score['corpus']} {score['point']}",
                codec=label,
                sample_rate=corpus["sample_rate"],
                bitrate_bps=score["bitrate_bps"],
                tolerance=score["tolerance"],
                decimals=2,
            )
        )
        values.append(float(score["value"]))
    used = dict.fromkeys(score["corpus"] for score in record["scores"])
    table = PublishedTable(
        paper=record["label"],
        source="; ".join(dict.fromkeys(score["source"] for score in record["scores"])),
        weights=record["weights"],
        number="released",
        caption="scores published for the released checkpoint",
        status="final",
        suites=(),
        columns=tuple(columns),
        rows={record["label"]: tuple(values)},
        released=True,
    )
    return Released(
        table=table,
        points=tuple(dict.fromkeys(points)),
        corpora={corpus: corpora[corpus]["spec"] for corpus in used},
    )


def suites(name: str, entry: Released) -> Iterator[Suite]:
    """One suite per corpus, with the metrics that were published on it."""
    for corpus, spec in entry.corpora.items():
        columns = [column for column in entry.table.columns if column.group.split(" ")[0] == corpus]
        labels = {column.codec for column in columns}
        yield Suite(
            name=f"verify-{name}-{corpus}",
            description=f"Published scores of {entry.table.paper}, measured again.",
            corpora=[CorpusEntry(corpus=spec, name=corpus)],
            codecs=[
                CodecEntry(codec=point, label=label)
                for point, label in entry.points
                if label in labels
            ],
            metrics=list(dict.fromkeys(column.metric for column in columns)),
            unavailable="skip",
        )


def limited(suite: Suite, limit: int | None) -> Suite:
    """The suite on fewer items, where a limit is given."""
    if limit is None:
        return suite
    corpora = [entry.model_copy(update={"limit": limit}) for entry in suite.corpora]
    return suite.model_copy(update={"corpora": corpora})
