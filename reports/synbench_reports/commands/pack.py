"""``synbench pack``: a run as a folder or an archive for others."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from synbench_reports.commands.listening_option import listening_option

__all__ = ["pack"]


@click.command()
@click.argument("run")
@click.option("--out", type=click.Path(), help="Folder, or NAME.zip [default: NAME-pack].")
@click.option(
    "--audio",
    type=click.IntRange(min=0),
    default=8,
    show_default=True,
    help="Items per corpus to listen to: the worst, and some evenly spread.",
)
@listening_option
def pack(run: str, out: str | None, audio: int, listening: tuple[str, ...]) -> None:
    """Make a supplement of RUN: numbers, report, citations, licences, metadata; no personal paths.

    RUN is a run folder, or NAME of runs/NAME.
    """
    from synbench.results.find_run import find_run
    from synbench.results.planned import read_planned
    from synbench_reports.boards.listening_results import named_folder, read_listening
    from synbench_reports.sharing.pack import write_archive, write_pack

    folder = find_run(run)
    path = Path(out) if out else Path(f"{folder.name}-pack")
    planned = read_planned(folder)
    tests = [read_listening(path, name=name) for name, path in map(named_folder, listening)]
    if path.suffix.lower() != ".zip":
        written = write_pack(path, planned, audio=audio, listening=tests)
    else:
        with tempfile.TemporaryDirectory(prefix="synbench-pack-") as scratch:
            written = write_pack(Path(scratch), planned, audio=audio, listening=tests)
            write_archive(path, Path(scratch), written)
    click.echo(f"{path}: {len(written)} files, {sum(written.values()) / 1e6:.1f} MB")
