"""``synbench reproduce``: a paper's tables, figures and claims, from runs made where missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synbench_reports.papers.claim_lines import Evidence
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

RUNS_FOLDER = "runs"


@click.command()
@click.argument("paper")
@click.option("--table", "number", metavar="N", help="Reproduce this table.")
@click.option("--figure", metavar="NAME", help="Reproduce this figure, as PDF or SVG.")
@click.option("--claim", metavar="NAME", help="A claim of the paper, tested.")
@click.option(
    "--run", "runs", multiple=True, metavar="RUN", help="Read this run and compute nothing."
)
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be computed, and stop.")
@click.option("--published", is_flag=True, help="Print only the published values.")
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    metavar="NAME=SPEC",
    help="Use other recordings, as in libritts=folder:path=speech.",
)
@click.option(
    "--codec",
    "codecs",
    multiple=True,
    metavar="LABEL=SPEC",
    help="Use this codec instead, as in DAC=recordings:folder=dac,bitrate_bps=500.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Use this many items per corpus.")
@click.option("--workers", type=click.IntRange(min=0), help="Number of worker processes.")
@click.option("--complexity", metavar="FILE", help="CSV with codec, giga_macs, mega_parameters.")
@click.option(
    "--ratings", metavar="FILE", help="CSV of a listening test to draw beside the figure."
)
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
    codecs: tuple[str, ...],
    limit: int | None,
    workers: int | None,
    complexity: str | None,
    ratings: str | None,
    form: str,
    out: str | None,
) -> None:
    """Reproduce PAPER, such as p2psyncodec: published values, measured ones, verdicts, reasons.

    Without --table, --figure or --claim: all tables, figures and claims. The suites that measure
    them are run first, each into runs/SUITE; what is there already is kept. A codec is matched by
    its label and nominal bit rate, a metric by its column.
    """
    from synbench.results.find_run import find_run
    from synbench_reports.papers.claim_kinds import ShareClaim
    from synbench_reports.papers.paper_runs import SuiteRun
    from synbench_reports.papers.specification import read_paper

    specification = read_paper(paper)
    if sum(part is not None for part in (number, figure, claim)) > 1:
        raise UsageError(f"name one --table, --figure or --claim; {_offer(specification)}")
    if figure is not None:
        _figure(specification, figure, ratings, out)
        return
    for kind, name, known in (
        ("table", number, specification.tables),
        ("claim", claim, specification.claims),
    ):
        if name is not None and name not in known:
            raise UsageError(f"{paper} has no {kind} {name!r}; it has: {', '.join(known)}")
    if number is None and form != "markdown":
        raise UsageError("--format goes with --table; a claim and a whole paper are Markdown")
    if runs:
        made = [SuiteRun(name=run, folder=find_run(run), absent=()) for run in runs]
    elif published or claim is not None:
        made = []
    else:
        tables = specification.tables.values() if number is None else [specification.tables[number]]
        made = _run_suites(tables, corpora, codecs, limit, workers, only_plan=only_plan)
        if only_plan:
            say_absent(made)
            return
    if runs:
        say_strangers(specification, made)
    counted = not published or complexity is not None
    if number is not None:
        table = specification.tables[number]
        costs = _complexity([table], complexity) if counted else {}
        write_text(render_table(table, made, form, costs), out, markdown=form == "markdown")
        return
    costly = claim is None or isinstance(specification.claims[claim], ShareClaim)
    costs = _complexity(specification.tables.values(), complexity) if counted and costly else {}
    evidence = _evidence(made, costs)
    if claim is not None:
        write_text(_claim(specification, claim, evidence), out)
        return
    from synbench_reports.papers.whole_paper import render_paper

    path = None if ratings is None else Path(ratings)
    write_text(render_paper(specification, evidence, path), out)


def _run_suites(
    tables: Iterable[PublishedTable],
    corpora: Sequence[str],
    codecs: Sequence[str],
    limit: int | None,
    workers: int | None,
    *,
    only_plan: bool,
) -> list[SuiteRun]:
    from synbench_reports.papers.paper_runs import (
        parse_codecs,
        parse_corpora,
        run_suite,
        suite_for,
    )

    names = list(dict.fromkeys(name for table in tables for name in table.suites))
    materials = parse_corpora(corpora)
    swapped = parse_codecs(codecs, [suite_for(name) for name in names])
    return [
        run_suite(
            suite_for(name, corpora=materials, codecs=swapped, limit=limit),
            out=Path(RUNS_FOLDER),
            workers=workers,
            only_plan=only_plan,
        )
        for name in names
    ]


def render_table(
    table: PublishedTable, made: Sequence[SuiteRun], form: str, complexity: Complexity
) -> str:
    """The table of a specification beside what the runs hold."""
    from synbench_reports.papers import render_published
    from synbench_reports.render.latex import document

    reports = _reports(made)
    absent = _absent(made, reports)
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
    return compare(table, known_reports, rates, complexity, _absent(made, known_reports))


def _reports(made: Sequence[SuiteRun]) -> list[Report]:
    from synbench_reports.tables.build_report import build_report, read_selection

    folders = [run.folder for run in made if run.folder is not None]
    return [build_report(read_selection(folder)) for folder in folders]


def _absent(made: Sequence[SuiteRun], reports: Sequence[Report]) -> list[tuple[str, str]]:
    from synbench_reports.papers.not_run import absent_of

    return [entry for run in made for entry in run.absent] + absent_of(reports)


def _evidence(made: Sequence[SuiteRun], complexity: Complexity) -> Evidence:
    from synbench.results.planned import read_planned
    from synbench_reports.papers.claim_lines import Evidence

    reports = _reports(made)
    return Evidence(
        runs=[read_planned(report.folder) for report in reports],
        reports=reports,
        sample_rates={report.folder: sample_rates(report.folder) for report in reports},
        complexity=complexity,
        absent=_absent(made, reports),
    )


def say_absent(made: Sequence[SuiteRun]) -> None:
    """Print what could not be run, and why."""
    for run in made:
        for name, reason in run.absent:
            click.echo(f"{run.name}: {name}: {reason}", err=True)


def say_strangers(specification: Paper, made: Sequence[SuiteRun]) -> None:
    """Say where the runs that were named have none of the paper's codecs."""
    from synbench_reports.papers.not_run import no_codec_matches

    said = no_codec_matches(specification.tables.values(), _reports(made))
    if said:
        click.echo(f"! {said}", err=True)


