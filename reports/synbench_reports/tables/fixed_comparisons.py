"""The comparisons that a suite fixed before it ran: one small family, and what it could have seen.

Beside difference, interval and test as in :mod:`synbench_reports.tables.codec_pairs`, each has the
smallest difference that this design detects, and may be set in relation to another difference:
what part of the possible gain a codec reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synbench.results.cells import Cells
from synbench.results.planned import PlannedComparison, PlannedRun
from synbench.statistics.means import FEWEST_CLUSTERS
from synbench.statistics.multiplicity import SIGNIFICANCE
from synbench.statistics.paired_tests import Test
from synbench.statistics.power import smallest_detectable
from synbench.statistics.ratios import shares_of_differences
from synbench_reports.tables.codec_pairs import CodecPair, pairs_of

__all__ = ["Fixed", "Share", "fixed_comparisons"]


@dataclass(frozen=True, kw_only=True)
class Share:
    """A difference as a share of another one, with its 95 % interval; NaN where it has none.

    A difference whose own 95 % interval holds zero has no shares.
    """

    of: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """One comparison of the family.

    Attributes:
        asks: the question, as the suite puts it.
        missing: labels that the run does not hold; then there is no ``pair``.
        detectable: smallest true difference found four times in five at the level that Holm's
            correction leaves to the family's smallest p.
        share: where the suite asks for one.
    """

    asks: str
    missing: tuple[str, ...] = ()
    pair: CodecPair | None = None
    detectable: float = float("nan")
    share: Share | None = None


def fixed_comparisons(
    planned: PlannedRun, cells: Cells, metric: int, *, test: Test = "corrected_t"
) -> list[Fixed]:
    """The family on one metric, in the suite's order; a distance of a whole corpus has none."""
    if planned.metrics[metric].is_distance:
        return []
    codec_indices = {codec.label: codec_index for codec_index, codec in enumerate(planned.codecs)}
    known = [one for one in planned.comparisons if not _missing(one.labels, codec_indices)]
    chosen = [(codec_indices[one.first], codec_indices[one.second]) for one in known]
    tested = iter(pairs_of(planned, cells, metric, chosen, test=test))
    level = SIGNIFICANCE / max(len(chosen), 1)
    family = []
    for one in planned.comparisons:
        if absent := _missing(one.labels, codec_indices):
            family.append(Fixed(asks=one.asks, missing=absent))
            continue
        pair = next(tested)
        asked = [codec_indices[label] for label in one.labels]
        share = _share(cells, metric, asked, one) if one.share_of else None
        detectable = smallest_detectable(pair.spread, pair.clusters, alpha=level, corrected=True)
        family.append(Fixed(asks=one.asks, pair=pair, detectable=detectable, share=share))
    return family


def _missing(labels: Sequence[str], codec_indices: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(label for label in labels if label not in codec_indices)


def _share(
    cells: Cells, metric: int, codec_indices: Sequence[int], asked: PlannedComparison
) -> Share:
    """Of the means of four codecs: (first - second) / (third - fourth), by Fieller."""
    values, sizes = cells.values[:, codec_indices, metric], cells.sizes[:, codec_indices, metric]
    kept = np.isfinite(values).all(axis=1)
    values, sizes = values[kept], sizes[kept]
    of = " - ".join(asked.share_of)
    nothing = Share(of=of, value=np.nan, low=np.nan, high=np.nan)
    clusters = None if cells.speakers is None else cells.speakers[kept]
    if len(values if clusters is None else np.unique(clusters)) < FEWEST_CLUSTERS:
        return nothing
    value, low, high = shares_of_differences(values, clusters=clusters, sizes=sizes)
    return Share(of=of, value=float(value[0]), low=float(low[0]), high=float(high[0]))
