"""``synbench site``: a folder of static pages made of many runs."""

from __future__ import annotations

from pathlib import Path

import click

from synbench_reports.commands.listening_option import listening_option

__all__ = ["site"]


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--out", type=click.Path(file_okay=False), default="site", show_default=True)
@click.option("--title", default="Speech codecs compared", show_default=True)
@click.option(
    "--audio",
    type=click.IntRange(min=0),
    default=8,
    show_default=True,
    help="Items per corpus to listen to: the worst, and some evenly spread.",
)
@click.option(
    "--complexity",
    metavar="FILE",
    help="CSV: codec, giga_macs, mega_parameters; or the word count.",
)
@listening_option
@click.option("--replace", is_flag=True, help="Without the runs that the site was made of before.")
def site(
    runs: tuple[str, ...],
    out: str,
    title: str,
    audio: int,
    complexity: str | None,
    listening: tuple[str, ...],
    replace: bool,
) -> None:
    """Write RUNS as a site that works offline and from any web server: open index.html.

    RUNS are run folders, NAMEs of runs/NAME, or folders that hold run folders. Runs on the same
    speech stand in one table. The same command with another run adds it.
    """
    from synbench.results.planned import read_planned
    from synbench_reports.boards.listening_results import named_folder
    from synbench_reports.figures.complexity import count_complexity, read_complexity
    from synbench_reports.pages.site import remembered_listening, remembered_runs, write_site

    folder = Path(out)
    named = [run_folder for run in runs for run_folder in _run_folders(run)]
    known = [] if replace else remembered_runs(folder)
    folders = {path.resolve(): path for path in (*known, *named)}
    planned = [read_planned(path) for path in folders.values()]
    costs = None
    if complexity == "count":
        costs = count_complexity({c.label: c.spec for run in planned for c in run.codecs})
    elif complexity is not None:
        costs = read_complexity(Path(complexity))
    tests = {} if replace else remembered_listening(folder)
    files, size = write_site(
        folder,
        planned,
        title=title,
        audio=audio,
        complexity=costs,
        listening=tests | dict(map(named_folder, listening)),
    )
    click.echo(f"{folder / 'index.html'}: {len(planned)} runs, {files} files, {size / 1e6:.1f} MB")


def _run_folders(name: str) -> list[Path]:
    """One run, or those in a folder of runs, by name."""
    from synbench.results.find_run import find_run

    folder = Path(name)
    if folder.is_dir() and not (folder / "manifest.json").exists():
        inner = sorted(path.parent for path in folder.glob("*/manifest.json"))
        if inner:
            return inner
    return [find_run(name)]
