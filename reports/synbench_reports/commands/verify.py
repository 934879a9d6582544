"""``synbench verify``: a released checkpoint against the scores published for it."""

from __future__ import annotations

from pathlib import Path

import click

from synbench.errors import UsageError

__all__ = ["verify"]

RUNS_FOLDER = "runs"


@click.command()
@click.argument("codec", required=False)
@click.option(
    "--run", "runs", multiple=True, metavar="RUN", help="Read this run and compute nothing."
)
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be computed, and stop.")
@click.option("--limit", type=click.IntRange(min=1), help="Use this many items per corpus.")
@click.option("--workers", type=click.IntRange(min=0), help="Number of worker processes.")
@click.option(
    "--format", "form", type=click.Choice(["markdown", "latex", "document"]), default="markdown"
)
@click.option("--out", type=click.Path(dir_okay=False), help="File [default: standard output].")
def verify(
    codec: str | None,
    runs: tuple[str, ...],
    only_plan: bool,
    limit: int | None,
    workers: int | None,
    form: str,
    out: str | None,
) -> None:
    """Score CODEC's released checkpoint as its authors (or others) did, and compare.

    Without CODEC, list what was published. Exit code 1 means that a score differs: its whole 95 %
    interval lies outside of the tolerance.
    """
    from synbench.results.find_run import find_run
    from synbench_reports.commands.reproduce import (
        compare_runs,
        render_table,
        say_absent,
        write_text,
    )
    from synbench_reports.papers.paper_runs import SuiteRun, run_suite
    from synbench_reports.papers.released import limited, read_released, suites
    from synbench_reports.papers.render_published import tally

    known = read_released()
    if codec is None:
        for name, entry in known.items():
            scores = ", ".join(sorted({column.heading for column in entry.table.columns}))
            click.echo(f"{name:<14} {entry.table.caption}: {scores}")
        return
    if codec not in known:
        raise UsageError(f"nothing published is known of {codec!r}; of: {', '.join(known)}")
    entry = known[codec]
    if runs:
        made = [SuiteRun(name=run, folder=find_run(run), absent=()) for run in runs]
    else:
        made = [
            run_suite(
                limited(suite, limit), out=Path(RUNS_FOLDER), workers=workers, only_plan=only_plan
            )
            for suite in suites(codec, entry)
        ]
        if only_plan:
            say_absent(made)
            return
    write_text(render_table(entry.table, made, form, {}), out, markdown=form == "markdown")
    lines = compare_runs(entry.table, made)
    click.echo(f"{codec}: {tally(lines)}", err=True)
    if any(line.verdict == "differs" for line in lines):
        raise SystemExit(1)
