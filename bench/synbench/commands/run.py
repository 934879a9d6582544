"""``synbench run``: do what a suite asks for, and only what is not done yet."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from synbench.execution.execute import execute, folder_of
from synbench.execution.executors import Executor, ProcessPool, cuda_devices, make_executor
from synbench.execution.manifest import describe_run, item_rows
from synbench.execution.plan import Plan, make_plan
from synbench.execution.progress import Progress, Reading, duration, print_skipped
from synbench.execution.worker import fatal_faults
from synbench.lock import only_run
from synbench.results.cells import failure_counts
from synbench.results.compact import compact
from synbench.results.planned import read_planned
from synbench.results.store import RunFolder
from synbench.suite import find_suite, load_suite

__all__ = ["run"]


@click.command()
@click.argument("suite")
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
@click.option("--quiet", is_flag=True, help="Print no table at the end.")
def run(suite: str, out: str | None, workers: int | None, executor: str, quiet: bool) -> None:
    """Run SUITE: the name of a packaged suite, or a YAML file.

    The same command again resumes: finished cells are found and kept, a new codec or metric runs
    only its own cells. Exit code 1 means more failures than the suite's budget allows.
    """
    console = Console(stderr=True)
    loaded = load_suite(find_suite(suite))
    folder = RunFolder(folder_of(loaded.name, out))
    with only_run(folder.path):
        plan = make_plan(loaded, folder, progress=Reading(console))
        _announce(plan, console)
        with fatal_faults(str(folder.path)):
            folder.begin(describe_run(plan), item_rows(plan))
            folder.log(f"start: {plan.missing_scores} of {plan.total_scores} scores are missing")
        if plan.complete:
            console.print(f"{folder.path}: all {plan.total_scores} scores are there")
        else:
            made = make_executor(executor, workers=workers, folder=folder.path)
            _work(plan, folder, made, console)
        with fatal_faults(str(folder.path)):
            compact(folder)
    failures = failure_counts(read_planned(folder.path))
    folder.log(f"end: {failures.total()} of {plan.total_scores} scores failed")
    if not quiet:
        _show(folder.path)
    _conclude(plan, failures, console)
    if failures.total() > loaded.allowed_failures(plan.total_scores):
        sys.exit(1)


def _announce(plan: Plan, console: Console) -> None:
    print_skipped(plan, console)
    for corpus in plan.corpora:
        if corpus.note:
            console.print(f"[bold yellow]{escape(corpus.name)}: {escape(corpus.note)}[/]")


def _work(plan: Plan, folder: RunFolder, executor: Executor, console: Console) -> None:
    console.print(
        f"{folder.path}: {plan.missing_scores} of {plan.total_scores} scores to compute, "
        f"about {duration(plan.forecast_cpu_seconds / executor.workers)} "
        f"on {executor.workers} workers",
        highlight=False,
        soft_wrap=True,
    )
    gpus = cuda_devices() if isinstance(executor, ProcessPool) else ()
    devices = ProcessPool(len(gpus), devices=gpus) if gpus else None
    clean = False
    try:
        with Progress(plan, workers=executor.workers, console=console) as progress:
            execute(plan, folder, executor, progress.hear, devices=devices)
        clean = True
    finally:
        for one in filter(None, (executor, devices)):
            one.shutdown(kill=not clean)


def _show(path: Path) -> None:
    from synbench.__main__ import load_command

    load_command("show").main([str(path)], standalone_mode=False)


def _conclude(plan: Plan, failures: Counter[str], console: Console) -> None:
    if not failures:
        return
    allowed = plan.suite.allowed_failures(plan.total_scores)
    style = "red" if failures.total() > allowed else "yellow"
    console.print(
        f"[{style}]{failures.total()} of {plan.total_scores} scores failed "
        f"(the suite allows {allowed}):[/]"
    )
    for reason, count in failures.most_common(10):
        console.print(f"  {count} x {escape(reason)}", highlight=False)
    if len(failures) > 10:
        console.print(f"  and {len(failures) - 10} other reasons; all: synbench export --rows")
