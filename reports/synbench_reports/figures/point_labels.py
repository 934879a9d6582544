"""Names beside the points of a figure, each where it hides neither a point nor another name."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from synbench_reports.figures.style import GREY, keep_inside, sized

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Where a name may stand, best first: sides of the point that it is on, right and up being 1.
SIDES = ((1, -1), (1, 1), (-1, 1), (-1, -1), (0, 1), (0, -1))
ALIGNMENTS: dict[int, Literal["left", "center", "right"]] = {-1: "right", 0: "center", 1: "left"}
HEIGHTS: dict[int, Literal["bottom", "top"]] = {-1: "top", 1: "bottom"}
# A name that leaves the axes is worse than one that touches a point.
OUTSIDE = 10.0
# Heights of a line by which a name may stand higher or lower, with a thin line to its point; each
# of them is as bad as to hide so much of the name.
LIFTS = (0.0, 1.2, -1.2, 2.4, -2.4, 3.6, -3.6)
DISTANCE = 0.04
# Between a name and the level of its point, in points.
GAP = 2.0

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in pixels."""

__all__ = ["PointLabel", "label_points"]


@dataclass(frozen=True, kw_only=True)
class PointLabel:
    """A name and its point, in data units; the radius of the marker is in points."""

    text: str
    x: float
    y: float
    radius: float


def label_points(
    axes: Axes, labels: Sequence[PointLabel], *, steps: Sequence[tuple[float, float]] = ()
) -> None:
    """Write the names; to be called when scales and limits are as they will be.

    Args:
        steps: corners of a line of horizontal and vertical parts that names should not cross.
    """
    figure: Any = axes.figure
    written = [
        axes.annotate(
            label.text,
            (label.x, label.y),
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=sized(6.2),
        )
        for label in labels
    ]
    keep_inside(figure)  # it may need another line, which moves every point
    figure.draw_without_rendering()
    pixels = figure.dpi / 72
    spots = [tuple(axes.transData.transform((label.x, label.y))) for label in labels]
    inside = axes.get_window_extent()
    taken: list[Box] = [
        _around(x, y, label.radius * pixels) for (x, y), label in zip(spots, labels, strict=True)
    ]
    corners = [tuple(axes.transData.transform(corner)) for corner in steps]
    taken += [
        (min(a, c) - 1, min(b, d) - 1, max(a, c) + 1, max(b, d) + 1)
        for (a, b), (c, d) in itertools.pairwise(corners)
    ]
    for number, (text, label, (x, y)) in enumerate(zip(written, labels, spots, strict=True)):
        size = text.get_window_extent()
        others = [box for index, box in enumerate(taken) if index != number]
        boxes = {
            (side, lift): _lifted(
                _beside(x, y, side, size.width, size.height, label.radius * pixels, GAP * pixels),
                lift * size.height,
            )
            for lift in LIFTS
            for side in SIDES
        }
        area = size.width * size.height

        def badness(
            side_and_lift: tuple[tuple[int, int], float],
            boxes: Mapping[tuple[tuple[int, int], float], Box] = boxes,
            others: Sequence[Box] = others,
            area: float = area,
        ) -> float:
            hidden = sum(_shared(boxes[side_and_lift], other) for other in others)
            outside = OUTSIDE * _beyond(boxes[side_and_lift], tuple(inside.extents))
            return hidden + outside + DISTANCE * area * abs(side_and_lift[1])

        side, lift = min(boxes, key=badness)
        left, bottom, right, top = boxes[side, lift]
        taken.append((left, bottom, right, top))
        text.set_horizontalalignment(ALIGNMENTS[side[0]])
        text.set_verticalalignment(HEIGHTS[side[1]])
        at = {-1: right, 0: (left + right) / 2, 1: left}[side[0]]
        level = {-1: top, 1: bottom}[side[1]]
        offset = ((at - x) / pixels, (level - y) / pixels)
        text.set_position(offset)
        if lift:
            axes.annotate(
                "",
                (label.x, label.y),
                xytext=(offset[0], offset[1] - side[1] * GAP),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": GREY, "shrinkA": 0},
            )


def _lifted(box: Box, by: float) -> Box:
    return box[0], box[1] + by, box[2], box[3] + by


def _beside(
    x: float,
    y: float,
    side: tuple[int, int],
    width: float,
    height: float,
    radius: float,
    gap: float,
) -> Box:
    right, up = side
    if right:
        left = x + radius if right > 0 else x - radius - width
        away = 0.15 * radius + gap
        bottom = y + away if up > 0 else y - away - height
    else:
        left = x - width / 2
        bottom = y + radius if up > 0 else y - radius - height
    return left, bottom, left + width, bottom + height


def _around(x: float, y: float, radius: float) -> Box:
    return x - radius, y - radius, x + radius, y + radius


def _shared(first: Box, second: Box) -> float:
    """Area in square pixels that two boxes share."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(0.0, width) * max(0.0, height)


def _beyond(box: Box, frame: Sequence[float]) -> float:
    """Area of a box outside a frame."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    return area - _shared(box, (frame[0], frame[1], frame[2], frame[3]))
