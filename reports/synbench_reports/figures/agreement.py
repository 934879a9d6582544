"""Mean ratings over mean scores, one panel per metric, one point per condition."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synbench.statistics.agreement import coefficient
from synbench_base.decimals import fixed
from synbench_reports.figures.style import WIDTHS, new_figure, sized, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL_HEIGHT = 1.9

__all__ = ["ratings_over_metrics"]


@styled
def ratings_over_metrics(
    ratings: NDArray[np.float64],
    metrics: Mapping[str, NDArray[np.float64]],
    conditions: Sequence[str],
) -> Figure:
    """Ratings (listeners, items, conditions) over each metric (items, conditions)."""
    count = len(metrics)
    figure, axes = new_figure(WIDTHS["double"], PANEL_HEIGHT, columns=count)
    for panel, (name, values) in zip(np.atleast_1d(axes), metrics.items(), strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            rated, scored = np.nanmean(ratings, (0, 1)), np.nanmean(values, 0)
        panel.plot(scored, rated, "o", markersize=sized(3))
        for at, condition in enumerate(conditions):
            if np.isfinite(rated[at]) and np.isfinite(scored[at]):
                panel.annotate(condition, (scored[at], rated[at]), fontsize=sized(4))
        both = np.isfinite(rated) & np.isfinite(scored)
        panel.set_title(
            f"r = {fixed(coefficient('pearson', rated[both], scored[both]), 2)}", fontsize=sized(7)
        )
        panel.set_xlabel(name)
    np.atleast_1d(axes)[0].set_ylabel("mean rating")
    return figure
