"""Curves of a metric against the strength of a condition, one line a codec, with 95 % bands."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from synbench.statistics.means import FEWEST_CLUSTERS
from synbench_reports.figures.style import (
    COLOURS,
    LINES,
    MARKERS,
    name_score_axis,
    new_figure,
    outside_legend,
    sized,
    styled,
)
from synbench_reports.tables.robustness import Drop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What lies on the horizontal axis, by the beginning of the group; a ratio in dB otherwise.
AXES = {
    "reverb": "reverberation time (s)",
    "level": "change of level (dB)",
    "clipped": "share of clipped samples",
    "low-pass": "low-pass filter (Hz)",
    "resampled": "resampled from (Hz)",
    "frame loss": "share of 20 ms slots lost",
    "bit errors": "bit error rate",
    "token errors": "share of tokens replaced",
    "dropped books": "last codebooks dropped",
    "tandem": "passes through the codec",
}
# So many strengths are ticks of their own.
MOST_TICKS = 8
LOGARITHMIC = ("bit errors", "token errors")

__all__ = ["condition_axis", "robustness_curves"]


def robustness_curves(lines: Iterable[Drop], *, width: float) -> Iterator[tuple[str, Figure]]:
    """A figure for each corpus, metric and kind of condition that has at least two strengths.

    Yields:
        A name such as ``speech-stoi-babble`` and the figure; ``width`` is in inches.
    """
    keyed = sorted(
        (line for line in lines), key=lambda line: (line.corpus, line.metric.column, line.group)
    )
    by_metric = itertools.groupby(keyed, lambda line: (line.corpus, line.metric.column))
    for (corpus, column), part in by_metric:
        of_metric = list(part)
        clean = {line.codec: line for line in of_metric if not line.group}
        for group, members in itertools.groupby(of_metric, lambda line: line.group):
            points = [line for line in members if line.value is not None]
            if group and len({line.value for line in points}) > 1:
                yield f"{corpus}-{column}-{group}", _curves(group, points, clean, width=width)


@styled
def _curves(group: str, points: list[Drop], clean: dict[str, Drop], *, width: float) -> Figure:
    figure, axes = new_figure(width, 0.62 * width)
    for number, codec in enumerate(dict.fromkeys(line.codec for line in points)):
        own = sorted((line for line in points if line.codec == codec), key=_x)
        own = [line for line in own if not math.isnan(line.number)]
        colour = COLOURS[number % len(COLOURS)]
        positions = [_x(line) for line in own]
        axes.plot(
            positions,
            [line.number for line in own],
            LINES[number // len(COLOURS) % len(LINES)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=sized(3.5),
            linewidth=sized(1.2),
            color=colour,
            label=codec,
        )
        # A point of fewer items, whose other streams a decoder refused, is hollow.
        fewer = [line for line in own if line.items < line.planned]
        axes.plot(
            [_x(line) for line in fewer],
            [line.number for line in fewer],
            MARKERS[number % len(MARKERS)],
            markersize=sized(3.5),
            color=colour,
            markerfacecolor="white",
        )
        sure = [line for line in own if line.items >= FEWEST_CLUSTERS]
        axes.fill_between(
            [_x(line) for line in sure],
            [line.low for line in sure],
            [line.high for line in sure],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
        if codec in clean and not math.isnan(clean[codec].number):
            axes.axhline(clean[codec].number, color=colour, linewidth=0.6, linestyle=(0, (1, 3)))
    _label(axes, group, points[0], sorted({_x(line) for line in points}))
    outside_legend(figure, axes, width, title="dotted: clean, hollow: fewer items")
    return figure


def _x(line: Drop) -> float:
    assert line.value is not None
    return line.value


def condition_axis(group: str) -> str:
    """What the strength of a kind of condition is, with its unit."""
    return _named(group) or f"{group}: speech to noise (dB, active speech level)"


def _named(group: str) -> str | None:
    return next((text for start, text in AXES.items() if group.startswith(start)), None)


def _label(axes: Any, group: str, line: Drop, values: Sequence[float]) -> None:
    metric = line.metric
    name_score_axis(axes.yaxis, metric)
    axes.set_xlabel(condition_axis(group))
    if group in LOGARITHMIC:
        axes.set_xscale("log")
    elif len(values) <= MOST_TICKS:
        axes.set_xticks(values, [f"{value:g}" for value in values])
    if _named(group) is None:
        axes.invert_xaxis()  # the cleaner end at the left, as on every other axis
