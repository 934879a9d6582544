"""Claims of equality, tested for equality: two one-sided tests against a stated margin.

A paper that finds no significant difference has not shown that two systems are equal. Here the
difference is asked to be smaller than a margin, on the published counts and on measured scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synbench.results.cells import Store
from synbench.results.planned import PlannedRun
from synbench.statistics.equivalence import Equivalence, equivalence
from synbench.statistics.multiplicity import SIGNIFICANCE
from synbench_reports.papers.specification import AbxPair, Claim, Paper
from synbench_reports.tables.codec_pairs import CodecPair, pairs

__all__ = ["claim_pairs", "net_preference", "render_claim"]


@dataclass(frozen=True, kw_only=True)
class NetPreference:
    """One published comparison, its t-test against 0 and its equivalence test."""

    pair: AbxPair
    p: float
    equal: Equivalence


def net_preference(pair: AbxPair, margin: float) -> NetPreference:
    """Tests on +1 (subject), 0 (none) and -1 (other), each judgement taken as independent.

    That is how the paper tests; the judgements of one listener are not independent, so both
    p-values are too small.
    """
    from scipy.special import stdtr

    judgements = np.repeat([1.0, 0.0, -1.0], pair.counts)
    count = len(judgements)
    error = float(judgements.std(ddof=1)) / count**0.5
    p = 2 * float(stdtr(count - 1, -abs(float(judgements.mean())) / error))
    return NetPreference(pair=pair, p=p, equal=equivalence(judgements, margin=margin))


def claim_pairs(
    claim: Claim, runs: Sequence[PlannedRun], rates: Mapping[Path, Mapping[str, int]]
) -> Iterator[tuple[str, CodecPair]]:
    """The claim's pairs that the runs have, with the name of the corpus."""
    for planned in runs:
        subjects = [
            codec.label
            for codec in planned.codecs
            if codec.label == claim.subject and codec.nominal_bps == claim.bitrate_bps
        ]
        corpora = [
            corpus.name
            for corpus in planned.corpora
            if rates[planned.folder].get(corpus.name) == claim.sample_rate
        ]
        if not subjects or not corpora:
            continue
        store = Store(planned)
        for corpus in corpora:
            cells = store.cells(corpus)
            for place, metric in enumerate(planned.metrics):
                margin = claim.margins.get(metric.column)
                if margin is None:
                    continue
                for pair in pairs(planned, cells, place, against=claim.subject, margin=margin):
                    if pair.first in claim.others:
                        yield corpus, pair


def render_claim(
    paper: Paper,
    claim: Claim,
    runs: Sequence[PlannedRun],
    rates: Mapping[Path, Mapping[str, int]],
) -> str:
    """The claim's tests as Markdown, ending in a newline."""
    figure = paper.figures[claim.abx_figure]
    lines = [f"# Claim: {claim.text}", ""]
    lines += [
        f"Equal means: the whole {1 - 2 * SIGNIFICANCE:.0%} interval of the difference lies within "
        "the margin (two one-sided tests). No significant difference alone is no proof.",
        "",
        f"## Published preferences ({figure.source}; {figure.status})",
        "",
        f"Margin of the net preference: {claim.abx_margin:.0%}. Judgements are taken as "
        "independent, as the paper does; those of one listener are not, so every p is too small.",
        "",
        "| Against | Net preference | 90 % interval | p of no difference | as printed | "
        "p of equality | Verdict |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for pair in figure.pairs:
        found = net_preference(pair, claim.abx_margin)
        equal = found.equal
        verdict = "equal within the margin" if equal.equivalent else "equality not shown"
        printed = "" if pair.p is None else f"{pair.p:.4f}"
        lines.append(
            f"| {pair.other} | {equal.difference:+.2%} | {equal.low:+.2%} to {equal.high:+.2%} | "
            f"{found.p:.4f} | {printed} | {equal.p:.4f} | {verdict} |"
        )
    margins = ", ".join(f"{column} {margin:g}" for column, margin in claim.margins.items())
    lines += ["", "## Measured scores", "", f"Margins: {margins}.", ""]
    rows = [
        f"| {corpus} | {pair.first} | {pair.metric} | {pair.difference:+.3f} | {pair.low:+.3f} to "
        f"{pair.high:+.3f} | {pair.items} | {pair.clusters} | "
        f"{'' if pair.equal is None else f'{pair.equal.p:.4f}'} | {pair.verdict} |"
        for corpus, pair in claim_pairs(claim, runs, rates)
    ]
    if not rows:
        return "\n".join([*lines, "No run has these codecs at these rates."]) + "\n"
    head = (
        f"| Corpus | Other minus {claim.subject} | Metric | Difference | 95 % interval | Items | "
        "Speakers | p of equality | Verdict |"
    )
    return "\n".join([*lines, head, "|---|---|---|---:|---:|---:|---:|---:|---|", *rows]) + "\n"
