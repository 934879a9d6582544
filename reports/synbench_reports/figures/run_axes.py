"""One figure of a run as matplotlib axes, for ``synbench.open``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synbench.errors import UsageError
from synbench.results.cells import Cells, Store
from synbench.results.planned import PlannedCorpus, PlannedRun
from synbench_reports.commands.figures import require_matplotlib
from synbench_reports.figures import rows as drawn
from synbench_reports.figures.correlation import metric_correlation
from synbench_reports.tables.build_report import build_table, select

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["run_axes"]


def run_axes(
    planned: PlannedRun,
    kind: str,
    *,
    metric: str | None,
    corpus: str | None,
    shape: drawn.Spread = "box",
) -> Axes:
    """Draw one figure; ``axes.figure`` saves it.

    Args:
        kind: ``rate_quality``, ``score_spread``, ``speaker_spread``, ``quality_cost`` or
            ``correlation``.
        metric: its column; none for a correlation.
        corpus: may be left out where the run has one.
        shape: of a spread.

    Raises:
        UsageError: no such metric or corpus, several corpora and none named, or no matplotlib.
    """
    require_matplotlib()
    names = [entry.name for entry in planned.corpora]
    if corpus is None and len(names) > 1:
        raise UsageError(f"the run has several corpora: name one as corpus=, of {', '.join(names)}")
    planned = select(planned, corpus=corpus, metrics=() if metric is None else (metric,))
    shown_corpora = list(Store(planned).corpora())
    if not shown_corpora:
        raise UsageError(
            f"{planned.corpora[0].name} has no damaged input, so no scores against it; "
            "name a corpus under noise or the like"
        )
    ((narrowed, entry, cells),) = shown_corpora
    figure = _figure(narrowed, entry, cells, kind, shape)
    axes: Axes = figure.axes[0]
    return axes


def _figure(
    planned: PlannedRun, corpus: PlannedCorpus, cells: Cells, kind: str, shape: drawn.Spread
) -> Figure:
    if kind == "correlation":
        return metric_correlation(planned, cells)
    if kind == "score_spread":
        return drawn.score_spread(planned, cells, 0, kind=shape)
    if kind == "speaker_spread":
        return drawn.speaker_spread(planned, cells, 0)
    table = build_table(planned, corpus, cells)
    draw = {"rate_quality": drawn.rate_quality, "quality_cost": drawn.quality_complexity}[kind]
    return draw(table, planned.metrics[0].column)
