"""Claims of a paper, tested: equality for equality, and those in words by what they say.

A paper that finds no significant difference has not shown that two systems are equal. Here the
difference is asked to be smaller than a margin, by two one-sided tests, on the published counts and
on measured scores; what the paper's own criterion says stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from synbench.statistics.equivalence import Equivalence, equivalence
from synbench.statistics.multiplicity import SIGNIFICANCE
from synbench_base.decimals import fixed, percent
from synbench_reports.papers.claim_kinds import (
    Claim,
    EqualityClaim,
    OrderClaim,
    SavingClaim,
    ShareClaim,
)
from synbench_reports.papers.claim_lines import (
    ClaimLine,
    Evidence,
    MeasuredPair,
    measured_pairs,
    score_columns,
    why_no_pair,
    with_ends,
)
from synbench_reports.papers.published import Verdict
from synbench_reports.papers.specification import AbxPair, Paper
from synbench_reports.papers.word_claims import order_lines, saving_lines, share_lines

__all__ = ["NetPreference", "claim_lines", "criterion_text", "net_preference"]


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


def criterion_text(p: float, criterion: float) -> str:
    """What a paper that takes a large p for equality says of it."""
    if p > criterion:
        return f"comparable (p = {fixed(p, 4)} > {criterion:g})"
    return f"different (p = {p:.2g}, not above {criterion:g})"


def claim_lines(paper: Paper, claim: Claim, evidence: Evidence) -> list[ClaimLine]:
    """Everything that speaks for or against a claim, the paper's own numbers first."""
    if isinstance(claim, EqualityClaim):
        return list(_equality_lines(paper, claim, evidence))
    if isinstance(claim, ShareClaim):
        return list(share_lines(paper.tables[claim.table], claim, evidence))
    if isinstance(claim, SavingClaim):
        return list(saving_lines(claim, evidence))
    assert isinstance(claim, OrderClaim)
    figure = None if claim.figure is None else paper.figures[claim.figure]
    return list(order_lines(paper.tables[claim.table], figure, claim, evidence))


def _equality_lines(paper: Paper, claim: EqualityClaim, evidence: Evidence) -> Iterator[ClaimLine]:
    yield from _preference_lines(paper, claim)
    for other, p in claim.printed.items():
        yield ClaimLine(
            basis="published",
            about=f"{other}, preference",
            stated="comparable",
            computed=f"p = {fixed(p, 4)}",
            criterion=criterion_text(p, claim.criterion),
            verdict="cannot tell",
            reason="the judgements behind p are not published, so equality cannot be tested",
        )
    if claim.table is not None:
        yield from _table_lines(paper, claim)
    yield from _score_lines(paper, claim)
    yield from _measured_lines(claim, evidence)


def _preference_lines(paper: Paper, claim: EqualityClaim) -> Iterator[ClaimLine]:
    if claim.preferences is None:
        return
    name, margin = claim.preferences
    for pair in paper.figures[name].pairs:
        tested = net_preference(pair, margin)
        equal = tested.equal
        verdict, reason = _equal_verdict(equal.low, equal.high, margin, percent(margin))
        yield ClaimLine(
            basis="published",
            about=f"{pair.other}, net preference",
            stated="comparable",
            computed=with_ends(equal.difference, equal.low, equal.high, percent, 2, "90 %: "),
            criterion=criterion_text(tested.p, claim.criterion),
            verdict=verdict,
            reason=reason,
        )


def _equal_verdict(low: float, high: float, margin: float, text: str) -> tuple[Verdict, str]:
    """Verdict and reason of an interval of equality against its margin."""
    if -margin < low and high < margin:
        return "agrees", f"equal within the margin of {text}"
    if low >= margin or high <= -margin:
        return "differs", f"the difference is larger than {text}"
    return "cannot tell", f"equality not shown: the interval reaches beyond the margin of {text}"


