"""How far metrics agree: rank correlations over items and over codecs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synbench.results.cells import Cells, Floats
from synbench.results.planned import PlannedRun
from synbench.statistics.clusters import weighted_means
from synbench_base.decimals import fixed
from synbench_reports.figures.style import WIDTHS, new_figure, sized, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["correlations", "metric_correlation", "spearman"]


def spearman(first: Floats, second: Floats) -> float:
    """Spearman's rank correlation over the places where both are finite; NaN without any spread."""
    known = np.isfinite(first) & np.isfinite(second)
    if np.count_nonzero(known) < 3:
        return float("nan")
    return float(_standard(first[known]) @ _standard(second[known]))


def correlations(planned: PlannedRun, cells: Cells) -> tuple[Floats, Floats]:
    """Of every pair of metrics, signs turned so that better means higher; anchors take no part.

    Returns:
        Over all (item, codec), and over the codecs' numbers in a table: means, error rates and
        distances of the corpus. Both have the shape ``(metric, metric)``, NaN on the diagonal.
    """
    competitors = _competitors(planned)
    signs = np.array([-1.0 if metric.direction == "down" else 1.0 for metric in planned.metrics])
    values = cells.values[:, competitors, :] * signs
    count = len(planned.metrics)
    sizes = cells.sizes[:, competitors, :].reshape(len(values), -1)
    means = weighted_means(values.reshape(len(values), -1), sizes).reshape(-1, count)
    distances = np.array([metric.is_distance for metric in planned.metrics], dtype=bool)
    means = np.where(distances, cells.pooled[competitors] * signs, means)
    return _matrix(values.reshape(-1, count)), _matrix(means)


def _matrix(values: Floats) -> Floats:
    """Spearman's correlation of the columns."""
    count = values.shape[1]
    matrix = np.full((count, count), np.nan)
    known = np.isfinite(values)
    # Ranks are dear: where columns are known in the same rows, each is ranked once.
    ranked = {
        column: _standard(values[known[:, column], column])
        for column in range(count)
        if known[:, column].sum() >= 3
    }
    for row in range(count):
        for column in range(row):
            if row in ranked and np.array_equal(known[:, row], known[:, column]):
                rho = float(ranked[row] @ ranked[column])
            else:
                rho = spearman(values[:, row], values[:, column])
            matrix[row, column] = matrix[column, row] = rho
    return matrix


def _standard(values: Floats) -> Floats:
    """Ranks with mean 0 and norm 1; NaN without any spread."""
    ranks = _ranks(values)
    ranks -= ranks.mean()
    norm = np.sqrt(ranks @ ranks)
    standard: Floats = ranks / norm if norm > 0 else np.full_like(ranks, np.nan)
    return standard


def _competitors(planned: PlannedRun) -> list[int]:
    return [codec_index for codec_index, codec in enumerate(planned.codecs) if not codec.is_anchor]


@styled
def metric_correlation(
    planned: PlannedRun, cells: Cells, *, width: float = WIDTHS["double"]
) -> Figure:
    """Spearman's correlation of every pair of metrics, signs turned so that better means higher.

    Below the diagonal over all (item, codec), above it over the codecs' numbers in a table: means,
    error rates and distances of the corpus.
    """
    items, means = correlations(planned, cells)
    count, competitors = len(planned.metrics), _competitors(planned)
    count_items = len(cells.values) * len(competitors)
    below = np.tri(count, k=-1, dtype=bool)
    matrix = np.where(below, items, np.where(below.T, means, np.nan))
    side = min(width, 1.4 + 0.55 * count)
    figure, axes = new_figure(side + 0.8, side)
    image = axes.imshow(matrix, cmap="cividis", vmin=-1, vmax=1)
    for (row, column), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            colour = "black" if value > 0 else "white"
            axes.text(column, row, fixed(value, 2), ha="center", va="center", color=colour)
    labels = [metric.label for metric in planned.metrics]
    axes.set_xticks(range(count), labels, rotation=40, ha="right")
    axes.set_yticks(range(count), labels)
    axes.grid(visible=False)
    axes.set_title(
        f"Spearman; below: {count_items} items \N{MULTIPLICATION SIGN} codecs,\n"
        f"above: {len(competitors)} codecs",
        fontsize=sized(7),
    )
    figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def _ranks(values: Floats) -> Floats:
    """Mean ranks from 1; equal values share theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Floats = (ends - (counts - 1) / 2)[inverse]
    return ranks
