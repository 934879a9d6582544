"""``synbench figures``: every figure that a run has the numbers for, as files for a paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synbench.errors import UsageError
from synbench_base.packages import install

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from synbench.results.cells import Cells
    from synbench.results.planned import PlannedRun
    from synbench_reports.figures.style import Look
    from synbench_reports.papers.published import Complexity
    from synbench_reports.tables.table import Table

KINDS = (
    "rate",
    "box",
    "violin",
    "complexity",
    "speakers",
    "speaker-box",
    "speaker-violin",
    "voicing",
    "codebooks",
    "correlation",
    "robustness",
)

SCORES = "a metric with scores"
SPEAKERS = "scores of several speakers, not each with one item alone"
NEEDS = {
    "rate": SCORES,
    "box": SCORES,
    "violin": SCORES,
    "complexity": "two codecs with a score and a cost",
    "speakers": SPEAKERS,
    "speaker-box": SPEAKERS,
    "speaker-violin": SPEAKERS,
    "voicing": SCORES,
    "codebooks": "codecs that store tokens",
    "correlation": "two metrics with scores",
    "robustness": "a condition of at least two strengths",
}

__all__ = ["figures"]


@click.command()
@click.argument("run")
@click.option("--out", type=click.Path(file_okay=False), help="Folder [default: RUN/figures].")
@click.option("--format", "form", type=click.Choice(["pdf", "svg", "png"]), default="pdf")
@click.option("--width", type=click.Choice(["single", "double"]), default="double")
@click.option(
    "--style",
    "look",
    type=click.Choice(["paper", "slide"]),
    default="paper",
    help="Draw for a paper, or large for slides.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Draw only these. May be repeated.",
)
@click.option("--corpus", metavar="NAME", help="Use only this corpus.")
@click.option("--metrics", default="", metavar="A,B", help="Use only these metrics.")
@click.option(
    "--complexity",
    metavar="FILE",
    help="CSV with codec, giga_macs, mega_parameters; or the word: count.",
)
@click.option(
    "--items", type=click.IntRange(min=1), default=40, help="Number of items for --kind voicing."
)
def figures(
    run: str,
    out: str | None,
    form: str,
    width: str,
    look: Look,
    kinds: tuple[str, ...],
    corpus: str | None,
    metrics: str,
    complexity: str | None,
    items: int,
) -> None:
    """Write the figures of RUN as vector files of one or two columns' width.

    rate: quality over bit rate with 95 % intervals. box, violin: scores of all items. complexity:
    quality over cost, with the front that no cheaper codec beats. speakers, speaker-box,
    speaker-violin: the numbers of speakers. voicing: distance in voiced, unvoiced and silent
    frames. codebooks: how evenly tokens are used. correlation: of the metrics. robustness: quality
    over noise, loss or bit errors, where the suite has conditions.

    RUN may also be the conditions.csv or preference.csv of `synbench listen analyse --out`: the
    bars of a MUSHRA or preference test.
    """
    require_matplotlib()
    if run.endswith(".csv"):
        _of_table(Path(run), Path(out) if out else Path(run).parent, form, width, look)
        return
    from synbench.results.confined import inside, plain_name
    from synbench.results.find_run import find_run
    from synbench_reports.figures.complexity import count_complexity, read_complexity
    from synbench_reports.figures.style import SLIDE_INCHES, WIDTHS, looking, write_figure
    from synbench_reports.tables.build_report import read_selection

    chosen = tuple(filter(None, (name.strip() for name in metrics.split(","))))
    planned = read_selection(find_run(run), corpus=corpus, metrics=chosen)
    if complexity == "count":
        costs = count_complexity({codec.label: codec.spec for codec in planned.codecs})
    else:
        costs = {} if complexity is None else read_complexity(Path(complexity))
    folder = Path(out) if out else inside(planned.folder, "figures")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = kinds or KINDS
    inches = SLIDE_INCHES if look == "slide" else WIDTHS[width]
    drawn: set[str] = set()
    with looking(look):
        for name, figure in run_figures(planned, wanted, inches, costs, items):
            drawn.add(_kind_of(name))
            # LaTeX takes no spaces, and dots for the beginning of an ending.
            stem = re.sub(r"[^\w@+-]+", "-", plain_name(name, what="the figure")).strip("-")
            path = inside(folder, f"{stem}.{form}")
            write_figure(figure, path)
            click.echo(str(path))

    for kind in kinds:
        if kind not in drawn:
            click.echo(f"no figure of kind {kind}: it needs {NEEDS[kind]}", err=True)


def _kind_of(name: str) -> str:
    """The kind of a figure by its name; those of conditions are named after the condition."""
    known = (kind for kind in sorted(KINDS, key=len, reverse=True) if name.endswith(f"-{kind}"))
    return next(known, "robustness")


def _of_table(table: Path, folder: Path, form: str, width: str, look: Look) -> None:
    from synbench_reports.figures.listening import table_figure
    from synbench_reports.figures.style import SLIDE_INCHES, WIDTHS, looking, write_figure

    with looking(look):
        inches = SLIDE_INCHES if look == "slide" else WIDTHS[width]
        kind, figure = table_figure(table, width=inches)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{table.stem}-{kind}.{form}"
    write_figure(figure, path)
    click.echo(str(path))


def require_matplotlib() -> None:
    """Ask for matplotlib before a minute of reading.

    Raises:
        UsageError: it is absent; the message says what to type.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"figures need matplotlib: {install('reports')}, then the same command again"
        ) from error


