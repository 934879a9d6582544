"""How far metrics agree: rank correlations over items and over codecs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synbench.results.cells import Cells, Floats
from synbench.results.planned import PlannedRun
from synbench.statistics.clusters import weighted_means
from synbench_reports.figures.style import WIDTHS, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["metric_correlation", "spearman"]


def spearman(first: Floats, second: Floats) -> float:
    """Spearman's rank correlation over the places where both are finite; NaN without any spread."""
    known = np.isfinite(first) & np.isfinite(second)
    if np.count_nonzero(known) < 3:
        return float("nan")
    ranks = np.stack([_ranks(first[known]), _ranks(second[known])])
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.sqrt((ranks**2).sum(axis=1))
    return float(ranks[0] @ ranks[1] / norms.prod()) if norms.all() else float("nan")


@styled
def metric_correlation(
    planned: PlannedRun, cells: Cells, *, width: float = WIDTHS["double"]
) -> Figure:
    """Spearman's correlation of every pair of metrics, signs turned so that better means higher.

    Below the diagonal over all (item, codec), above it over the codecs' numbers in a table: means,
    error rates and distances of the corpus.
    """
    competitors = [
        codec_index for codec_index, codec in enumerate(planned.codecs) if not codec.is_anchor
    ]
    signs = np.array([-1.0 if metric.direction == "down" else 1.0 for metric in planned.metrics])
    values = cells.values[:, competitors, :] * signs
    count = len(planned.metrics)
    items = values.reshape(-1, count)
    sizes = cells.sizes[:, competitors, :].reshape(len(values), -1)
    means = weighted_means(values.reshape(len(values), -1), sizes).reshape(-1, count)
    distances = np.array([metric.is_distance for metric in planned.metrics])
    means = np.where(distances, cells.pooled[competitors] * signs, means)
    matrix = np.full((count, count), np.nan)
    for row in range(count):
        for column in range(count):
            source = items if row > column else means
            if row != column:
                matrix[row, column] = spearman(source[:, row], source[:, column])
    side = min(width, 1.4 + 0.55 * count)
    figure, axes = new_figure(side + 0.8, side)
    image = axes.imshow(matrix, cmap="cividis", vmin=-1, vmax=1)
    for (row, column), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            colour = "black" if value > 0 else "white"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)
    labels = [metric.label for metric in planned.metrics]
    axes.set_xticks(range(count), labels, rotation=40, ha="right")
    axes.set_yticks(range(count), labels)
    axes.grid(visible=False)
    axes.set_title(
        f"Spearman; below: {len(items)} items \N{MULTIPLICATION SIGN} codecs,\n"
        f"above: {len(competitors)} codecs",
        fontsize=7,
    )
    figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def _ranks(values: Floats) -> Floats:
    """Mean ranks from 1; equal values share theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Floats = (ends - (counts - 1) / 2)[inverse]
    return ranks
