"""``synbench reproduce``: a paper's table, figure or claim, from runs made where missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synbench_reports.papers.paper_runs import SuiteRun
    from synbench_reports.papers.published import Complexity, Line
    from synbench_reports.papers.specification import Paper, PublishedTable
    from synbench_reports.tables.table import Report

__all__ = [
    "compare_runs",
    "render_table",
    "reproduce",
    "sample_rates",
    "say_absent",
    "write_text",
]

OUT = "runs"


@click.command()
@click.argument("paper")
@click.option("--table", "number", metavar="N", help="A table of the paper.")
@click.option("--figure", metavar="NAME", help="A figure of the paper, as PDF or SVG.")
@click.option("--claim", metavar="NAME", help="A claim of the paper, tested for equality.")
@click.option("--run", "runs", multiple=True, metavar="RUN", help="Read this run, compute nothing.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be computed, and stop.")
@click.option("--published", is_flag=True, help="Compute nothing: the published values alone.")
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    metavar="NAME=SPEC",
    help="Take other material, as in libritts=folder:path=speech.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Items per corpus, a fixed choice.")
@click.option("--workers", type=click.IntRange(min=0), help="Worker processes.")
@click.option("--complexity", metavar="FILE", help="CSV: codec, giga_macs, mega_parameters.")
@click.option("--ratings", metavar="FILE", help="CSV of a listening test, beside the figure.")
@click.option(
    "--format", "form", type=click.Choice(["markdown", "latex", "document"]), default="markdown"
)
@click.option("--out", type=click.Path(dir_okay=False), help="File [default: standard output].")
def reproduce(
    paper: str,
    number: str | None,
    figure: str | None,
    claim: str | None,
    runs: tuple[str, ...],
    only_plan: bool,
    published: bool,
    corpora: tuple[str, ...],
    limit: int | None,
    workers: int | None,
    complexity: str | None,
    ratings: str | None,
    form: str,
    out: str | None,
) -> None:
    """Reproduce a table of PAPER, such as p2psyncodec: published values, measured ones, verdicts.

    The suites that measure the table are run first, each into runs/SUITE; what is there already is
    kept. A codec is matched by its label and nominal bit rate, a metric by its column.
    """
    from synbench.results.find_run import find_run
    from synbench_reports.papers.paper_runs import SuiteRun, parse_corpora, run_suite, suite_for
    from synbench_reports.papers.specification import read_paper

    specification = read_paper(paper)
    if figure is not None:
        _figure(specification, figure, ratings, out)
        return
    if (number is None) == (claim is None):
        raise UsageError(f"name one --table, --figure or --claim; {_offer(specification)}")
    if number is not None and number not in specification.tables:
        raise UsageError(
            f"{paper} has no table {number!r}; it has: {', '.join(specification.tables)}"
        )
    if claim is not None and claim not in specification.claims:
        raise UsageError(
            f"{paper} has no claim {claim!r}; it has: {', '.join(specification.claims)}"
        )
    if runs:
        made = [SuiteRun(name=run, folder=find_run(run), absent=()) for run in runs]
    elif published or claim is not None:
        made = []
    else:
        assert number is not None
        others = parse_corpora(corpora)
        made = [
            run_suite(
                suite_for(suite, corpora=others, limit=limit),
                out=Path(OUT),
                workers=workers,
                only_plan=only_plan,
            )
            for suite in specification.tables[number].suites
        ]
        if only_plan:
            say_absent(made)
            return
    if claim is not None:
        write_text(_claim(specification, claim, made), out)
        return
    assert number is not None
    table = specification.tables[number]
    costs = {} if published and complexity is None else _complexity(table, complexity)
    text = render_table(table, made, form, costs)
    write_text(text, out)


def render_table(
    table: PublishedTable, made: Sequence[SuiteRun], form: str, complexity: Complexity
) -> str:
    """The table of a specification beside what the runs hold."""
    from synbench.results.planned import read_planned
    from synbench_reports.papers import render_published
    from synbench_reports.render.latex import document

    reports = _reports(made)
    absent = [entry for run in made for entry in run.absent]
    absent += [
        (skipped.name, skipped.reason)
        for report in reports
        for skipped in read_planned(report.folder).skipped
    ]
    lines = compare_runs(table, made, complexity, reports)
    if form == "markdown":
        return render_published.render_markdown(table, lines, reports, absent)
    text = render_published.render_latex(table, lines, reports, absent)
    return document(text) if form == "document" else text


def compare_runs(
    table: PublishedTable,
    made: Sequence[SuiteRun],
    complexity: Complexity | None = None,
    reports: Sequence[Report] | None = None,
) -> list[Line]:
    """One line with a verdict per published value."""
    from synbench_reports.papers.published import compare

    known_reports = _reports(made) if reports is None else reports
    rates = {report.folder: sample_rates(report.folder) for report in known_reports}
    return compare(table, known_reports, rates, complexity)


def _reports(made: Sequence[SuiteRun]) -> list[Report]:
    from synbench_reports.tables.build_report import build_report, read_selection

    folders = [run.folder for run in made if run.folder is not None]
    return [build_report(read_selection(folder)) for folder in folders]


def say_absent(made: Sequence[SuiteRun]) -> None:
    """Print what could not be run, and why."""
    for run in made:
        for name, reason in run.absent:
            click.echo(f"{run.name}: {name}: {reason}", err=True)


def write_text(text: str, out: str | None) -> None:
    """Print, or write a complete file."""
    from synbench_base.outputs import output_file

    if out is None:
        click.echo(text, nl=False)
        return
    with output_file(Path(out)) as target:
        target.write(text.encode())


def sample_rates(folder: Path) -> dict[str, int]:
    """The rate in Hz of each corpus whose items all have the same one."""
    import duckdb

    from synbench.results.store import RunFolder

    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT corpus, min(rate) FROM (SELECT corpus, coalesce(target_rate, sample_rate) "
            "AS rate FROM read_parquet(?)) GROUP BY corpus HAVING min(rate) = max(rate)",
            [str(RunFolder(folder).items_path)],
        ).fetchall()
    return {str(corpus): int(rate) for corpus, rate in rows}


def _offer(paper: Paper) -> str:
    return (
        f"{paper.name} has tables {', '.join(paper.tables)}; "
        f"figures {', '.join(paper.figures) or 'none'}; claims {', '.join(paper.claims) or 'none'}"
    )


def _claim(paper: Paper, name: str, made: Sequence[SuiteRun]) -> str:
    from synbench.results.planned import read_planned
    from synbench_reports.papers.claims import render_claim

    folders = [run.folder for run in made if run.folder is not None]
    rates = {folder: sample_rates(folder) for folder in folders}
    return render_claim(paper, paper.claims[name], list(map(read_planned, folders)), rates)


def _complexity(table: PublishedTable, path: str | None) -> Complexity:
    """Costs of the codecs of the table's suites, from a file or counted here."""
    from synbench_codecs import format_spec
    from synbench_reports.figures.complexity import count_complexity, read_complexity
    from synbench_reports.papers.paper_runs import suite_for

    if path is not None:
        return read_complexity(Path(path))
    if all(column.sample_rate for column in table.columns):
        return {}
    entries = [entry for name in table.suites[:1] for entry in suite_for(name).codecs]
    known = {entry.label or entry.codec: entry for entry in entries}
    return count_complexity(
        {
            label: format_spec(entry.codec, dict(entry.options))
            for label, entry in known.items()
            if label in table.rows
        }
    )


def _figure(paper: Paper, name: str, ratings: str | None, out: str | None) -> None:
    from synbench_reports.figures.listening import published_figure
    from synbench_reports.figures.style import form_of, write_figure

    if name not in paper.figures:
        raise UsageError(
            f"{paper.name} has no figure {name!r}; it has: {', '.join(paper.figures) or 'none'}"
        )
    if out is None:
        raise UsageError(f"name a file for the figure: --out {name}.pdf (or .svg, .png)")
    form_of(Path(out))
    figure = published_figure(paper.figures[name], None if ratings is None else Path(ratings))
    write_figure(figure, Path(out))
    click.echo(out)
