"""``synbench robustness``: what each condition costs each codec of a run."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from synbench.errors import UsageError
from synbench_base.decimals import fixed

if TYPE_CHECKING:
    from rich.table import Table

    from synbench_reports.tables.robustness import Drop

COLUMNS = (
    "corpus",
    "metric",
    "codec",
    "condition",
    "group",
    "value",
    "mean",
    "low",
    "high",
    "drop",
    "drop_low",
    "drop_high",
    "p_holm",
    "items",
    "planned",
)

# An en dash, as in the tables.
ABSENT = "\N{EN DASH}"

__all__ = ["robustness"]


@click.command()
@click.argument("run")
@click.option("--corpus", metavar="NAME", help="Use only this corpus and its conditions.")
@click.option("--metrics", default="", metavar="A,B", help="Use only these metrics.")
@click.option("--format", "form", type=click.Choice(["text", "csv"]), default="text")
def robustness(run: str, corpus: str | None, metrics: str, form: str) -> None:
    """Print what noise, rooms, channels and tandems cost the codecs of RUN.

    Each line has the clean number and, for every condition, the drop against it with half its 95 %
    interval. A star marks a drop that is shown: paired tests over speakers (or items), corrected by
    Holm over all codecs and conditions of a metric. A count such as 3/8 says that fewer items were
    scored, because a decoder refused the damaged stream. Columns named @input are against the
    damaged input and say what the codec alone did to what it heard. Curves: synbench figures RUN
    --kind robustness.
    """
    from synbench.conditions.against import measure_of
    from synbench.console import output_console
    from synbench.results.find_run import find_run
    from synbench.results.planned import read_planned
    from synbench_reports.tables.build_report import read_selection
    from synbench_reports.tables.robustness import drops, has_conditions

    chosen = tuple(filter(None, (name.strip() for name in metrics.split(","))))
    planned = read_selection(find_run(run), corpus=None, metrics=chosen)
    columns = {metric.column for metric in planned.metrics}
    if chosen:  # a score against the damaged input stands beside the clean one of its metric
        known = {metric.column for metric in read_planned(planned.folder).metrics}
        beside = [measure_of(name) for name in chosen if measure_of(name) in known]
        planned = read_selection(planned.folder, corpus=None, metrics=(*chosen, *beside))
    if not has_conditions(planned):
        raise UsageError(
            f"the run {planned.name} has no conditions; add to its suite, for example: "
            "conditions: [clean, {noise: babble, snr_db: 10}]"
        )
    shown_drops = [
        drop
        for drop in drops(planned)
        if drop.metric.column in columns and (corpus is None or drop.corpus == corpus)
    ]
    if not shown_drops:
        names = ", ".join(entry.name for entry in planned.corpora if not entry.clean)
        raise UsageError(f"no corpus {corpus!r} as recorded in the run; it has: {names or 'none'}")
    if form == "csv":
        click.echo(_csv(shown_drops), nl=False)
        return
    console = output_console()
    for (name, column), part in itertools.groupby(
        shown_drops, lambda d: (d.corpus, d.metric.column)
    ):
        lines = list(part)
        metric, items = lines[0].metric, lines[0].planned
        console.print(f"\n{name}, {metric.printed_label} ({column}, {items} items)")
        console.print(_table(lines))
    console.print("clean: mean; others: drop against clean ± half its 95 % interval; * p < 0.05")


def _table(lines: list[Drop]) -> Table:
    """Conditions down, codecs across: there are more conditions than codecs fit a line."""
    from rich.markup import escape
    from rich.table import Table

    codecs = list(dict.fromkeys(line.codec for line in lines))
    cells = {(line.condition, line.codec): line for line in lines}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("condition")
    for codec in codecs:
        table.add_column(escape(codec), justify="right")
    for condition in dict.fromkeys(line.condition for line in lines):
        row = [cells.get((condition, codec)) for codec in codecs]
        table.add_row(escape(condition), *(_cell(line) for line in row))
    return table


def _cell(line: Drop | None) -> str:
    from math import isnan

    if line is None or isnan(line.number):
        return ABSENT if line is None else f"{ABSENT} ({line.items}/{line.planned})"

    def printed(value: float) -> str:
        return fixed(line.metric.scale * value, 1 if line.metric.is_share else 3)

    if not line.group:
        text = printed(line.number)
    elif isnan(line.drop_low):
        text = printed(line.drop)
    else:
        half = (line.drop_high - line.drop_low) / 2
        text = f"{printed(line.drop)}{'*' if line.is_shown else ''} ± {printed(half)}"
    return text if line.items == line.planned else f"{text} ({line.items}/{line.planned})"


def _csv(lines: Iterable[Drop]) -> str:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        numbers = (line.number, line.low, line.high, line.drop, line.drop_low, line.drop_high)
        writer.writerow(
            [
                line.corpus,
                line.metric.column,
                line.codec,
                line.condition,
                line.group,
                "" if line.value is None else f"{line.value:g}",
                *(repr(number) if number == number else "" for number in (*numbers, line.p_holm)),
                line.items,
                line.planned,
            ]
        )
    return target.getvalue()
