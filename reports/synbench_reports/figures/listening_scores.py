"""Scores of listening tests per condition, each kind of test on the axis of its own scale.

Systems stand in the order of their means. Reference, anchors and noise conditions are grey and
apart: they say how the scale was used, and are no competitors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from synbench_base.decimals import fixed
from synbench_reports.figures.style import (
    COLOURS,
    GREY,
    MARKERS,
    WIDTHS,
    new_figure,
    row_inches,
    sized,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Role = Literal["reference", "system", "anchor"]
ROW_INCHES = 0.27
# Rows between reference, systems and anchors.
GAP_ROWS = 0.5
BOX = "#c9d6e2"
GREY_BOX = "#dddddd"

__all__ = ["SCALES", "Scale", "Score", "identification_figure", "p_text", "paired_figure"]
__all__ += ["score_figure", "score_panels"]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """An axis: what it measures, from where to where, and the value that means no difference."""

    label: str
    low: float
    high: float
    step: float
    zero: float | None = None


SCALES: Mapping[str, Scale] = {
    "mushra": Scale(label="MUSHRA score", low=0, high=100, step=20),
    "mushra1s": Scale(label="MUSHRA-1S score", low=0, high=100, step=20),
    "acr": Scale(label="MOS (absolute category rating)", low=1, high=5, step=1),
    "dcr": Scale(label="DMOS (degradation category rating)", low=1, high=5, step=1),
    "effort": Scale(label="listening effort (5: none)", low=1, high=5, step=1),
    "transcription": Scale(label="words understood (%)", low=0, high=100, step=20),
    "bs1116": Scale(
        label="difference grade (object minus hidden reference)", low=-4, high=0, step=1, zero=0
    ),
    "ccr": Scale(label="CMOS (comparison category rating)", low=-3, high=3, step=1, zero=0),
}


@dataclass(frozen=True, kw_only=True)
class Score:
    """One condition: mean with its interval, and quartiles with median where they are known."""

    name: str
    mean: float
    low: float
    high: float
    role: Role = "system"
    box: tuple[float, float, float] | None = None


@styled
def score_figure(
    kind: str, scores: Sequence[Score], *, width: float = WIDTHS["double"], note: str = ""
) -> Figure:
    """A row per condition: a point with its 95 % interval, over the box of the quartiles.

    Args:
        kind: of the test; one that is not in :data:`SCALES` gets an axis by its values.
    """
    ordered = _in_order(scores)
    figure, axes = new_figure(
        width, 0.75 + row_inches(ROW_INCHES) * len(ordered) + 0.12 * bool(note)
    )
    _draw(axes, kind, ordered)
    boxes = any(score.box for score in ordered)
    _small_print(figure, f"mean, 95 % interval{'; box: quartiles, median' * boxes}", note)
    return figure


@styled
def score_panels(
    kind: str,
    groups: Mapping[str, Sequence[Score]],
    *,
    width: float = WIDTHS["double"],
    note: str = "",
) -> Figure:
    """A panel per item condition, the first one's order of systems in all of them."""
    order = [score.name for score in _in_order(next(iter(groups.values())))]
    order += [s.name for scores in groups.values() for s in scores if s.name not in order]
    order = list(dict.fromkeys(order))
    height = 0.95 + row_inches(ROW_INCHES) * len(order) + 0.12 * bool(note)
    figure, axes_of_groups = new_figure(width, height, columns=len(groups))
    panels = [axes_of_groups] if len(groups) == 1 else list(axes_of_groups)
    boxes = False
    for number, (axes, (title, scores)) in enumerate(zip(panels, groups.items(), strict=True)):
        ordered = sorted(scores, key=lambda score: order.index(score.name))
        _draw(axes, kind, ordered)
        axes.set_title(title, fontsize=sized(8))
        axes.set_xlabel("")
        if number:
            axes.set_yticklabels([])
        boxes = boxes or any(score.box for score in ordered)
    figure.supxlabel((SCALES.get(kind) or _scale_of(kind, scores)).label, fontsize=sized(8))
    small = f"mean, 95 % interval{'; box: quartiles, median' * boxes}"
    figure.suptitle("\n".join(filter(None, (note, small))), fontsize=sized(6), x=0.99, ha="right")
    return figure


def _draw(axes: Axes, kind: str, ordered: Sequence[Score]) -> None:
    rows = _rows(ordered)
    systems = [score.name for score in ordered if score.role == "system"]
    for row, score in zip(rows, ordered, strict=True):
        system_index = systems.index(score.name) if score.role == "system" else 0
        grey = score.role != "system"
        if score.box is not None:
            _box(axes, row, score.box, grey=grey)
        axes.errorbar(
            score.mean,
            row,
            xerr=[[score.mean - score.low], [score.high - score.mean]],
            fmt="D" if grey else MARKERS[system_index % len(MARKERS)],
            color=GREY if grey else COLOURS[system_index % len(COLOURS)],
            markersize=sized(4.5),
            capsize=2.5,
            linewidth=sized(1.1),
            zorder=3,
        )
    _names(axes, rows, ordered)
    scale = SCALES.get(kind) or _scale_of(kind, ordered)
    _set_scale(axes, scale, ordered)