def run_figures(
    run: PlannedRun, kinds: tuple[str, ...], width: float, complexity: Complexity, items: int
) -> Iterator[tuple[str, Figure]]:
    """Names and figures, one corpus after the other; those without any number are left out."""
    from synbench.results.cells import OK, Store
    from synbench_reports.figures.breakdown import voicing_breakdown
    from synbench_reports.figures.codebooks import codebook_usage, usage_figure
    from synbench_reports.figures.correlation import metric_correlation
    from synbench_reports.tables.build_report import build_table

    for planned, corpus, cells in Store(run).corpora():
        table = build_table(planned, corpus, cells)
        known = [
            index
            for index in range(len(planned.metrics))
            if (cells.status[:, :, index] == OK).any()
        ]
        for index in known:
            column = planned.metrics[index].column
            for kind, figure in _metric_figures(
                planned, table, cells, index, kinds, width, complexity
            ):
                yield f"{corpus.name}-{column}-{kind}", figure
        if "correlation" in kinds and len(known) > 1:
            yield f"{corpus.name}-correlation", metric_correlation(planned, cells, width=width)
        if "voicing" in kinds and known:
            figure = voicing_breakdown(planned, corpus.name, cells, items=items, width=width)
            yield f"{corpus.name}-voicing", figure
        if "codebooks" in kinds:
            usages, reasons = codebook_usage(planned, corpus.name)
            for reason in reasons:
                click.echo(f"no codebook usage of {reason}", err=True)
            if usages:
                yield f"{corpus.name}-codebooks", usage_figure(usages, width=width)

    if "robustness" in kinds:
        from synbench_reports.figures.robustness import robustness_curves
        from synbench_reports.tables.robustness import drops, has_conditions

        if has_conditions(run):
            yield from robustness_curves(drops(run), width=width)


def _metric_figures(
    planned: PlannedRun,
    table: Table,
    cells: Cells,
    metric_index: int,
    kinds: tuple[str, ...],
    width: float,
    complexity: Complexity,
) -> Iterator[tuple[str, Figure]]:
    from synbench_reports.figures import rows as drawn

    column = planned.metrics[metric_index].column
    if "rate" in kinds:
        yield "rate", drawn.rate_quality(table, column, width=width)
    if "box" in kinds:
        yield "box", drawn.score_spread(planned, cells, metric_index, width=width)
    if "violin" in kinds:
        yield "violin", drawn.score_spread(planned, cells, metric_index, kind="violin", width=width)
    if "complexity" in kinds and drawn.has_costs(table, column, complexity):
        yield "complexity", drawn.quality_complexity(table, column, complexity, width=width)
    known = cells.speakers is not None and not planned.metrics[metric_index].is_distance
    if "speakers" in kinds and known:
        yield "speakers", drawn.speaker_spread(planned, cells, metric_index, width=width)
    for shape in ("box", "violin") if known else ():
        if f"speaker-{shape}" in kinds:
            yield (
                f"speaker-{shape}",
                drawn.score_spread(
                    planned, cells, metric_index, kind=shape, by_speaker=True, width=width
                ),
            )
