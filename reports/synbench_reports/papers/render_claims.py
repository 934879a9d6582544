"""Claims as Markdown: by the paper's criterion and by ours, and then line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synbench.statistics.multiplicity import SIGNIFICANCE
from synbench_base.decimals import fixed, percent
from synbench_reports.papers.claim_kinds import Claim, EqualityClaim
from synbench_reports.papers.claim_lines import ClaimLine
from synbench_reports.papers.claims import criterion_text, net_preference
from synbench_reports.papers.published import VERDICTS
from synbench_reports.papers.specification import Paper
from synbench_reports.render.markdown import escaped_markdown

HEADINGS = ("Basis", "About", "Stated", "Found", "By the paper's criterion", "Verdict", "Reason")

__all__ = ["render_claim", "tally_claims"]


def tally_claims(lines: Sequence[ClaimLine]) -> str:
    """How often each verdict was given, ``2 agrees, 1 not run``."""
    counts = {verdict: sum(line.verdict == verdict for line in lines) for verdict in VERDICTS}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)


def render_claim(paper: Paper, claim: Claim, lines: Sequence[ClaimLine], *, level: int = 1) -> str:
    """The claim's tests as Markdown, ending in a newline.

    Args:
        level: of the heading.
    """
    head = "#" * level
    text = [f"{head} Claim: {claim.text}", ""]
    if isinstance(claim, EqualityClaim):
        text += _equality_head(claim)
        text += _preferences(paper, claim, f"{head}#")
    text += [f"{head}# Line by line", "", f"Verdicts: {tally_claims(lines)}.", ""]
    text += [_row(HEADINGS), "|---|---|---|---|---|---|---|"]
    text += [
        _row(
            [
                line.basis,
                line.about,
                line.stated,
                line.computed or "\N{EN DASH}",
                line.criterion or "\N{EN DASH}",
                line.verdict,
                line.reason,
            ]
        )
        for line in lines
    ]
    if not any(line.basis == "measured" and line.computed for line in lines):
        text += ["", "No run has these codecs at these rates."]
    return "\n".join(text) + "\n"


def _equality_head(claim: EqualityClaim) -> Iterator[str]:
    margins = ", ".join(f"{column} {margin:g}" for column, margin in claim.margins.items())
    yield (
        f"Equal means: the whole {percent(1 - 2 * SIGNIFICANCE)} interval of the difference lies "
        "within the margin (two one-sided tests). No significant difference alone is no proof: the "
        f"paper's criterion, p above {claim.criterion:g} in a test for a difference, is met all "
        "the more easily the fewer listeners or items there are. Both verdicts are printed."
    )
    yield ""
    yield f"Margins of the scores: {margins}. They are ours; the paper states none."
    yield ""


def _preferences(paper: Paper, claim: EqualityClaim, head: str) -> Iterator[str]:
    if claim.preferences is None:
        return
    name, margin = claim.preferences
    figure = paper.figures[name]
    yield f"{head} Published preferences ({figure.source}; {figure.status})"
    yield ""
    if figure.design:
        yield figure.design
        yield ""
    yield (
        f"Margin of the net preference: {percent(margin)}. Judgements are taken as independent, "
        "as the paper does; those of one listener are not, so every p is too small."
    )
    yield ""
    yield (
        "| Against | Net preference | 90 % interval | p of no difference | as printed | "
        "By the paper's criterion | p of equality | Verdict |"
    )
    yield "|---|---:|---:|---:|---:|---|---:|---|"
    for pair in figure.pairs:
        tested = net_preference(pair, margin)
        equal = tested.equal
        verdict = "equal within the margin" if equal.equivalent else "equality not shown"
        ends = (equal.difference, equal.low, equal.high)
        difference, low, high = (percent(share, 2, sign=True) for share in ends)
        printed = "" if pair.p is None else fixed(pair.p, 4)
        yield (
            f"| {pair.other} | {difference} | {low} to {high} | "
            f"{fixed(tested.p, 4)} | {printed} | {criterion_text(tested.p, claim.criterion)} | "
            f"{fixed(equal.p, 4)} | {verdict} |"
        )
    yield ""


def _row(fields: Sequence[str]) -> str:
    return f"| {' | '.join(map(escaped_markdown, fields))} |"
