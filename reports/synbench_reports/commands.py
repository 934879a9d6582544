"""``synbench show`` and ``synbench export``."""

from __future__ import annotations

import click

__all__ = ["show"]

WIDTH_OF_FILES = 100


def _split(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in value.split(","))))


@click.command()
@click.argument("run")
@click.option("--corpus", metavar="NAME", help="Only this corpus.")
@click.option("--metrics", default="", callback=_split, metavar="A,B", help="Only these columns.")
@click.option("--width", type=click.IntRange(min=40), help="Columns [default: the terminal's].")
def show(run: str, corpus: str | None, metrics: tuple[str, ...], width: int | None) -> None:
    """Print the table of RUN: a run folder, or NAME of runs/NAME.

    A number is a mean over items with half of its 95 % interval; (11/12) stands where not all
    planned items have a score.
    """
    from rich.console import Console

    from synbench_reports.build_report import build_report, read_selection
    from synbench_reports.find_run import find_run
    from synbench_reports.render_terminal import print_report

    folder = find_run(run)
    report = build_report(read_selection(folder, corpus=corpus, metrics=metrics))
    console = Console(highlight=False, markup=False, emoji=False)
    if width or not console.is_terminal:
        console.width = width or WIDTH_OF_FILES
    print_report(report, console)
    console.print()
    for label, text in (
        ("Run", str(folder)),
        ("Reconstructions", str(folder / "reconstructions")),
        ("Next", f"synbench export {folder} --format markdown"),
        ("", f"synbench export {folder} --format csv --rows"),
    ):
        console.print(f"{label:<16} {text}", soft_wrap=True)
