"""``synbench merge``: one run from the parts that several people or machines computed."""

from __future__ import annotations

from pathlib import Path

import click

from synbench.errors import UsageError

__all__ = ["merge"]


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(file_okay=False), help="New run folder.")
@click.option(
    "--allow-differences", is_flag=True, help="Accept cells whose results differ between runs."
)
def merge(runs: tuple[str, ...], out: str, allow_differences: bool) -> None:
    """Merge RUNS into a new run folder that show, report, figures and the rest can read.

    Runs with different policies are refused, and so are codecs, metrics or corpora that differ
    under one name, and cells with different results. Files are linked where the disk allows it,
    otherwise copied.
    """
    from synbench.results.find_run import find_run
    from synbench.results.planned import read_planned
    from synbench_reports.run_comparison.run_merge import merge_runs

    if len(runs) < 2:
        raise UsageError("expected two or more runs to merge, got one")
    notes = merge_runs(
        [find_run(run) for run in runs], Path(out), allow_differences=allow_differences
    )
    planned = read_planned(Path(out))
    click.echo(
        f"{out}: {len(planned.codecs)} codecs, {len(planned.metrics)} metrics, "
        f"{len(planned.corpora)} corpora from {len(runs)} runs"
    )
    for note in notes:
        click.echo(f"  {note}")
