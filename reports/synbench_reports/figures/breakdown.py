"""Which sounds suffer: spectral distance in voiced, unvoiced and silent frames, per codec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synbench.results.cells import Cells, Floats
from synbench.results.planned import PlannedRun
from synbench.results.stored_files import ItemFiles, even_choice, item_files
from synbench.statistics.means import estimate_means
from synbench_reports.figures.style import (
    COLOURS,
    MARKERS,
    WIDTHS,
    new_figure,
    row_inches,
    sized,
    styled,
)
from synbench_reports.figures.voicing import CLASSES, class_distances, classify
from synbench_reports.render.layout import ARROWS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ITEMS = 40

__all__ = ["MOST_ITEMS", "item_distances", "measured_distances", "voicing_breakdown"]


@styled
def voicing_breakdown(
    planned: PlannedRun,
    corpus: str,
    cells: Cells,
    *,
    items: int = MOST_ITEMS,
    width: float = WIDTHS["double"],
) -> Figure:
    """Mean distance per class with its 95 % interval, measured on the stored reconstructions.

    Args:
        items: at most this many, evenly spread over the corpus.
    """
    chosen = even_choice(len(cells.seconds), items)
    distances = measured_distances(planned, corpus, chosen)
    count, codecs, classes = distances.shape
    clusters = None
    if cells.speakers is not None:
        clusters = np.unique(cells.speakers[chosen], return_inverse=True)[1].astype(np.int64)
        clusters = clusters if clusters.max(initial=0) > 0 else None
    estimates = estimate_means(distances.reshape(count, codecs * classes), clusters=clusters)
    figure, axes = new_figure(width, 0.75 + row_inches(0.28) * codecs)
    for class_index, name in enumerate(CLASSES):
        cell = np.arange(codecs) * classes + class_index
        rows = np.arange(codecs) + (class_index - 1) * 0.22
        low, high = (
            estimates.mean[cell] - estimates.low[cell],
            estimates.high[cell] - estimates.mean[cell],
        )
        axes.errorbar(
            estimates.mean[cell],
            rows,
            xerr=np.nan_to_num(np.maximum([low, high], 0)),
            fmt=MARKERS[class_index],
            color=COLOURS[class_index],
            markersize=sized(4),
            capsize=2,
            label=name,
        )
    axes.set_yticks(range(codecs), [codec.label for codec in planned.codecs])
    axes.set_ylim(codecs - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"log spectral distance (dB, {count} items) {ARROWS['down']}")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def measured_distances(planned: PlannedRun, corpus: str, chosen: list[int]) -> Floats:
    """Distances in dB, shape ``(item, codec, class)``; NaN where a file or a class is absent."""
    files = item_files(planned, corpus)
    measured = [item_distances(files[item_index]) for item_index in chosen]
    shape = (len(chosen), len(planned.codecs), len(CLASSES))
    return np.array(measured, dtype=np.float64).reshape(shape)


def item_distances(item: ItemFiles) -> Floats:
    """Distances in dB of one item, shape ``(codec, class)``, likewise."""
    from synbench.audio import read_audio
    from synbench.errors import SynbenchError
    from synbench.policy import read_reference

    distances = np.full((len(item.reconstructions), len(CLASSES)), np.nan)
    if item.source is None:
        return distances
    try:
        reference, sample_rate = read_reference(item.source, target_rate=item.target_rate)
    except SynbenchError:
        return distances
    classes = classify(reference, sample_rate)
    for codec_index, file in enumerate(item.reconstructions):
        try:
            audio = None if file is None else read_audio(file)
        except SynbenchError:
            continue
        if audio is not None and audio.wave.shape == reference.shape:
            measured = class_distances(reference, audio.wave, sample_rate, classes)
            distances[codec_index] = measured.distances
    return distances