def write_text(text: str, out: str | None, *, markdown: bool = True) -> None:
    """Print, or write a complete file; Markdown is set for the eye where a terminal reads it."""
    from synbench.console import OutputConsole
    from synbench_base.outputs import output_file

    if out is None:
        console = OutputConsole()
        if markdown and console.is_terminal:
            from rich.markdown import Markdown

            console.print(Markdown(text))
        else:
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


def _claim(paper: Paper, name: str, evidence: Evidence) -> str:
    from synbench_reports.papers.claims import claim_lines
    from synbench_reports.papers.render_claims import render_claim

    claim = paper.claims[name]
    return render_claim(paper, claim, claim_lines(paper, claim, evidence))


def _complexity(tables: Iterable[PublishedTable], path: str | None) -> Complexity:
    """Costs of the codecs of the tables, from a file or counted here."""
    from synbench_reports.figures.complexity import count_complexity, read_complexity
    from synbench_reports.papers import stream_facts

    if path is not None:
        return read_complexity(Path(path))
    counted: dict[str, dict[str, float]] = {}
    for table in tables:
        wanted = frozenset(column.metric for column in table.columns if not column.sample_rate)
        if not wanted:
            continue
        specs = _specs(table)
        facts = count_complexity(specs) if wanted - set(stream_facts.COLUMNS) else {}
        if wanted & set(stream_facts.COLUMNS):
            facts |= stream_facts.count_stream_facts(specs, wanted)
        for label, values in facts.items():
            counted.setdefault(label, {}).update(values)
    return counted


def _specs(table: PublishedTable) -> dict[str, str]:
    """What stands for each row of a table: as the table says, else as its first suite does."""
    from synbench_codecs import format_spec
    from synbench_reports.papers.paper_runs import suite_for

    specs = dict(table.codecs)
    for entry in (entry for name in table.suites[:1] for entry in suite_for(name).codecs):
        label = entry.label or entry.codec
        if label in table.rows:
            specs.setdefault(label, format_spec(entry.codec, dict(entry.options)))
    return specs


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
    published = paper.figures[name]
    figure = published_figure(published, None if ratings is None else Path(ratings))
    write_figure(figure, Path(out))
    click.echo(out)
    if published.design:
        click.echo(published.design, err=True)
    if published.template:
        click.echo(f"The same design: synbench listen init {published.template}", err=True)
