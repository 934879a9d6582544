"""Claims of shares, savings and order, computed from the paper's tables and from what was run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from synbench_base.decimals import fixed, percent
from synbench_reports.papers.claim_kinds import OrderClaim, SavingClaim, ShareClaim
from synbench_reports.papers.claim_lines import (
    ClaimLine,
    Evidence,
    measured_pairs,
    score_columns,
    why_no_pair,
    with_ends,
)
from synbench_reports.papers.not_run import plain
from synbench_reports.papers.published import Complexity, Verdict
from synbench_reports.papers.specification import PublishedFigure, PublishedTable
from synbench_reports.tables.table import Report

__all__ = ["order_lines", "saving_lines", "share_lines"]


def share_lines(
    table: PublishedTable, claim: ShareClaim, evidence: Evidence
) -> Iterator[ClaimLine]:
    """Costs of the subject over the other's: as printed, and as counted here."""
    for number, column in enumerate(table.columns):
        if column.metric not in claim.shares:
            continue
        share, tolerance = claim.shares[column.metric]
        stated = f"about {percent(share)}"
        own, theirs = table.rows[claim.subject][number], table.rows[claim.other][number]
        if own is not None and theirs:
            verdict, reason = _near(own / theirs, share, tolerance)
            yield ClaimLine(
                basis="published",
                about=column.label,
                stated=stated,
                computed=f"{own:g} of {theirs:g}: {percent(own / theirs, 1)}",
                verdict=verdict,
                reason=reason,
            )
        counted = [
            _cost(evidence.complexity, label, column.metric)
            for label in (claim.subject, claim.other)
        ]
        own, theirs = counted
        if own is None or not theirs:
            yield ClaimLine(
                basis="measured",
                about=column.label,
                stated=stated,
                computed="",
                verdict="not run",
                reason="not counted here: no network of that name, or no torch",
            )
            continue
        verdict, reason = _near(own / theirs, share, tolerance)
        yield ClaimLine(
            basis="measured",
            about=f"{column.label}, counted here",
            stated=stated,
            computed=f"{fixed(own, 2)} of {fixed(theirs, 2)}: {percent(own / theirs, 1)}",
            verdict=verdict,
            reason=reason,
        )


def _cost(complexity: Complexity, label: str, metric: str) -> float | None:
    costs = {plain(name): entry for name, entry in complexity.items()}
    return costs.get(plain(label), {}).get(metric)


def _near(value: float, stated: float, tolerance: float) -> tuple[Verdict, str]:
    if abs(value - stated) <= tolerance:
        return "agrees", "rounds to what is stated"
    return "differs", f"{percent(value, 1)} does not round to {percent(stated)}"


def saving_lines(claim: SavingClaim, evidence: Evidence) -> Iterator[ClaimLine]:
    """Bits saved: by the printed rates, and by the bits that were counted in streams."""
    share, tolerance = claim.saving
    stated = f"{percent(share)} fewer"
    for rate, own_bps in claim.points.items():
        for other, bps in claim.others.items():
            verdict, reason = _near(1 - own_bps / bps, share, tolerance)
            yield ClaimLine(
                basis="published",
                about=f"{other}, printed rates",
                stated=stated,
                computed=f"{own_bps:g} for {bps:g} bit/s: {percent(1 - own_bps / bps, 1)} fewer",
                verdict=verdict,
                reason=reason,
            )
        for other in claim.others:
            yield _counted_bits(claim, other, rate, evidence)


def _counted_bits(
    claim: SavingClaim, other: str, sample_rate: int, evidence: Evidence
) -> ClaimLine:
    share, tolerance = claim.saving
    stated = f"{percent(share)} fewer"
    for report in evidence.reports:
        own, theirs = (
            _payload(report, label, sample_rate, evidence) for label in (claim.subject, other)
        )
        if own and theirs:
            verdict, reason = _near(1 - own / theirs, share, tolerance)
            return ClaimLine(
                basis="measured",
                stated=stated,
                about=f"{other}, bits counted in the streams of {report.name}",
                computed=f"{fixed(own, 3)} for {fixed(theirs, 3)} kbit/s: "
                f"{percent(1 - own / theirs, 1)} fewer",
                verdict=verdict,
                reason=f"{reason}; the number of bits does not depend on weights",
            )
    return ClaimLine(
        basis="measured",
        stated=stated,
        about=f"{other}, bits counted",
        computed="",
        verdict="not run",
        reason="no run has streams of both: recordings have none, and their rate is declared",
    )


