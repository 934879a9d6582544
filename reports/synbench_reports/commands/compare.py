"""``synbench compare``: which codecs of a run differ, and which are shown to be equal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import click

from synbench.errors import UsageError
from synbench_base.decimals import fixed, percent

if TYPE_CHECKING:
    from synbench.results.planned import PlannedRun
    from synbench.statistics.bd_rate import Method
    from synbench.statistics.paired_tests import Test
    from synbench_reports.tables.codec_pairs import CodecPair
    from synbench_reports.tables.fixed_comparisons import Fixed

TESTS = ("corrected_t", "t", "sign_flip", "wilcoxon")

__all__ = ["compare", "values_by_metric"]


@click.command()
@click.argument("run")
@click.option("--corpus", metavar="NAME", help="Use only this corpus.")
@click.option("--metrics", default="", metavar="A,B", help="Use only these metrics.")
@click.option("--against", metavar="LABEL", help="Compare only with this codec.")
@click.option(
    "--bd-rate",
    "bd_metric",
    metavar="METRIC",
    help="Average distance between rate-quality curves; needs --against.",
)
@click.option(
    "--bd-method",
    type=click.Choice(["pchip", "akima", "cubic"]),
    default="pchip",
    show_default=True,
    help="Interpolation for --bd-rate.",
)
@click.option(
    "--margin",
    "margins",
    multiple=True,
    metavar="METRIC=VALUE",
    help="Largest difference that still counts as equal (equivalence test). May be repeated.",
)
@click.option(
    "--test",
    type=click.Choice(TESTS),
    default="corrected_t",
    show_default=True,
    help="Wilcoxon tests ranks, the others means; error rates use permutations.",
)
@click.option("--fixed", is_flag=True, help="Test only the comparisons fixed in the suite.")
@click.option("--format", "form", type=click.Choice(["text", "csv"]), default="text")
def compare(
    run: str,
    corpus: str | None,
    metrics: str,
    against: str | None,
    bd_metric: str | None,
    bd_method: Method,
    margins: tuple[str, ...],
    test: str,
    fixed: bool,
    form: str,
) -> None:
    """Compare the codecs of RUN in pairs: difference with 95 % interval, p-value, verdict.

    The difference is that between the means (or error rates) in the table. Its test and its
    interval use speakers as the unit where the corpus names them, and agree with each other.
    p-values are corrected by Holm over all pairs of a metric, those of equivalence tests too.
    "not told apart" does not mean equal: to test that, state the largest difference that still
    counts as equal, as in --margin stoi=0.02. With fewer than five speakers (or items) there is
    no verdict of either kind. Where ranks alone would point the other way than the means, both
    are shown. With --fixed, each line also says how large a difference would have been found.

    With --bd-rate METRIC --against CODEC, rate-quality curves are compared instead: per cent of
    bits at equal quality, and quality at equal rate, with bands over speakers. A curve is all
    points of one codec, as in --against opus; or name its labels, separated by commas.
    """
    if bd_metric is not None:
        if fixed or margins or metrics or test != "corrected_t":
            raise UsageError("--bd-rate goes with --against, --bd-method, --corpus and --format")
        _show_curves(run, corpus, bd_metric, against, bd_method, form)
        return
    from synbench.results.cells import Store
    from synbench.results.find_run import find_run
    from synbench_reports.tables.build_report import read_selection
    from synbench_reports.tables.codec_pairs import (
        TEST_NAMES,
        letters,
        out_of_reach,
        pairs,
        test_of,
    )
    from synbench_reports.tables.frames import PAIR_COLUMNS, check_asked, pair_fields

    chosen = tuple(filter(None, (name.strip() for name in metrics.split(","))))
    planned = read_selection(find_run(run), corpus=corpus, metrics=chosen)
    stated = values_by_metric(margins)
    check_asked(planned, against, stated)
    asked = cast("Test", test)
    if fixed:
        if against is not None or stated or form != "text":
            raise UsageError("--fixed takes the suite's comparisons as they are: no other options")
        _show_fixed(planned, asked)
        return
    store = Store(planned)
    writer = csv.writer(target := io.StringIO(), lineterminator="\n")
    writer.writerow(PAIR_COLUMNS)
    short = False
    for narrowed, entry, cells in store.corpora():
        for metric_index, metric in enumerate(narrowed.metrics):
            compared = pairs(
                narrowed,
                cells,
                metric_index,
                against=against,
                margin=stated.get(metric.column),
                test=asked,
            )
            if form == "csv":
                writer.writerows((entry.name, *pair_fields(pair)) for pair in compared)
                continue
            click.echo(f"\n{entry.name}, {metric.printed_label} ({entry.items} items)")
            if metric.is_distance:
                click.echo("one distance of the whole corpus, which has no paired test")
                continue
            used = test_of(metric, asked)
            click.echo("\n".join((TEST_NAMES[used], *_text(compared, scale=metric.scale))))
            if why := out_of_reach(cells, compared, used):
                click.echo(why)
            if against is None and compared:
                given = letters(narrowed, cells, metric_index, compared)
                groups = "  ".join(f"{label} {text}" for label, text in given.items())
                click.echo(f"Same letter, not told apart: {groups}")
            short |= any(pair.verdict in ("not told apart", "too few") for pair in compared)
    if form == "csv":
        click.echo(target.getvalue(), nl=False)
    elif short:
        click.echo(f"\nHow many it takes, to tell apart or to call equal: synbench power {run}")


def _show_curves(
    run: str, corpus: str | None, metric: str, against: str | None, method: Method, form: str
) -> None:
    from synbench.results.find_run import find_run
    from synbench_reports.commands.compare_curves import show_curves
    from synbench_reports.tables.build_report import read_selection
    from synbench_reports.tables.rate_curves import curves_of

    planned = read_selection(find_run(run), corpus=corpus, metrics=(metric,))
    if against is None:
        names = ", ".join(curves_of(planned))
        raise UsageError(f"--bd-rate needs the curve to compare with: --against one of {names}")
    show_curves(planned, against=against, method=method, form=form)


def _show_fixed(planned: PlannedRun, asked: Test) -> None:
    """The suite's own family on every metric."""
    from synbench.results.cells import Store
    from synbench_reports.tables.codec_pairs import TEST_NAMES, test_of
    from synbench_reports.tables.fixed_comparisons import fixed_comparisons

    if not planned.comparisons:
        raise UsageError(f"the suite {planned.name} fixed no comparisons; leave out --fixed")
    for narrowed, entry, cells in Store(planned).corpora():
        for metric_index, metric in enumerate(narrowed.metrics):
            family = fixed_comparisons(narrowed, cells, metric_index, test=asked)
            if not family:
                continue
            click.echo(f"\n{entry.name}, {metric.printed_label} ({entry.items} items)")
            lines = _fixed_text(family, scale=metric.scale)
            click.echo("\n".join((TEST_NAMES[test_of(metric, asked)], *lines)))


