"""``synbench run``: do what a suite asks for, and only what is not done yet."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from synbench.commands.narrow import narrowing_options, read_part
from synbench.results.outcomes import MOST_ATTEMPTS
from synbench.running import complete_run

# Named, not imported: reports are built on this package.
TABLE = "synbench_reports.commands.show_and_export"

__all__ = ["run"]


@click.command()
@click.argument("suite")
@narrowing_options
@click.option("--out", type=click.Path(file_okay=False), help="Run folder [default: runs/NAME].")
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    default=None,
    help="Number of worker processes; 0 works in this process [default: one per core].",
)
@click.option(
    "--executor",
    default="local",
    metavar="NAME[:OPTION=VALUE,...]",
    help="Where to run: local, slurm:partition=cpu, dask:address=tcp://host:8786.",
)
@click.option(
    "--retry",
    is_flag=True,
    help=f"Retry every failure, even those that failed {MOST_ATTEMPTS} times.",
)
@click.option(
    "--cell-seconds",
    type=click.FloatRange(min=0.1),
    default=None,
    help="Time limit for one clip by one codec or metric [default: 10 min plus 1 min per second].",
)
@click.option("--quiet", is_flag=True, help="Do not print the table at the end.")
def run(
    suite: str,
    out: str | None,
    workers: int | None,
    executor: str,
    retry: bool,
    cell_seconds: float | None,
    quiet: bool,
    **part: Any,
) -> None:
    """Run SUITE: the name of a packaged suite, or a YAML file.

    The same command again resumes: finished cells are kept, a new codec or metric runs only its own
    cells, and what failed is retried, up to three times in all. Exit code 1 means more failures
    than the suite's budget allows. A suite can start programs, so read suites from others before
    you run them.

    With --limit, --corpus, --codecs or --metrics only a part is run, in the suite's own folder:
    what is already there is used, and the whole suite can be run later. For your own speech, use
    --corpus FOLDER.
    """
    console = Console(stderr=True)
    ended = complete_run(
        read_part(suite, part),
        out=out,
        workers=workers,
        executor=executor,
        retry=retry,
        cell_seconds=cell_seconds,
        console=console,
    )
    if not quiet:
        importlib.import_module(TABLE).show_run(ended.folder, compact=True)
    style = "red" if ended.over_budget else "yellow"
    for number, line in enumerate(ended.lines()):
        console.print(
            f"[{style}]{escape(line)}[/]" if number == 0 else escape(line), highlight=number == 0
        )
    if ended.over_budget:
        sys.exit(1)
