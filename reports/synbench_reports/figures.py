"""Vector figures of a run: quality against bit rate with intervals, and scores per codec as boxes.

Colours are those of Okabe and Ito, told apart by colour-blind readers; every codec has a marker of
its own too, so a grey print can be read. The same rows give the same bytes.

Reference
    M. Okabe, K. Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from synbench_reports.cells import Cells
from synbench_reports.planned import PlannedRun
from synbench_reports.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Form = Literal["svg", "pdf"]
# Widths in inches of one and of two columns of a conference paper.
WIDTHS = {"single": 3.5, "double": 7.16}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "osD^vP*X<>hd"
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "svg.hashsalt": "synbench",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}

__all__ = ["WIDTHS", "Form", "box_plot", "rate_quality", "saved"]


def rate_quality(table: Table, column_name: str, *, width: float = WIDTHS["double"]) -> Figure:
    """Means with their intervals over the payload rate, or the nominal one where none is counted.

    Codecs with neither rate, such as the uncoded reference, are horizontal lines.

    Args:
        width: in inches.
    """
    places = {column.name: place for place, column in enumerate(table.columns)}
    column = table.columns[places[column_name]]
    figure, axes = _figure(width, 0.5 * width)
    for number, row in enumerate(table.rows):
        cell = row.cells[places[column_name]]
        payload = row.cells[places["payload_kbps"]].mean
        rate = payload if payload is not None else row.cells[places["nominal_kbps"]].mean
        if cell.mean is None:
            continue
        colour = COLOURS[number % len(COLOURS)]
        if row.codec.is_anchor or not rate:
            axes.axhline(cell.mean, color="#777777", linestyle="--", linewidth=0.8)
            axes.annotate(
                row.codec.label, (0.01, cell.mean), xycoords=("axes fraction", "data"), va="bottom"
            )
            continue
        ends = None
        if cell.low is not None and cell.high is not None:
            ends = [[max(cell.mean - cell.low, 0)], [max(cell.high - cell.mean, 0)]]
        marker = MARKERS[number % len(MARKERS)]
        axes.errorbar(
            [rate], [cell.mean], ends, fmt=marker, color=colour, capsize=2, label=row.codec.label
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("bit rate in kbit/s")
    axes.set_ylabel(f"{column.label} {f'({column.unit})' if column.unit else ''}".strip())
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return figure


def box_plot(
    planned: PlannedRun, cells: Cells, metric: int, *, width: float = WIDTHS["double"]
) -> Figure:
    """The scores of all items per codec: median, quartiles, whiskers of 1.5 times their distance.

    Args:
        metric: place on the metric axis.
        width: in inches.
    """
    scores = [cells.values[:, codec, metric] for codec in range(len(planned.codecs))]
    known = [values[np.isfinite(values)] for values in scores]
    figure, axes = _figure(width, 0.35 + 0.24 * len(known) + 0.4)
    axes.boxplot(
        known,
        orientation="horizontal",
        widths=0.6,
        flierprops={"marker": ".", "markersize": 3},
        medianprops={"color": COLOURS[1], "linewidth": 1.5},
    )
    axes.set_yticklabels([codec.label for codec in planned.codecs])
    axes.invert_yaxis()
    found = planned.metrics[metric]
    axes.set_xlabel(f"{found.label} {f'({found.unit})' if found.unit else ''}".strip())
    return figure


def saved(figure: Figure, form: Form) -> bytes:
    """The figure as the bytes of a file, without the time of writing."""
    import matplotlib

    target = io.BytesIO()
    moment = {"svg": "Date", "pdf": "CreationDate"}[form]
    with matplotlib.rc_context(STYLE):
        figure.savefig(target, format=form, bbox_inches="tight", metadata={moment: None})
    return target.getvalue()


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    """A figure apart from any window or global state."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        return figure, figure.add_subplot()