def _fixed_text(family: list[Fixed], *, scale: int) -> Iterator[str]:
    tested = [one.pair for one in family if one.pair is not None]
    lines = iter(list(_text(tested, scale=scale)))
    yield f"{next(lines)}, and what could be found"
    for one in family:
        if one.pair is None:
            yield f"{one.asks}: not in this run: {', '.join(one.missing)}"
            continue
        yield f"{next(lines)}  (finds {scale * one.detectable:.2g})  {one.asks}".rstrip()
        if one.share is None:
            continue
        if one.share.value != one.share.value:
            yield f"    of {one.share.of}: no share, that difference is not told apart from zero"
        else:
            ends = f"[{percent(one.share.low)}, {percent(one.share.high)}]"
            yield f"    of {one.share.of}: {percent(one.share.value)} {ends}"


def values_by_metric(texts: tuple[str, ...]) -> dict[str, float]:
    """Positive numbers by column, from texts such as ``stoi=0.02``.

    Raises:
        UsageError: a text of another form.
    """
    margins = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            margins[name] = float(value)
        except ValueError:
            margins[name] = 0.0
        if not margins[name] > 0:
            raise UsageError(f"expected METRIC=VALUE above 0, such as stoi=0.02, got {text!r}")
    return margins


def _text(compared: list[CodecPair], *, scale: int) -> Iterator[str]:
    width = max([len(f"{pair.first} - {pair.second}") for pair in compared] + [4])
    yield f"{'pair':<{width}}  difference [95 % interval]      n  p (Holm)  verdict"
    for pair in compared:
        name = f"{pair.first} - {pair.second}"
        ends = (pair.difference, pair.low, pair.high)
        mean, low, high = (fixed(scale * v, 3 if scale == 1 else 1, sign=True) for v in ends)
        spread = f"{mean} [{low}, {high}]"
        yield (
            f"{name:<{width}}  {spread:<28} {pair.clusters:>4}  {_p(pair.p_holm):>8}  "
            f"{pair.verdict}{_remarks(pair)}"
        )


def _remarks(pair: CodecPair) -> str:
    """Equality, the ranks where they contradict, and how many it takes, in brackets."""
    remarks = []
    if pair.equal is not None:
        remarks.append(f"equivalence p {_p(pair.equal.p_holm)}, Holm")
    if pair.ranks is not None and pair.ranks_disagree:
        favoured, p = pair.ranks_favour, _p(pair.ranks.p_holm)
        remarks.append(f"most speakers say otherwise: ranks are higher for {favoured}, p {p}, Holm")
    if pair.verdict in ("not told apart", "too few") and pair.needed is not None:
        remarks.append(f"it would take {pair.needed}")
    if pair.long_tail:
        remarks.append("few carry the difference: look at them")
    return f" ({'; '.join(remarks)})" if remarks else ""


def _p(value: float) -> str:
    return "-" if value != value else "<0.0001" if value < 1e-4 else fixed(value, 4)
