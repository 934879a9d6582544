"""A whole paper as one Markdown page: how it stands, then tables, figures and claims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synbench_reports.papers.claim_lines import ClaimLine, Evidence
from synbench_reports.papers.claims import claim_lines
from synbench_reports.papers.figure_lines import figure_lines
from synbench_reports.papers.published import VERDICTS, Line, compare
from synbench_reports.papers.render_claims import render_claim
from synbench_reports.papers.render_published import render_cells, render_markdown, tally
from synbench_reports.papers.specification import Paper, PublishedFigure
from synbench_reports.render.markdown import escaped_markdown

__all__ = ["render_paper"]


def render_paper(paper: Paper, evidence: Evidence, ratings: Path | None = None) -> str:
    """The page, ending in a newline.

    Args:
        ratings: of a listening test of one's own; its columns say which figure it is for.
    """
    tables = {
        f"Table {number}": compare(
            table,
            evidence.reports,
            evidence.sample_rates,
            evidence.complexity,
            evidence.absent,
        )
        for number, table in paper.tables.items()
    }
    figures = {
        f"Figure {name}": figure_lines(figure, ratings if _fits(figure, ratings) else None)
        for name, figure in paper.figures.items()
    }
    claims = {
        f"Claim {name}": claim_lines(paper, claim, evidence) for name, claim in paper.claims.items()
    }
    text = [f"# {paper.title}, reproduced", "", f"{paper.source}.", ""]
    text += _overview({**tables, **figures, **claims})
    parts = [
        render_markdown(table, lines, evidence.reports, evidence.absent, level=2)
        for table, lines in zip(paper.tables.values(), tables.values(), strict=True)
    ]
    parts += [
        _figure(figure, lines)
        for figure, lines in zip(paper.figures.values(), figures.values(), strict=True)
    ]
    parts += [
        render_claim(paper, claim, lines, level=2)
        for claim, lines in zip(paper.claims.values(), claims.values(), strict=True)
    ]
    return "\n".join([*text, "", "\n".join(parts)])


def _fits(figure: PublishedFigure, ratings: Path | None) -> bool:
    """Whether a table of ratings is of the figure's kind: preferences, or scores."""
    from synbench_base.text_table import read_table

    if ratings is None:
        return False
    rows = read_table(ratings).whole()
    return bool(rows) and ("n_first" in rows[0].cells) == (figure.kind == "abx")


def _overview(parts: dict[str, Sequence[Line] | Sequence[ClaimLine]]) -> list[str]:
    text = [f"| | {' | '.join(VERDICTS)} |", f"|---|{'---:|' * len(VERDICTS)}"]
    totals = dict.fromkeys(VERDICTS, 0)
    for name, lines in parts.items():
        counts = {verdict: sum(line.verdict == verdict for line in lines) for verdict in VERDICTS}
        for verdict, count in counts.items():
            totals[verdict] += count
        text.append(f"| {name} | {' | '.join(str(count) for count in counts.values())} |")
    text.append(f"| all | {' | '.join(str(count) for count in totals.values())} |")
    return text


def _figure(figure: PublishedFigure, lines: Sequence[Line]) -> str:
    text = [f"## Figure {figure.name}: {figure.caption}", "", f"Values: {figure.status}.", ""]
    if figure.design:
        text += [escaped_markdown(figure.design), ""]
    text += [f"Verdicts: {tally(lines)}.", "", *render_cells(lines)]
    return "\n".join(text) + "\n"
