"""``synbench agree``: how well the metrics of a run follow the ratings of listeners."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synbench.errors import UsageError

if TYPE_CHECKING:
    from synbench.statistics.agreement import Agreement, Coefficient, Level

COLUMNS = (
    *("level", "metric", "n", "pearson", "pearson_low", "pearson_high"),
    *("spearman", "spearman_low", "spearman_high", "kendall", "kendall_low", "kendall_high"),
    *("rmse", "best", "p_against_best"),
)

__all__ = ["agree"]


@click.command()
@click.argument("ratings", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--run", "run_name", required=True, metavar="RUN", help="The run with the metric scores."
)
@click.option("--corpus", metavar="NAME", help="Use only this corpus.")
@click.option("--metrics", default="", metavar="A,B", help="Use only these metrics.")
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Plot ratings over each metric into this file.",
)
@click.option("--format", "form", type=click.Choice(["text", "csv"]), default="text")
def agree(
    ratings: Path,
    run_name: str,
    corpus: str | None,
    metrics: str,
    figure: Path | None,
    form: str,
) -> None:
    """Say how well the metrics of a run agree with RATINGS, a table of a listening test.

    RATINGS is a CSV or TSV with one rating per row: item, condition, listener, score. Items and
    conditions must be called as in the run; a condition is the label of a codec. Pearson
    comes with a band of 95 % from resampling listeners and items; Spearman and Kendall have none,
    since over few codecs none holds. RMSE is what remains after the best non-decreasing map of the
    metric to the ratings. The last column is the p-value of a paired test against the metric with
    the highest Pearson coefficient of its level.
    """
    from synbench.agreement_tables import metric_table, read_ratings
    from synbench.results.opened import open_run
    from synbench.statistics.agreement import agreement, too_few

    table = read_ratings(ratings)
    opened = open_run(run_name)
    frame = opened.scores()
    if corpus is not None:
        frame = frame[frame["corpus"] == corpus]
    asked = [name.strip() for name in metrics.split(",") if name.strip()] or opened.metrics
    unknown = [name for name in asked if name not in opened.metrics]
    if unknown:
        raise UsageError(f"{run_name} has no metric {unknown[0]!r}: {', '.join(opened.metrics)}")
    conditions = [name for name in table.conditions if name in set(frame["codec"])]
    items = [name for name in table.items if name in set(frame["item"])]
    if len(conditions) < 3 or not items:
        raise UsageError(
            f"{ratings} and {run_name} share {len(conditions)} conditions and {len(items)} items; "
            f"at least 3 and 1 are needed. Conditions of the ratings: "
            f"{', '.join(table.conditions)}; codecs of the run: {', '.join(opened.codecs)}"
        )
    kept = table.scores[:, [table.items.index(name) for name in items], :][
        :, :, [table.conditions.index(name) for name in conditions]
    ]
    values = {column: metric_table(frame, column, items, conditions) for column in asked}
    agreements: dict[Level, dict[str, Agreement]] = {
        level: {column: agreement(kept, values[column], level=level) for column in asked}
        for level in ("condition", "item")
    }
    rows = [row for level, group in agreements.items() for row in _rows(level, group)]
    if form == "csv":
        writer = csv.writer(target := io.StringIO(), lineterminator="\n")
        writer.writerows((COLUMNS, *rows))
        click.echo(target.getvalue(), nl=False)
    else:
        click.echo(
            f"{len(table.listeners)} listeners, {len(items)} of {len(table.items)} items, "
            f"{len(conditions)} of {len(table.conditions)} conditions"
        )
        for row in rows:
            click.echo(_line(row))
        if warning := too_few(conditions):
            click.echo(f"note: {warning}")
    if figure is not None:
        from synbench_reports.figures.agreement import ratings_over_metrics
        from synbench_reports.figures.style import write_figure

        write_figure(ratings_over_metrics(kept, values, conditions), figure)


def _rows(level: str, group: dict[str, Agreement]) -> list[list[object]]:
    from synbench.statistics.agreement import COEFFICIENTS, difference_p

    ranked: Coefficient = "pearson"
    best = max(group, key=lambda column: _or_lowest(group[column].estimates[ranked]))
    rows = []
    for column, one in group.items():
        numbers = [
            value for name in COEFFICIENTS for value in (one.estimates[name], *one.bands[name])
        ]
        p = difference_p(group[best], one, ranked) if column != best else float("nan")
        rows.append([level, column, one.points, *numbers, one.rmse, best, p])
    return rows


def _or_lowest(value: float) -> float:
    return value if value == value else -2.0


def _line(row: list[object]) -> str:
    level, column, points, *rest = row
    *numbers, rmse, best, p = rest
    parts = [
        f"Pearson {_number(numbers[0])} [{_number(numbers[1])}, {_number(numbers[2])}]",
        f"Spearman {_number(numbers[3])}",
        f"Kendall {_number(numbers[6])}",
    ]
    against = "" if column == best else f"  p against {best} {_number(p)}"
    return f"{level:9} {column}  n {points}  {'  '.join(parts)}  RMSE {_number(rmse, 2)}{against}"


def _number(value: object, decimals: int = 3) -> str:
    return f"{value:.{decimals}f}" if isinstance(value, float) and value == value else "-"
