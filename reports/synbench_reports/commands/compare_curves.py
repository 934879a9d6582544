"""What ``synbench compare --bd-rate`` prints: curves of a run, their distances, and why not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from synbench.errors import UsageError

if TYPE_CHECKING:
    from synbench.results.planned import PlannedMetric, PlannedRun
    from synbench.statistics.bd_rate import Band, Method
    from synbench_reports.tables.rate_curves import CurvePair

COLUMNS = (
    "corpus",
    "metric",
    "test",
    "against",
    "method",
    "bd_rate_percent",
    "bd_rate_low",
    "bd_rate_high",
    "bd_quality",
    "bd_quality_low",
    "bd_quality_high",
    "shared_low",
    "shared_high",
    "shared_share",
    "points_against",
    "points_test",
    "items",
    "clusters",
    "remarks",
)

__all__ = ["COLUMNS", "show_curves"]


def show_curves(planned: PlannedRun, *, against: str, method: Method, form: str) -> None:
    """Print the distances of all curves from one, on the only metric of the plan.

    Raises:
        UsageError: no such curve or codec, or nothing to compare it with.
    """
    from synbench.results.cells import Store
    from synbench_reports.tables.rate_curves import curve_pairs

    writer = csv.writer(target := io.StringIO(), lineterminator="\n")
    writer.writerow(COLUMNS)
    (metric,) = planned.metrics
    for narrowed, entry, cells in Store(planned).corpora():
        pairs = curve_pairs(narrowed, cells, 0, against=against, method=method)
        if not pairs:
            raise UsageError(f"{entry.name} has no curve but {against}, so nothing to compare")
        if form == "csv":
            writer.writerows((entry.name, *_fields(pair, method)) for pair in pairs)
            continue
        unit = "items" if cells.speakers is None else "speakers"
        click.echo(f"\n{entry.name}, {metric.label} against {against} ({entry.items} items)")
        click.echo(f"{method} over log10 of the rate; 95 % bands over {unit}")
        click.echo("\n".join(_text(pairs, metric)))
    if form == "csv":
        click.echo(target.getvalue(), nl=False)


def _text(pairs: list[CurvePair], metric: PlannedMetric) -> Iterator[str]:
    width = max(len("curve"), *(len(pair.test) for pair in pairs))
    better = "lower" if metric.direction == "down" else "higher"
    quality = f"BD-quality ({better} is better)"
    yield f"{'curve':<{width}}  {'BD-rate':<27}  {quality:<32}  shared range"
    for pair in pairs:
        rate = _number(pair.rate, pair.rate_band, ".1f", " %")
        quality = _number(pair.quality, pair.quality_band, ".3f", "")
        shared = "none"
        if pair.shared:
            shared = f"{pair.low:.3g} to {pair.high:.3g} ({pair.shared:.0%} of both)"
        yield f"{pair.test:<{width}}  {rate:<27}  {quality:<32}  {shared}; {pair.items} items"
        for reason in pair.reasons:
            yield f"    {reason}"


def _number(value: float, band: Band, shape: str, unit: str) -> str:
    if value != value:
        return "-"
    ends = f" [{band.low:+{shape}}, {band.high:+{shape}}]" if band.low == band.low else ""
    return f"{value:+{shape}}{unit}{ends}"


def _fields(pair: CurvePair, method: Method) -> tuple[object, ...]:
    return (
        pair.metric,
        pair.test,
        pair.anchor,
        method,
        pair.rate,
        pair.rate_band.low,
        pair.rate_band.high,
        pair.quality,
        pair.quality_band.low,
        pair.quality_band.high,
        pair.low,
        pair.high,
        pair.shared,
        *pair.points,
        pair.items,
        pair.clusters,
        "; ".join(pair.reasons),
    )