def _table_lines(paper: Paper, claim: EqualityClaim) -> Iterator[ClaimLine]:
    assert claim.table is not None
    table = paper.tables[claim.table]
    for number, column in score_columns(table, claim):
        margin = claim.margins.get(column.metric)
        own = table.rows[claim.subject][number]
        for other in claim.others:
            theirs = table.rows[other][number]
            if margin is None or own is None or theirs is None:
                continue
            within = abs(own - theirs) < margin
            yield ClaimLine(
                basis="published",
                about=f"{other}, {column.heading}",
                stated="comparable",
                computed=f"{own - theirs:+.{column.decimals}f}",
                verdict="cannot tell" if within else "differs",
                reason=f"{'within' if within else 'beyond'} the margin of {margin:g}, but printed "
                "without an interval",
            )


def _score_lines(paper: Paper, claim: EqualityClaim) -> Iterator[ClaimLine]:
    """Means and intervals as printed; listeners are the same for both, which no figure shows."""
    if claim.scores is None:
        return
    name, margin = claim.scores
    for group, bars in paper.figures[name].groups.items():
        own_mean, own_half = bars[claim.subject]
        for other in claim.others:
            mean, half = bars[other]
            difference = own_mean - mean
            spread = float(np.hypot(own_half, half))
            normal = NormalDist()
            error = spread / normal.inv_cdf(0.975)
            reach = normal.inv_cdf(1 - SIGNIFICANCE) * error
            low, high = difference - reach, difference + reach
            verdict, reason = _equal_verdict(low, high, margin, f"{margin:g} points")
            p = 2 * normal.cdf(-abs(difference) / error)
            yield ClaimLine(
                basis="published",
                about=f"{other}, {paper.figures[name].kind.upper()}, {group}",
                stated="comparable",
                computed=with_ends(difference, low, high, fixed, 2, "90 %: "),
                criterion=criterion_text(p, claim.criterion),
                verdict=verdict,
                reason=f"{reason} ({paper.figures[name].status})",
            )


def _measured_lines(claim: EqualityClaim, evidence: Evidence) -> Iterator[ClaimLine]:
    measured = list(measured_pairs(claim, claim.others, claim.margins, evidence))
    seen = {(one.sample_rate, one.pair.first, one.pair.metric) for one in measured}
    for one in measured:
        pair = one.pair
        verdict, reason = _pair_verdict(one)
        yield ClaimLine(
            basis="measured",
            about=f"{pair.first}, {pair.metric}, {one.corpus}, {pair.items} items",
            stated="comparable",
            # The claim is about the subject, the pair about the other.
            computed=with_ends(-pair.difference, -pair.high, -pair.low, fixed, 3),
            criterion="" if pair.p != pair.p else criterion_text(pair.p, claim.criterion),
            verdict=verdict,
            reason=reason,
        )
    for rate in claim.points:
        for other in claim.others:
            absent: dict[str, list[str]] = {}
            for metric in claim.margins:
                if (rate, other, metric) not in seen:
                    reason = why_no_pair(
                        claim, other, metric=metric, sample_rate=rate, evidence=evidence
                    )
                    absent.setdefault(reason, []).append(metric)
            for reason, metrics in absent.items():
                yield ClaimLine(
                    basis="measured",
                    about=f"{other}, {', '.join(metrics)}, {rate / 1000:g} kHz",
                    stated="comparable",
                    computed="",
                    verdict="not run",
                    reason=reason,
                )


def _pair_verdict(one: MeasuredPair) -> tuple[Verdict, str]:
    pair = one.pair
    verdicts: dict[str, Verdict] = {
        "equal within the margin": "agrees",
        "differs, by less than the margin": "agrees",
        "differs": "differs",
        "ranks differ, the mean the other way": "differs",
    }
    verdict = verdicts.get(pair.verdict, "cannot tell")
    reason = "a difference is shown" if verdict == "differs" else str(pair.verdict)
    if verdict == "cannot tell" and pair.equal is not None:
        reason = f"{pair.verdict}, and equality not shown (p = {fixed(pair.equal.p, 4)})"
    if not one.own:
        return "other weights", f"not the paper's weights; with these: {reason}"
    return verdict, reason
