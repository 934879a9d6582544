"""``synbench plan``: what a run would do, without doing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from synbench.commands.narrow import narrowing_options, read_part
from synbench.console import output_console
from synbench.execution.cores import default_workers
from synbench.execution.execute import folder_of
from synbench.execution.plan import GO_ON, Plan, make_plan
from synbench.execution.progress import Reading, duration, note_lines, print_lines, skipped_lines
from synbench.results.store import RunFolder
from synbench.suite import Suite

__all__ = ["plan", "print_plan"]


@click.command()
@click.argument("suite")
@narrowing_options
@click.option("--out", type=click.Path(file_okay=False), help="Run folder [default: runs/NAME].")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    help="Number of worker processes to assume.",
)
def plan(suite: str, out: str | None, workers: int | None, **part: Any) -> None:
    """Show what `synbench run SUITE` would compute, what is there, and how long it takes."""
    print_plan(read_part(suite, part), out=out, workers=workers)


def print_plan(suite: Suite, *, out: str | None = None, workers: int | None = None) -> None:
    """Print what a run of a suite would do."""
    console = output_console()
    folder = RunFolder(folder_of(suite.name, out))
    made = make_plan(suite, folder, progress=Reading(console), stop=False)
    console.print(_corpora_table(made))
    console.print(_codecs_table(made))
    console.print(_metrics_table(made))
    print_lines(skipped_lines(made), console)
    if made.skipped and suite.unavailable == "stop":
        console.print(f"! the run stops at that; {GO_ON}", style="yellow", soft_wrap=True)
    print_lines(note_lines(made), console)
    for line in _too_long(made):
        console.print(escape(f"! {line}"), style="yellow", highlight=False, soft_wrap=True)
    for line in _shared_work(made):
        console.print(line, highlight=False, soft_wrap=True)
    count = workers or default_workers()
    cpu = made.forecast_cpu_seconds
    console.print(
        f"{folder.path}: {made.missing_scores} of {made.total_scores} scores to compute "
        f"({made.cached_scores} are there); about {duration(cpu)} of CPU time, "
        f"{duration(cpu / count)} on {count} workers",
        highlight=False,
    )


def _too_long(made: Plan) -> Iterator[str]:
    """Which codecs and metrics leave out items that are longer than they take."""
    limits = [(codec.label, codec.longest_seconds, "will not be coded") for codec in made.codecs]
    limits += [
        (metric.info.column, metric.info.longest_seconds, "will have no score")
        for metric in made.metrics
    ]
    for name, longest, what in limits:
        if longest is None:
            continue
        longer = {(item.corpus, item.item) for item in made.items if item.seconds > longest}
        if longer:
            yield (
                f"{name} takes at most {duration(longest)}: {len(longer)} of {len(made.items)} "
                f"items are longer and {what}; cut them"
            )


def _shared_work(made: Plan) -> Iterator[str]:
    """What conditions need once for all codecs, and what they take from one another."""
    inputs = {
        (item.before_channel.corpus, item.item)
        for item in made.items
        if item.damage and made.conditions[item.corpus].damages_input
    }
    if inputs:
        yield f"{len(inputs)} damaged inputs, each made once for all codecs"
    streams = sum(
        bool(item.sent[0] in made.conditions) for items in made.decodes.values() for item in items
    )
    if streams:
        yield f"{streams} of the decodes take a stream that another condition has encoded"


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(headings[0])
    for heading in headings[1:]:
        table.add_column(heading, justify="right")
    return table


def _corpora_table(made: Plan) -> Table:
    table = _table("corpus", "items", "minutes", "unusable", "digest")
    for corpus in made.corpora:
        unusable = sum(bool(item.problem) for item in corpus.items)
        minutes = f"{corpus.seconds / 60:.1f}"
        table.add_row(
            escape(corpus.name), str(len(corpus.items)), minutes, str(unusable), corpus.digest[:12]
        )
    return table


def _codecs_table(made: Plan) -> Table:
    table = _table("codec", "kbit/s", "to decode", "CPU s per audio s")
    for codec in made.codecs:
        rate = codec.info.nominal_bitrate_bps
        table.add_row(
            escape(codec.label),
            "-" if rate is None else f"{float(rate) / 1000:g}",
            str(len(made.decodes.get(codec.point, ()))),
            f"{codec.cost:.3f}",
        )
    return table


def _metrics_table(made: Plan) -> Table:
    missing = {metric.point: 0 for metric in made.metrics}
    for metrics in made.scores.values():
        for point in metrics:
            missing[point] += 1
    table = _table("metric", "to score", "CPU s per audio s")
    for metric in made.metrics:
        table.add_row(metric.info.column, str(missing[metric.point]), f"{metric.cost:.4f}")
    return table
