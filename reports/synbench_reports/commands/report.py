"""``synbench report``: a run as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from synbench_reports.commands.listening_option import listening_option

__all__ = ["report"]


@click.command()
@click.argument("run")
@click.option("--out", type=click.Path(dir_okay=False), help="File [default: RUN/report.html].")
@click.option("--embed-audio", is_flag=True, help="Embed the audio in the file.")
@click.option(
    "--spectrograms",
    type=click.IntRange(min=0),
    default=12,
    show_default=True,
    help="Number of items per corpus with spectrograms: the worst, and an even spread.",
)
@listening_option
def report(
    run: str, out: str | None, embed_audio: bool, spectrograms: int, listening: tuple[str, ...]
) -> None:
    """Write RUN, a run folder or NAME for runs/NAME, as one HTML file that works offline.

    Audio is linked from the run folder unless it is embedded, so leave the file where it is.
    """
    from synbench.results.find_run import find_run
    from synbench_base.files import complete_file
    from synbench_base.outputs import is_standard_output, output_file
    from synbench_reports.boards.listening_results import named_folder, read_listening
    from synbench_reports.pages.report import report_page
    from synbench_reports.tables.build_report import read_selection

    folder = find_run(run)
    path = Path(out) if out else folder / "report.html"
    text = report_page(
        read_selection(folder),
        beside=path.parent,
        embed_audio=embed_audio,
        spectrograms=spectrograms,
        listening=[read_listening(path, name=name) for name, path in map(named_folder, listening)],
    )
    # A name that was typed may be a link or a pipe; one in the run is replaced by a file.
    with output_file(path) if out else complete_file(path) as target:
        target.write(text.encode())
    size = f"{path}: {len(text.encode()) / 1e6:.1f} MB"
    click.echo(size, err=is_standard_output(path))
