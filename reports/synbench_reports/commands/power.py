"""``synbench power``: how many speakers it takes to tell the codecs of a run apart, or equal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from synbench_base.decimals import fixed, percent

if TYPE_CHECKING:
    from synbench_reports.tables.codec_pairs import CodecPair

COLUMNS = (
    "corpus",
    "metric",
    "first",
    "second",
    "difference",
    "sd",
    "unit",
    "now",
    "detectable",
    "needed_as_seen",
    "asked_difference",
    "needed_for_difference",
    "margin",
    "needed_for_equality",
)
NEVER = "-"

__all__ = ["power"]


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What one pair of codecs takes; counts are of speakers or items, ``None`` where unknown."""

    pair: CodecPair
    detectable: float
    as_seen: int | None
    for_difference: int | None
    for_equality: int | None


@click.command()
@click.argument("run")
@click.option("--corpus", metavar="NAME", help="Only this corpus.")
@click.option("--metrics", default="", metavar="A,B", help="Only these columns.")
@click.option("--against", metavar="LABEL", help="Only pairs with this codec.")
@click.option(
    "--difference",
    "differences",
    multiple=True,
    metavar="METRIC=VALUE",
    help="Difference that you want to see, in the metric's unit (wer_...=0.05 for 5 %). May be "
    "repeated.",
)
@click.option(
    "--margin",
    "margins",
    multiple=True,
    metavar="METRIC=VALUE",
    help="Largest difference that counts as equal. May be repeated.",
)
@click.option(
    "--power", "wanted", type=click.FloatRange(0.01, 0.999), default=0.8, show_default=True
)
@click.option("--format", "form", type=click.Choice(["text", "csv"]), default="text")
def power(
    run: str,
    corpus: str | None,
    metrics: str,
    against: str | None,
    differences: tuple[str, ...],
    margins: tuple[str, ...],
    wanted: float,
    form: str,
) -> None:
    """Say how many speakers (or items) like those of RUN tell its codecs apart, or equal.

    RUN is the pilot: the spread of the differences between its codecs is taken from it, so ten
    or twenty speakers make a better pilot than five. Everything is for `synbench compare`
    as it will be done: all pairs of a metric as one family, by Holm. "finds" is the smallest
    difference that as many as now would show, "as seen" how many would show a difference as large
    as now. For a difference of your own, --difference stoi=0.01; to be called equal, --margin
    stoi=0.02, for codecs that are equal.
    """
    from synbench.results.cells import Store
    from synbench.results.find_run import find_run
    from synbench.statistics.multiplicity import SIGNIFICANCE
    from synbench_reports.commands.compare import values_by_metric
    from synbench_reports.tables.build_report import read_selection
    from synbench_reports.tables.codec_pairs import pairs
    from synbench_reports.tables.frames import check_asked

    chosen = tuple(filter(None, (name.strip() for name in metrics.split(","))))
    planned = read_selection(find_run(run), corpus=corpus, metrics=chosen)
    asked, equal = values_by_metric(differences), values_by_metric(margins)
    check_asked(planned, against, asked | equal)
    writer = csv.writer(target := io.StringIO(), lineterminator="\n")
    writer.writerow(COLUMNS)
    for narrowed, entry, cells in Store(planned).corpora():
        unit = "items" if cells.speakers is None else "speakers"
        for metric_index, metric in enumerate(narrowed.metrics):
            if metric.is_distance:
                continue
            compared = pairs(narrowed, cells, metric_index, against=against)
            alpha = SIGNIFICANCE / max(len(compared), 1)
            difference, margin = asked.get(metric.column), equal.get(metric.column)
            needs = [
                _needs(pair, difference=difference, margin=margin, power=wanted, alpha=alpha)
                for pair in compared
            ]
            if form == "csv":
                writer.writerows(
                    (entry.name, metric.column, *_fields(one, unit, difference, margin))
                    for one in needs
                )
                continue
            click.echo(f"\n{entry.name}, {metric.printed_label} ({entry.items} items)")
            click.echo("\n".join(_text(needs, unit, difference, margin, scale=metric.scale)))
    if form == "csv":
        click.echo(target.getvalue(), nl=False)
        return
    click.echo(
        f"\npower {percent(wanted)}, {percent(SIGNIFICANCE)} for all pairs of a metric together, "
        "never fewer than five; by the test of\n`compare`, for normal differences: with a ceiling "
        "or long tails plan for a tenth more"
    )


def _needs(
    pair: CodecPair,
    *,
    difference: float | None,
    margin: float | None,
    power: float,
    alpha: float,
) -> Needs:
    from synbench.statistics.power import smallest_detectable, units_for_equality, units_needed

    # All of them for the test of `compare`, at its share of the level.
    def needed(size: float | None) -> int | None:
        return _at_least(
            lambda: units_needed(size or 0.0, pair.spread, power=power, alpha=alpha, corrected=True)
        )

    return Needs(
        pair=pair,
        detectable=smallest_detectable(
            pair.spread, pair.clusters, power=power, alpha=alpha, corrected=True
        ),
        as_seen=needed(abs(pair.difference)),
        for_difference=needed(difference),
        for_equality=_at_least(
            lambda: units_for_equality(
                margin or 0.0, pair.spread, power=power, alpha=alpha, corrected=True
            )
        ),
    )


def _at_least(count: Callable[[], int]) -> int | None:
    from synbench.statistics.means import FEWEST_CLUSTERS

    try:
        return max(count(), FEWEST_CLUSTERS)
    except ValueError:  # no spread, no difference, or more than anybody has
        return None


def _text(
    needs: list[Needs], unit: str, difference: float | None, margin: float | None, *, scale: int
) -> Iterator[str]:
    if not needs:
        yield "no two codecs with scores"
        return
    width = max(len(f"{one.pair.first} - {one.pair.second}") for one in needs)
    more = [f"for {scale * difference:g}"] if difference is not None else []
    more += [f"equal ±{scale * margin:g}"] if margin is not None else []
    yield (
        f"{'pair':<{width}}  {'difference':>10}  {'SD':>7}  {unit + ' now':>12}  {'finds':>7}  "
        f"{'as seen':>8}" + "".join(f"  {name:>12}" for name in more)
    )
    for one in needs:
        pair = one.pair
        counts = [one.for_difference] if difference is not None else []
        counts += [one.for_equality] if margin is not None else []
        yield (
            f"{f'{pair.first} - {pair.second}':<{width}}  "
            f"{fixed(scale * pair.difference, 3 if scale == 1 else 1, sign=True):>10}  "
            f"{_number(scale * pair.spread):>7}  {pair.clusters:>12}  "
            f"{_number(scale * one.detectable):>7}  {_count(one.as_seen):>8}"
            + "".join(f"  {_count(count):>12}" for count in counts)
        )


def _number(value: float) -> str:
    return NEVER if value != value else f"{value:.3g}"


def _count(value: int | None) -> str:
    return NEVER if value is None else str(value)


def _fields(
    one: Needs, unit: str, difference: float | None, margin: float | None
) -> tuple[object, ...]:
    pair = one.pair
    numbers = (pair.difference, pair.spread, unit, pair.clusters, one.detectable, one.as_seen)
    asked = (difference, one.for_difference, margin, one.for_equality)
    return (pair.first, pair.second, *_known(numbers), *_known(asked))


def _known(values: tuple[object, ...]) -> Iterator[object]:
    return ("" if value is None or value != value else value for value in values)