@styled
def paired_figure(
    pairs: Sequence[tuple[str, str, float, float, float, float | None]],
    *,
    width: float = WIDTHS["double"],
    note: str = "",
) -> Figure:
    """CMOS between systems: a row per pair, first, second, mean, low, high, p over listeners."""
    figure, axes = new_figure(width, 0.8 + row_inches(ROW_INCHES) * len(pairs) + 0.12 * bool(note))
    for row, (_, _, mean, low, high, p) in enumerate(pairs):
        axes.errorbar(
            mean,
            row,
            xerr=[[mean - low], [high - mean]],
            fmt="o",
            color=COLOURS[0],
            markersize=sized(4.5),
            capsize=2.5,
            linewidth=sized(1.1),
        )
        if p is not None:
            axes.text(3.1, row, p_text(p), va="center", fontsize=sized(7))
    axes.set_yticks(range(len(pairs)), [f"{first} : {second}" for first, second, *_ in pairs])
    axes.set_ylim(len(pairs) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    _set_scale(axes, SCALES["ccr"], [])
    axes.set_xlabel("CMOS of the first relative to the second")
    _small_print(figure, "mean, 95 % interval over listeners", note)
    return figure


@styled
def identification_figure(
    rows: Sequence[tuple[str, float, float, float, float | None]],
    *,
    width: float = WIDTHS["double"],
    note: str = "",
) -> Figure:
    """ABX: a row per treatment: name, rate, low, high (0 to 1), p over listeners; chance 50 %."""
    figure, axes = new_figure(width, 0.8 + row_inches(ROW_INCHES) * len(rows) + 0.12 * bool(note))
    for row, (_, rate, low, high, p) in enumerate(rows):
        axes.errorbar(
            100 * rate,
            row,
            xerr=[[100 * (rate - low)], [100 * (high - rate)]],
            fmt="o",
            color=COLOURS[0],
            markersize=sized(4.5),
            capsize=2.5,
            linewidth=sized(1.1),
        )
        if p is not None:
            axes.text(102, row, p_text(p), va="center", fontsize=sized(7))
    axes.axvline(50, color="black", linewidth=0.9, linestyle="--", zorder=1)
    axes.text(50, -0.62, "chance", ha="center", va="bottom", fontsize=sized(7))
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    lowest = min([0.4, *(low for _, _, low, _, _ in rows)])
    axes.set_xlim(10 * int(10 * lowest), 100)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("X identified (% of the trials)")
    _small_print(figure, "95 % interval over trials; p over listeners, against 50 %", note)
    return figure


def p_text(p: float) -> str:
    """``p < 0.001`` where it is smaller: nobody's p is 0."""
    return "$p$ < 0.001" if p < 0.001 else f"$p$ = {fixed(p, 4)}"


def _in_order(scores: Sequence[Score]) -> list[Score]:
    falling = sorted(scores, key=lambda score: -score.mean)
    return [
        score
        for role in ("reference", "system", "anchor")
        for score in falling
        if score.role == role
    ]


def _rows(ordered: Sequence[Score]) -> list[float]:
    rows: list[float] = []
    for index, score in enumerate(ordered):
        apart = GAP_ROWS if index and ordered[index - 1].role != score.role else 0.0
        rows.append((rows[-1] + 1 + apart) if rows else 0.0)
    return rows


def _box(axes: Axes, row: float, box: tuple[float, float, float], *, grey: bool) -> None:
    first, median, third = box
    axes.barh(
        row,
        third - first,
        left=first,
        height=0.62,
        color=GREY_BOX if grey else BOX,
        edgecolor="none",
        zorder=1,
    )
    axes.plot(
        [median, median], [row - 0.31, row + 0.31], color="black", linewidth=sized(1.1), zorder=2
    )


def _names(axes: Axes, rows: Sequence[float], ordered: Sequence[Score]) -> None:
    axes.set_yticks(rows, [score.name for score in ordered])
    for label, score in zip(axes.get_yticklabels(), ordered, strict=True):
        if score.role != "system":
            label.set_color(GREY)
    axes.set_ylim(rows[-1] + 0.6, -0.6)
    axes.grid(axis="y", visible=False)


def _set_scale(axes: Axes, scale: Scale, scores: Sequence[Score]) -> None:
    low = min([scale.low, *(score.low for score in scores)])
    high = max([scale.high, *(score.high for score in scores)])
    margin = 0.02 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    count = round((scale.high - scale.low) / scale.step)
    axes.set_xticks([scale.low + k * scale.step for k in range(count + 1)])
    axes.set_xlabel(scale.label)
    if scale.zero is not None:
        axes.axvline(scale.zero, color="black", linewidth=0.9, linestyle="--", zorder=1)


def _scale_of(kind: str, scores: Sequence[Score]) -> Scale:
    low = min(score.low for score in scores)
    high = max(score.high for score in scores)
    step = max(1.0, round((high - low) / 5))
    return Scale(label=f"{kind} score", low=int(low), high=int(high) + 1, step=step)


def _small_print(figure: Figure, meaning: str, note: str) -> None:
    figure.supxlabel(meaning, x=0.99, ha="right", fontsize=sized(6), color=GREY)
    if note:
        figure.suptitle(note, fontsize=sized(7), x=0.99, ha="right")
