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
    help="Worker processes; 0 does everything in this one [default: one per core].",
)
@click.option(
    "--executor",
    default="local",
    metavar="NAME[:OPTION=VALUE,...]",
    help="Where to work: local, slurm:partition=cpu, dask:address=tcp://host:8786.",
)
@click.option(
    "--retry",
    is_flag=True,
    help=f"Try every failure again, also what failed {MOST_ATTEMPTS} times.",
)
@click.option(
    "--cell-seconds",
    type=click.FloatRange(min=0.1),
    default=None,
    help="Longest time of one clip by one codec or metric [default: 10 min, 1 min a second more].",
)
@click.option("--quiet", is_flag=True, help="Print no table at the end.")
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

    The same command again resumes: finished cells are found and kept, a new codec or metric runs
    only its own cells, and what failed is tried again, up to three times in all. Exit code 1 means
    more failures than the suite's budget allows. A suite can start programs: read a stranger's.

    A part of a suite works in the suite's own folder: what is there is used, and what only the
    whole suite asks for comes back with it. On speech of your own: --corpus FOLDER.
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
        importlib.import_module(TABLE).show_run(ended.folder)
    style = "red" if ended.over_budget else "yellow"
    for number, line in enumerate(ended.lines()):
        console.print(
            f"[{style}]{escape(line)}[/]" if number == 0 else escape(line), highlight=number == 0
        )
    if ended.over_budget:
        sys.exit(1)
