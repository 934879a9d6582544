"""How figures look, and how they become files.

Colours are those of Okabe and Ito, told apart by colour-blind readers; every system has a marker,
a line style or a hatch of its own too, so a grey print can be read. The same rows give the same
bytes: nothing random, no time of writing.

Reference
    M. Okabe, K. Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

import contextlib
import functools
import io
import textwrap
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

from synbench.errors import UsageError
from synbench_base.files import complete_file
from synbench_reports.render.layout import ARROWS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from synbench.results.planned import PlannedMetric
    from synbench_reports.tables.table import Column

P = ParamSpec("P")
Form = Literal["svg", "pdf", "png"]
FORMS: tuple[Form, ...] = ("svg", "pdf", "png")
# Widths in inches of one and of two columns of a conference paper.
WIDTHS = {"single": 3.35, "double": 7.0}
# Narrower figures have their legend below.
NARROW_INCHES = 5.0
LEGEND_ROW_INCHES = 0.16
# Slides are read from the last row: the same inches, wider, with letters and lines twice as large.
SLIDE_INCHES = 10.0
SLIDE_ROWS = 1.6
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "osD^vP*X<>hd"
LINES = ("-", "--", "-.", ":")
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "+++", "ooo")
GREY = "#6b6b6b"
DOTS_PER_INCH = 200
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "svg.hashsalt": "synbench",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}

SLIDE: dict[Any, Any] = {
    "font.size": 16,
    "axes.linewidth": 1.4,
    "lines.linewidth": 2.4,
    "lines.markersize": 10,
    "xtick.major.width": 1.4,
    "ytick.major.width": 1.4,
    "legend.fontsize": 14,
}
Look = Literal["paper", "slide"]
_LOOK: ContextVar[Look] = ContextVar("look of figures", default="paper")

__all__ = [
    "COLOURS",
    "GREY",
    "HATCHES",
    "LINES",
    "MARKERS",
    "NARROW_INCHES",
    "SLIDE_INCHES",
    "WIDTHS",
    "Form",
    "Look",
    "form_of",
    "is_slide",
    "keep_inside",
    "label_of",
    "looking",
    "name_score_axis",
    "new_figure",
    "outside_legend",
    "row_inches",
    "saved",
    "sized",
    "styled",
    "write_figure",
]


def new_figure(width: float, height: float, *, columns: int = 1) -> tuple[Figure, Any]:
    """A figure apart from any window or global state, and its axes; sizes in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


@contextlib.contextmanager
def looking(look: Look) -> Iterator[None]:
    """Figures drawn within are for a paper or for slides."""
    token = _LOOK.set(look)
    try:
        yield
    finally:
        _LOOK.reset(token)


def is_slide() -> bool:
    """Whether figures are drawn for slides now."""
    return _LOOK.get() == "slide"


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """A function that draws, with the style of this module around it and nothing left behind."""

    @functools.wraps(draw)
    def drawn(*arguments: P.args, **options: P.kwargs) -> Figure:
        import matplotlib

        with matplotlib.rc_context(STYLE | (SLIDE if is_slide() else {})):
            figure = draw(*arguments, **options)
            keep_inside(figure)
            return figure

    return drawn


def sized(points: float) -> float:
    """A size of letters, markers or lines in points: twice that of a paper on slides."""
    return 2 * points if is_slide() else points


def row_inches(paper: float) -> float:
    """Height of a row of a figure that has names at its left: more with the letters of slides."""
    return SLIDE_ROWS * paper if is_slide() else paper


def outside_legend(figure: Figure, axes: Any, width: float, *, title: str | None = None) -> None:
    """The legend beside the axes, or below those of one column, which makes the figure higher."""
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    small = {"title": title, "title_fontsize": "small"}
    if width >= NARROW_INCHES:
        figure.legend(handles, labels, loc="outside right center", **small)
        return
    rows = -(-len(labels) // 2) + bool(title)
    figure.set_figheight(figure.get_figheight() + LEGEND_ROW_INCHES * (rows + 0.5))
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize="small", **small)


def keep_inside(figure: Figure) -> None:
    """Names of horizontal axes that would leave the figure end with it, in two lines if need be."""
    figure.draw_without_rendering()
    room = figure.bbox.width
    for axes in figure.axes:
        label = axes.xaxis.label
        extent = label.get_window_extent()
        if not label.get_text() or (extent.x0 >= 0 and extent.x1 <= room):
            continue
        end = axes.get_window_extent().x1
        if extent.width > end:
            letters = int(len(label.get_text()) * end / extent.width) - 1
            label.set_text(textwrap.fill(label.get_text(), max(letters, 10)))
            figure.draw_without_rendering()
            extent = label.get_window_extent()
        if extent.x0 < 0 or extent.x1 > room:
            label.set_horizontalalignment("right")
            label.set_x(1.0)


def label_of(label: str, unit: str, direction: str = "") -> str:
    """``PESQ-WB (MOS) ↑``; the arrow says which way is better."""
    parts = (label, f"({unit})" if unit else "", ARROWS.get(direction, ""))
    return " ".join(filter(None, parts))


def name_score_axis(axis: Any, shown: Column | PlannedMetric, *, detail: str = "") -> None:
    """Name an axis after a metric. Error rates, which are drawn as shares, read in per cent."""
    unit = "%" if shown.is_share else shown.unit
    axis.set_label_text(label_of(shown.label, unit, shown.direction) + detail)
    if shown.is_share:
        axis.set_major_formatter(lambda value, _: f"{100 * value:g}")


def saved(figure: Figure, form: Form) -> bytes:
    """The figure as the bytes of a file, without the time of writing."""
    import matplotlib

    target = io.BytesIO()
    moment = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[form]
    with matplotlib.rc_context(STYLE):
        figure.savefig(target, format=form, metadata=moment, dpi=DOTS_PER_INCH)
    return target.getvalue()


def form_of(path: Path) -> Form:
    """The form that a file's name asks for.

    Raises:
        UsageError: none of those that can be written.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in FORMS:
        raise UsageError(f"expected a name that ends in .{', .'.join(FORMS)}, got {path.name}")
    return form


def write_figure(figure: Figure, path: Path) -> None:
    """Write a complete file in the form that its name asks for."""
    data = saved(figure, form_of(path))
    with complete_file(path) as target:
        target.write(data)
