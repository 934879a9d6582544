"""Figures from the table and the cells of a run: rate curves, distributions, cost, speakers.

Widths are in inches. Anchors are shown as grey lines or rows, never as competitors.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from synbench.results.cells import Cells, Floats
from synbench.results.planned import PlannedRun
from synbench_reports.figures.point_labels import PointLabel, label_points
from synbench_reports.figures.style import (
    COLOURS,
    GREY,
    LINES,
    MARKERS,
    WIDTHS,
    name_score_axis,
    new_figure,
    outside_legend,
    row_inches,
    sized,
    styled,
)
from synbench_reports.tables.rate_curves import curve_labels, curve_name
from synbench_reports.tables.table import Cell, Row, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Spread = Literal["box", "violin"]
DOUBLE_WIDTH_INCHES = WIDTHS["double"]
FEWEST_TICKS = 3
# Rates that differ by less stand side by side, each aside by so much of the rate.
SAME_RATE_SHARE, DODGE_SHARE = 0.02, 0.035
# Violins are drawn of at most this many scores: more do not change their shape, only the time.
VIOLIN_SCORES = 5000

__all__ = [
    "Spread",
    "has_costs",
    "quality_complexity",
    "rate_quality",
    "score_spread",
    "speaker_spread",
]


@styled
def rate_quality(table: Table, column_name: str, *, width: float = DOUBLE_WIDTH_INCHES) -> Figure:
    """Means with their intervals over the payload rate, or the nominal one where none is counted.

    Points of one codec at several rates are joined by a line with a band; those of different codecs
    at one rate stand side by side. Codecs with neither rate, and the
    anchors, are horizontal lines.
    """
    column_indices = {
        column.name: column_index for column_index, column in enumerate(table.columns)
    }
    column = table.columns[column_indices[column_name]]
    figure, axes = new_figure(width, 0.55 * width)
    families: dict[str, list[tuple[float, Cell, Row]]] = {}
    curves = curve_labels(row.codec for row in table.rows)
    for row in table.rows:
        cell = row.cells[column_indices[column_name]]
        payload = row.cells[column_indices["payload_kbps"]].mean
        rate = payload if payload is not None else row.cells[column_indices["nominal_kbps"]].mean
        if cell.mean is None:
            continue
        if row.codec.is_anchor or not rate:
            _anchor_line(axes, cell.mean, row.codec.label)
            continue
        families.setdefault(curve_name(row.codec), []).append((rate, cell, row))
    dodged = _dodged([rate for points in families.values() for rate, _, _ in points])
    for number, (name, points) in enumerate(families.items()):
        points.sort(key=lambda point: point[0])
        means = [_mean(cell) for _, cell, _ in points]
        shown = [dodged[rate].pop(0) for rate, _, _ in points]
        colour, ends = COLOURS[number % len(COLOURS)], _ends([cell for _, cell, _ in points])
        if len(points) > 1 and ends is not None:
            low, high = np.array(means) - ends[0], np.array(means) + ends[1]
            axes.fill_between(shown, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.errorbar(
            shown,
            means,
            ends,
            color=colour,
            marker=MARKERS[number % len(MARKERS)],
            linestyle=LINES[number % len(LINES)],
            linewidth=sized(1),
            markersize=sized(5),
            capsize=2,
            label=points[0][2].codec.label if len(points) == 1 else curves[name],
        )
    _log_axis(axes)
    axes.set_xlabel("bit rate (kbit/s, log scale)")
    name_score_axis(axes.yaxis, column)
    outside_legend(figure, axes, width)
    return figure


@styled
def score_spread(
    planned: PlannedRun,
    cells: Cells,
    metric: int,
    *,
    kind: Spread = "box",
    by_speaker: bool = False,
    width: float = DOUBLE_WIDTH_INCHES,
) -> Figure:
    """The scores of all items per codec.

    Boxes: median, quartiles, whiskers to the 5th and 95th percentile, dots at the extremes. Violins
    also show the shape between the extremes.

    Args:
        metric: index on the metric axis.
        by_speaker: the numbers of speakers instead of the scores of items.
    """
    codecs = range(len(planned.codecs))
    if by_speaker:
        known = [_speaker_means(cells, codec, metric) for codec in codecs]
    else:
        scores = [cells.values[:, codec, metric] for codec in codecs]
        known = [values[np.isfinite(values)] for values in scores]
    figure, axes = new_figure(width, 0.55 + row_inches(0.24) * len(known))
    rows = [row for row, values in enumerate(known) if len(values)]
    if kind == "violin":
        _violins(axes, known, rows)
    else:
        _boxes(axes, known, rows)
    axes.set_yticks(range(len(known)), [codec.label for codec in planned.codecs])
    axes.set_ylim(len(known) - 0.5, -0.5)
    shown = planned.metrics[metric]
    pooled = shown.is_rate or shown.is_distance
    single = " of single speakers" if by_speaker else " of single items" if pooled else ""
    name_score_axis(axes.xaxis, shown, detail=single)
    return figure


@styled
def quality_complexity(
    table: Table,
    column_name: str,
    complexity: Mapping[str, Mapping[str, float]] | None = None,
    *,
    width: float = DOUBLE_WIDTH_INCHES,
) -> Figure:
    """Quality against what decoding costs; the area of a bubble is the number of parameters.

    The cost is multiply-accumulates where they are known of every codec shown, else the measured
    CPU seconds of coding and decoding per second of audio. A codec without a count of parameters
    is a small cross.

    Args:
        complexity: by codec label, ``giga_macs`` and ``mega_parameters``.
    """
    column_indices = {
        column.name: column_index for column_index, column in enumerate(table.columns)
    }
    column = table.columns[column_indices[column_name]]
    costs = complexity or {}
    rows = _competitors(table, column_indices[column_name])
    counted = [row for row in rows if "giga_macs" in costs.get(row.codec.label, {})]
    figure, axes = new_figure(width, 0.55 * width + 0.3)
    points: list[tuple[float, float]] = []
    labels: list[PointLabel] = []
    for number, row in enumerate(counted or rows):
        cell = row.cells[column_indices[column_name]]
        own = costs.get(row.codec.label, {})
        cost = own["giga_macs"] if counted else _seconds(row, column_indices)
        if cost is None:
            continue
        points.append((cost, _mean(cell)))
        size = own.get("mega_parameters")
        colour = COLOURS[number % len(COLOURS)]
        if size is None:
            axes.scatter([cost], [cell.mean], marker="x", color=colour, s=24, zorder=3)
        else:
            style = {
                "alpha": 0.65,
                "edgecolor": "black",
                "linewidth": 0.6,
                "zorder": 3,
                "clip_on": False,
            }
            axes.scatter([cost], [cell.mean], color=colour, s=8 + 4 * size, **style)
        text = row.codec.label if size is None else f"{row.codec.label} ({size:.3g} M)"
        radius = 4 if size is None else 3 + (8 + 4 * size) ** 0.5 / 2
        labels.append(PointLabel(text=text, x=cost, y=_mean(cell), radius=radius))
    front = _front(points, rising=column.direction != "down")
    if len(front) > 1:
        axes.step(*np.transpose(front), where="post", color=GREY, linewidth=0.9, linestyle="--")
    axes.margins(x=0.18, y=0.12)
    _log_axis(axes)
    spent = "10$^9$ MAC for 1 s" if counted else "CPU s of coding and decoding for 1 s"
    axes.set_xlabel(f"{spent} (log scale; dashed: no cheaper codec is better)")
    name_score_axis(axes.yaxis, column)
    corners = [corner for pair in itertools.pairwise(front) for corner in _step(*pair)]
    label_points(axes, labels, steps=corners)
    return figure


def has_costs(
    table: Table, column_name: str, complexity: Mapping[str, Mapping[str, float]] | None = None
) -> bool:
    """Whether two competitors with a score have a cost; recordings have none, one shows nothing."""
    column_indices = {
        column.name: column_index for column_index, column in enumerate(table.columns)
    }
    known = [
        row
        for row in _competitors(table, column_indices[column_name])
        if _seconds(row, column_indices) is not None
        or "giga_macs" in (complexity or {}).get(row.codec.label, {})
    ]
    return len(known) > 1


@styled
def speaker_spread(
    planned: PlannedRun, cells: Cells, metric: int, *, width: float = DOUBLE_WIDTH_INCHES
) -> Figure:
    """The number of each speaker as a tick, and that of all items as a marker, per codec.

    Numbers are those of a table: means, or all errors over all words.
    """
    figure, axes = new_figure(width, 0.55 + row_inches(0.24) * len(planned.codecs))
    for index in range(len(planned.codecs)):
        values, sizes = cells.values[:, index, metric], cells.sizes[:, index, metric]
        known = np.isfinite(values)
        if not known.any():
            continue
        means = _speaker_means(cells, index, metric)
        axes.plot(
            means, np.full(len(means), index), "|", color=COLOURS[0], markersize=sized(9), alpha=0.6
        )
        axes.plot(
            [np.average(values[known], weights=sizes[known])],
            [index],
            "D",
            color=COLOURS[1],
            markersize=sized(4),
        )
    axes.set_yticks(range(len(planned.codecs)), [codec.label for codec in planned.codecs])
    axes.set_ylim(len(planned.codecs) - 0.5, -0.5)
    name_score_axis(axes.xaxis, planned.metrics[metric])
    speakers = len(np.unique(cells.clusters))
    axes.set_title(
        f"| one of {speakers} speakers, \N{BLACK DIAMOND} all items", fontsize="small", loc="right"
    )
    return figure


def _competitors(table: Table, column_index: int) -> list[Row]:
    return [
        row
        for row in table.rows
        if row.cells[column_index].mean is not None and not row.codec.is_anchor
    ]


def _speaker_means(cells: Cells, codec: int, metric: int) -> Floats:
    """The number of each speaker: a mean, or all errors over all words."""
    values = cells.values[:, codec, metric]
    known = np.isfinite(values)
    sizes = cells.sizes[:, codec, metric][known]
    counts = np.bincount(cells.clusters[known], weights=sizes)
    sums = np.bincount(cells.clusters[known], weights=sizes * values[known])
    means: Floats = sums[counts > 0] / counts[counts > 0]
    return means


def _boxes(axes: Any, known: Sequence[Floats], rows: Sequence[int]) -> None:
    axes.boxplot(
        [known[row] for row in rows],
        positions=rows,
        orientation="horizontal",
        widths=0.6,
        whis=(5, 95),
        showfliers=False,
        manage_ticks=False,
        medianprops={"color": COLOURS[1], "linewidth": 1.5},
    )
    for row in rows:
        ends = [known[row].min(), known[row].max()]
        axes.plot(ends, [row, row], ".", color=GREY, markersize=sized(3))


def _violins(axes: Any, known: Sequence[Floats], rows: Sequence[int]) -> None:
    for row in rows:
        values = known[row]
        step = max(1, len(values) // VIOLIN_SCORES)
        if values.min() < values.max():
            drawn = np.sort(values)[step // 2 :: step]
            shape = axes.violinplot(
                [drawn], positions=[row], orientation="horizontal", widths=0.8, showextrema=False
            )
            for body in shape["bodies"]:
                body.set(facecolor=COLOURS[5], edgecolor="black", linewidth=0.6, alpha=1)
        axes.plot(np.percentile(values, (25, 75)), [row, row], color="black", linewidth=3)
        axes.plot(
            [np.median(values)], [row], "o", color="white", markeredgecolor="black", ms=sized(4)
        )


def _log_axis(axes: Any) -> None:
    """A logarithmic x-axis with plain numbers, as many as can be read."""
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks: list[float] = []
    for steps in ((1,), (1, 2, 5)):
        ticks = [step * 10.0**exponent for exponent in exponents for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= FEWEST_TICKS:
            break
    else:
        # Less than a decade: even steps say more than powers.
        ticks = [float(tick) for tick in MaxNLocator(5).tick_values(low, high)]
        ticks = [tick for tick in ticks if low <= tick <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(low, high)


def _dodged(rates: Sequence[float]) -> dict[float, list[float]]:
    """Where points of each rate are drawn: those nearly at one rate stand side by side."""
    order = sorted(rates)
    drawn: dict[float, list[float]] = {}
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and order[end] < order[start] * (1 + SAME_RATE_SHARE):
            end += 1
        for index in range(start, end):
            steps = index - start - (end - start - 1) / 2
            drawn.setdefault(order[index], []).append(order[index] * (1 + DODGE_SHARE) ** steps)
        start = end
    return drawn


def _front(points: Sequence[tuple[float, float]], *, rising: bool) -> list[tuple[float, float]]:
    """The points that no cheaper one beats, cheapest first."""
    front: list[tuple[float, float]] = []
    for cost, mean in sorted(
        points, key=lambda point: (point[0], -point[1] if rising else point[1])
    ):
        if not front or (mean > front[-1][1] if rising else mean < front[-1][1]):
            front.append((cost, mean))
    return front


def _step(start: tuple[float, float], end: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return start, (end[0], start[1]), end


def _anchor_line(axes: Any, mean: float, label: str) -> None:
    axes.axhline(mean, color=GREY, linestyle=(0, (1, 1)), linewidth=0.9)
    position = (0.99, mean)
    axes.annotate(
        label, position, xycoords=("axes fraction", "data"), ha="right", va="bottom", color=GREY
    )


def _ends(cells: Sequence[Cell]) -> Floats | None:
    """Distances of the interval's ends from the means, shape ``(2, point)``."""
    if any(cell.low is None or cell.high is None for cell in cells):
        return None
    low = [_mean(cell) - (cell.low or 0) for cell in cells]
    high = [(cell.high or 0) - _mean(cell) for cell in cells]
    ends: Floats = np.maximum(np.array([low, high]), 0)
    return ends


def _mean(cell: Cell) -> float:
    assert cell.mean is not None
    return cell.mean


def _seconds(row: Row, column_indices: Mapping[str, int]) -> float | None:
    parts = [row.cells[column_indices[f"{stage}_rtf_cpu"]].mean for stage in ("encode", "decode")]
    known = [part for part in parts if part]
    return sum(known) if known else None
