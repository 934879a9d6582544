"""What is said for and against a claim, line by line: of printed values, and of measured ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from synbench.results.cells import Store
from synbench.results.planned import PlannedCodec, PlannedMetric, PlannedRun
from synbench_reports.papers.claim_kinds import Claim
from synbench_reports.papers.not_run import Absent, why_not_run
from synbench_reports.papers.published import Complexity, Verdict, has_published_weights
from synbench_reports.papers.specification import PublishedColumn, PublishedTable
from synbench_reports.tables.codec_pairs import CodecPair, pairs
from synbench_reports.tables.table import Report

__all__ = [
    "ClaimLine",
    "Evidence",
    "MeasuredPair",
    "measured_pairs",
    "score_columns",
    "why_no_pair",
    "with_ends",
]


@dataclass(frozen=True, kw_only=True)
class ClaimLine:
    """One thing that speaks for or against a claim.

    Attributes:
        basis: the paper's own numbers, or what was measured or counted here.
        about: what is compared.
        stated, computed: in words.
        criterion: what the paper's own criterion says; empty where it has none for this.
        reason: why the verdict is what it is.
    """

    basis: Literal["published", "measured"]
    about: str
    stated: str
    computed: str
    verdict: Verdict
    reason: str
    criterion: str = ""


def with_ends(
    value: float, low: float, high: float, text: Callable[..., str], decimals: int, of: str = ""
) -> str:
    """A signed number with the ends of its interval: ``+0.25 (90 %: +0.10 to +0.40)``.

    Args:
        text: ``fixed`` or ``percent``.
        of: which interval, ``90 %: ``; empty where it is that of 95 %.
    """
    value_text, low_text, high_text = (
        text(number, decimals, sign=True) for number in (value, low, high)
    )
    return f"{value_text} ({of}{low_text} to {high_text})"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that was measured.

    Attributes:
        sample_rates: by run folder and corpus, in Hz.
        complexity: costs by codec label.
        absent: what could not be run, and why.
    """

    runs: Sequence[PlannedRun] = ()
    reports: Sequence[Report] = ()
    sample_rates: Mapping[Path, Mapping[str, int]] = field(default_factory=dict)
    complexity: Complexity = field(default_factory=dict)
    absent: Absent = ()


@dataclass(frozen=True, kw_only=True)
class MeasuredPair:
    """One other codec minus the subject on one corpus; ``own``: both have the paper's weights."""

    corpus: str
    sample_rate: int
    metric: PlannedMetric
    pair: CodecPair
    own: bool


def measured_pairs(
    claim: Claim,
    others: Sequence[str],
    columns: Mapping[str, float | None],
    evidence: Evidence,
) -> Iterator[MeasuredPair]:
    """The pairs of a claim that the runs have.

    Args:
        columns: metric to the margin of equality, ``None`` without one.
    """
    for planned in evidence.runs:
        by_label = {codec.label: codec for codec in planned.codecs}
        store = Store(planned)
        for corpus in planned.corpora:
            rate = evidence.sample_rates[planned.folder].get(corpus.name)
            if rate is None or rate not in claim.points or not _is_subject(claim, rate, by_label):
                continue
            cells = store.cells(corpus.name)
            for number, metric in enumerate(planned.metrics):
                if metric.column not in columns:
                    continue
                margin = columns[metric.column]
                for pair in pairs(planned, cells, number, against=claim.subject, margin=margin):
                    if pair.first not in others:
                        continue
                    own = all(
                        has_published_weights(by_label[label])
                        for label in (pair.first, pair.second)
                    )
                    yield MeasuredPair(
                        corpus=corpus.name, sample_rate=rate, metric=metric, pair=pair, own=own
                    )


def _is_subject(claim: Claim, rate: int, codecs: Mapping[str, PlannedCodec]) -> bool:
    subject = codecs.get(claim.subject)
    return subject is not None and subject.nominal_bps == claim.points[rate]


def why_no_pair(
    claim: Claim, other: str, *, metric: str, sample_rate: int, evidence: Evidence
) -> str:
    """Why two codecs were not compared: what the other lacks, else what the subject does."""
    reasons = []
    for label, bps in ((claim.subject, claim.points[sample_rate]), (other, 0.0)):
        column = PublishedColumn(
            metric=metric, label=metric, tolerance=1, sample_rate=sample_rate, bitrate_bps=bps
        )
        reason = why_not_run(
            label, column, evidence.reports, evidence.sample_rates, evidence.absent
        )
        if reason != "no item was scored":
            reasons.append(reason)
    return "; ".join(dict.fromkeys(reasons)) or "no item was scored of both"


def score_columns(table: PublishedTable, claim: Claim) -> list[tuple[int, PublishedColumn]]:
    """Place and column of the scores of a table at the claim's points; costs are none."""
    return [
        (number, column)
        for number, column in enumerate(table.columns)
        if column.sample_rate in claim.points
        and column.bitrate_bps == claim.points[column.sample_rate]
    ]
