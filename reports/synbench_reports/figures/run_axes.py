"""One figure of a run as matplotlib axes, for ``synbench.open``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synbench.errors import UsageError
from synbench.results.cells import Cells, Store
from synbench.results.planned import PlannedCorpus, PlannedRun
from synbench_reports.commands.figures import require_matplotlib
from synbench_reports.figures import rows as drawn
from synbench_reports.figures.correlation import metric_correlation
from synbench_reports.figures.robustness import robustness_curves
from synbench_reports.figures.style import WIDTHS
from synbench_reports.tables.build_report import build_table, select
from synbench_reports.tables.robustness import drops

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["robustness_axes", "run_axes"]


def run_axes(
    planned: PlannedRun,
    kind: str,
    *,
    metric: str | None,
    corpus: str | None,
    shape: drawn.Spread = "box",
    by_speaker: bool = False,
) -> Axes:
    """Draw one figure; ``axes.figure`` saves it.

    Args:
        kind: ``rate_quality``, ``score_spread``, ``speaker_spread``, ``quality_cost`` or
            ``correlation``.
        metric: its column; none for a correlation.
        corpus: may be left out where the run has one.
        shape: of a spread.
        by_speaker: a spread is over the numbers of speakers, not over the scores of items.

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
    figure = _figure(narrowed, entry, cells, kind, shape, by_speaker=by_speaker)
    axes: Axes = figure.axes[0]
    return axes


def robustness_axes(
    planned: PlannedRun, metric: str, group: str, *, corpus: str | None = None
) -> Axes:
    """The curves of a metric against the strength of one kind of condition.

    Args:
        group: what the condition varies, such as ``babble`` or ``bit errors``.
        corpus: as recorded; the first where not given.

    Raises:
        UsageError: the run has no such metric, or not two strengths of such a condition.
    """
    require_matplotlib()
    clean = [entry.name for entry in planned.corpora if not entry.clean]
    wanted = clean[0] if corpus is None else corpus
    lines = [line for line in drops(planned) if line.corpus == wanted]
    known = dict.fromkeys(line.group for line in lines if line.group)
    chosen = [line for line in lines if line.metric.column == metric and line.group in ("", group)]
    for _, figure in robustness_curves(chosen, width=WIDTHS["double"]):
        axes: Axes = figure.axes[0]
        return axes
    raise UsageError(
        f"{wanted} has no curve of {metric!r} over {group!r}; its conditions: "
        f"{', '.join(known) or 'none'}"
    )


def _figure(
    planned: PlannedRun,
    corpus: PlannedCorpus,
    cells: Cells,
    kind: str,
    shape: drawn.Spread,
    *,
    by_speaker: bool,
) -> Figure:
    if kind == "correlation":
        return metric_correlation(planned, cells)
    if kind == "score_spread":
        return drawn.score_spread(planned, cells, 0, kind=shape, by_speaker=by_speaker)
    if kind == "speaker_spread":
        return drawn.speaker_spread(planned, cells, 0)
    table = build_table(planned, corpus, cells)
    column = planned.metrics[0].column
    if kind == "quality_cost" and not drawn.has_costs(table, column):
        raise UsageError("fewer than two codecs have a measured cost and a score: nothing to draw")
    draw = {"rate_quality": drawn.rate_quality, "quality_cost": drawn.quality_complexity}[kind]
    return draw(table, column)
