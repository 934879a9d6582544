"""Paper specifications: published tables, figures and claims, read from YAML.

A specification is a file of ``synbench_reports/papers``: what was printed, of
which weights, with which tolerance a measured value agrees, and which suites measure it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from synbench.errors import UsageError
from synbench_base.close_names import suggestion
from synbench_base.yaml_text import read_yaml
from synbench_reports.papers.claim_kinds import Claim, read_claim
from synbench_reports.tables.table import Direction

__all__ = [
    "AbxPair",
    "Paper",
    "PublishedColumn",
    "PublishedFigure",
    "PublishedTable",
    "read_paper",
]


@dataclass(frozen=True, kw_only=True)
class PublishedColumn:
    """One column; ``tolerance`` is the difference that still agrees, in the metric's unit.

    ``codec`` says which codec a row stands for here. ``sample_rate`` (Hz) is 0 for a cost of the
    codec, which is no mean over items. ``bitrate_bps`` is 0 where each row has a rate of its own.
    """

    metric: str
    label: str
    tolerance: float
    group: str = ""
    codec: str = "{row}"
    sample_rate: int = 0
    bitrate_bps: float = 0.0
    direction: Direction = "up"
    decimals: int = 3

    @property
    def heading(self) -> str:
        """Label and group in one, ``STOI, VCTK``."""
        return f"{self.label}, {self.group}" if self.group else self.label


@dataclass(frozen=True, kw_only=True)
class PublishedTable:
    """One table; ``rows`` has one value per column under each row's name, ``None`` where the paper
    prints none, or none is known.

    ``released`` says that released checkpoints were scored, so a codec that loads one has the
    weights that were published; ``standard`` that codecs without weights were, so that any which
    follows its standard has; otherwise only the authors' own recordings do. ``codecs`` names by row
    the spec whose costs are counted, where no suite has the codec. ``remarks`` are sentences on how
    printed values came about, where that was found out.
    """

    paper: str
    source: str
    weights: str
    number: str
    caption: str
    status: str
    suites: tuple[str, ...]
    columns: tuple[PublishedColumn, ...]
    rows: dict[str, tuple[float | None, ...]]
    released: bool = False
    standard: bool = False
    codecs: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AbxPair:
    """One comparison: judgements for the subject, for none, for the other; ``p`` as printed."""

    other: str
    counts: tuple[int, int, int]
    p: float | None = None


@dataclass(frozen=True, kw_only=True)
class PublishedFigure:
    """A figure of a listening test: bars per group, or preferences per pair.

    ``groups`` has mean and half of the 95 % interval by condition. ``design`` says how listeners
    were asked, ``template`` which design of ``synbench listen init`` asks in the same way.
    """

    paper: str
    source: str
    name: str
    kind: Literal["mushra", "abx"]
    caption: str
    status: str
    groups: dict[str, dict[str, tuple[float, float]]]
    subject: str
    pairs: tuple[AbxPair, ...]
    design: str = ""
    template: str = ""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """All that a specification holds, by name."""

    name: str
    title: str
    source: str
    corpora: dict[str, str]
    tables: dict[str, PublishedTable]
    figures: dict[str, PublishedFigure]
    claims: dict[str, Claim]


def read_paper(name: str) -> Paper:
    """A packaged specification.

    Raises:
        UsageError: no paper of that name; the message offers the close ones.
    """
    folder = Path(str(resources.files("synbench_reports"))) / "papers"
    known = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if name not in known:
        raise UsageError(f"no paper {name!r}; {suggestion(name, known)}")
    content = read_yaml(known[name], what="specification", keys="paper, tables").content
    common = {key: content[key] for key in ("paper", "source", "weights")}
    origin = {key: content[key] for key in ("paper", "source")}
    return Paper(
        name=name,
        title=content["paper"],
        source=content["source"],
        corpora=content.get("corpora", {}),
        tables={key: _table(key, record, common) for key, record in content["tables"].items()},
        figures={
            key: _figure(key, record, origin) for key, record in content.get("figures", {}).items()
        },
        claims={key: read_claim(key, record) for key, record in content.get("claims", {}).items()},
    )


def _table(number: str, record: dict[str, Any], common: dict[str, str]) -> PublishedTable:
    columns = tuple(PublishedColumn(**column) for column in record["columns"])
    rows = {
        row: tuple(None if value is None else float(value) for value in values)
        for row, values in record["rows"].items()
    }
    for row, values in rows.items():
        if len(values) != len(columns):
            raise ValueError(f"{number}, {row}: expected {len(columns)} values: {values}")
    return PublishedTable(
        **common,
        number=number,
        caption=record["caption"],
        status=record["status"],
        suites=tuple(record.get("suites", ())),
        columns=columns,
        rows=rows,
        released=record.get("released", False),
        standard=record.get("standard", False),
        codecs=record.get("codecs", {}),
        remarks=tuple(" ".join(remark.split()) for remark in record.get("remarks", ())),
    )


def _figure(name: str, record: dict[str, Any], origin: dict[str, str]) -> PublishedFigure:
    groups = {
        group: {condition: (float(mean), float(half)) for condition, (mean, half) in bars.items()}
        for group, bars in record.get("groups", {}).items()
    }
    pairs = tuple(
        AbxPair(other=other, counts=tuple(pair["counts"]), p=pair.get("p"))
        for other, pair in record.get("pairs", {}).items()
    )
    return PublishedFigure(
        **origin,
        name=name,
        kind=record["kind"],
        caption=record["caption"],
        status=record["status"],
        groups=groups,
        subject=record.get("subject", ""),
        pairs=pairs,
        design=" ".join(record.get("design", "").split()),
        template=record.get("template", ""),
    )