def _payload(report: Report, label: str, sample_rate: int, evidence: Evidence) -> float | None:
    for table in report.tables:
        if evidence.sample_rates[report.folder].get(table.corpus.name) != sample_rate:
            continue
        for row in table.rows:
            if plain(row.codec.label) != plain(label):
                continue
            for column, cell in zip(table.columns, row.cells, strict=True):
                if column.name == "payload_kbps" and cell.mean is not None:
                    return cell.mean
    return None


def order_lines(
    table: PublishedTable, figure: PublishedFigure | None, claim: OrderClaim, evidence: Evidence
) -> Iterator[ClaimLine]:
    """Whether the subject is above the other: as printed, and by a paired test."""
    stated = f"above {claim.other}"
    columns = score_columns(table, claim)
    for number, column in columns:
        own, theirs = table.rows[claim.subject][number], table.rows[claim.other][number]
        if own is None or theirs is None:
            continue
        above = own > theirs if column.direction == "up" else own < theirs
        yield ClaimLine(
            basis="published",
            about=column.heading,
            stated=stated,
            computed=f"{own:.{column.decimals}f} to {theirs:.{column.decimals}f}",
            verdict="agrees" if above else "differs",
            reason="as printed" if above else f"the paper's own table has {claim.other} above",
        )
    if figure is not None:
        yield from _bars(figure, claim, stated)
    metrics = {column.metric: column for _, column in columns}
    measured = list(measured_pairs(claim, [claim.other], dict.fromkeys(metrics), evidence))
    for one in measured:
        pair, sign = one.pair, -1 if one.metric.direction == "down" else 1
        # The pair is the other minus the subject.
        low, high = sorted((-sign * pair.high, -sign * pair.low))
        verdict, reason = _above(low, high)
        if not one.own:
            verdict, reason = "other weights", f"not the paper's weights; with these: {reason}"
        yield ClaimLine(
            basis="measured",
            about=f"{pair.metric}, {one.corpus}, {pair.items} items",
            stated=stated,
            computed=with_ends(-pair.difference, -pair.high, -pair.low, fixed, 3),
            verdict=verdict,
            reason=reason,
        )
    seen = {(one.sample_rate, one.pair.metric) for one in measured}
    for _, column in columns:
        if (column.sample_rate, column.metric) in seen:
            continue
        yield ClaimLine(
            basis="measured",
            about=column.heading,
            stated=stated,
            computed="",
            verdict="not run",
            reason=why_no_pair(
                claim,
                claim.other,
                metric=column.metric,
                sample_rate=column.sample_rate,
                evidence=evidence,
            ),
        )


def _bars(figure: PublishedFigure, claim: OrderClaim, stated: str) -> Iterator[ClaimLine]:
    for group, bars in figure.groups.items():
        (own, own_half), (theirs, half) = bars[claim.subject], bars[claim.other]
        gap, reach = own - theirs, float(np.hypot(own_half, half))
        verdict, reason = _above(gap - reach, gap + reach)
        yield ClaimLine(
            basis="published",
            about=f"{figure.kind.upper()}, {group}",
            stated=stated,
            computed=with_ends(gap, gap - reach, gap + reach, fixed, 2),
            verdict=verdict,
            reason=f"{reason} ({figure.status})",
        )


def _above(low: float, high: float) -> tuple[Verdict, str]:
    """Of the 95 % interval of the difference in the subject's favour."""
    if np.isnan(low) or np.isnan(high):
        return "cannot tell", "no interval: too few speakers or items"
    if low > 0:
        return "agrees", "all of the 95 % interval is above"
    if high < 0:
        return "differs", "all of the 95 % interval is below"
    return "cannot tell", "the 95 % interval of the difference holds 0"
