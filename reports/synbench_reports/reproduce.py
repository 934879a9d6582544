"""``synbench reproduce``: a paper's table beside what runs measured."""

from __future__ import annotations

from pathlib import Path

import click

from synbench.errors import UsageError

__all__ = ["reproduce"]


@click.command()
@click.argument("paper")
@click.option("--table", "number", required=True, metavar="N", help="Which table of the paper.")
@click.option("--run", "runs", multiple=True, metavar="RUN", help="A run to read; may be repeated.")
@click.option("--format", "form", type=click.Choice(["markdown", "latex"]), default="markdown")
@click.option("--out", type=click.Path(dir_okay=False), help="File [default: standard output].")
def reproduce(paper: str, number: str, runs: tuple[str, ...], form: str, out: str | None) -> None:
    """Print a table of PAPER, such as p2psyncodec: published values, measured ones, verdicts.

    Without --run every cell is "not run". A codec is matched by its label and nominal bit rate.
    """
    from synbench_reports.build_report import build_report, read_selection
    from synbench_reports.complete_file import complete_file
    from synbench_reports.find_run import find_run
    from synbench_reports.published import compare, read_paper, render_lines

    tables = read_paper(paper)
    if number not in tables:
        raise UsageError(f"{paper} has no table {number!r}; it has: {', '.join(tables)}")
    folders = [find_run(run) for run in runs]
    reports = [build_report(read_selection(folder)) for folder in folders]
    rates = {folder: _sample_rates(folder) for folder in folders}
    lines = compare(tables[number], reports, rates)
    text = render_lines(tables[number], lines, reports, form)
    if out is None:
        click.echo(text, nl=False)
        return
    with complete_file(Path(out)) as target:
        target.write(text.encode())


def _sample_rates(folder: Path) -> dict[str, int]:
    """The rate in Hz of each corpus whose items all have the same one."""
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT corpus, min(rate) FROM (SELECT corpus, coalesce(target_rate, sample_rate) "
            "AS rate FROM read_parquet(?)) GROUP BY corpus HAVING min(rate) = max(rate)",
            [str(folder / "items.parquet")],
        ).fetchall()
    return {str(corpus): int(rate) for corpus, rate in rows}
