"""What changed between two runs, cell by cell, and whether it matters.

Cells are paired by corpus name, item (with the same samples), codec label and metric column, so
that a new version of a codec or metric is compared with the old one. Of each codec and metric:

    identical       every score is the same number
    not printed     some differ, by less than the table prints
    not told apart  they differ, in no direction that a paired test finds
    differs         they differ on average (the test of `synbench compare`, Holm over the corpus)
    coverage        items are scored in one run only

A change matters when it differs on average by at least the last printed digit, or in coverage. The
average is what a table prints: of an error rate, all errors over all words of the common items.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synbench.results.cells import Cells, Floats, Store
from synbench.results.planned import PlannedMetric, PlannedRun
from synbench.results.stored_files import item_keys
from synbench.statistics.clusters import common_items, weighted_means
from synbench.statistics.means import FEWEST_CLUSTERS, estimate_differences
from synbench.statistics.multiplicity import SIGNIFICANCE, correct
from synbench.statistics.paired_tests import compare_all
from synbench_reports.tables.codec_pairs import test_of
from synbench_reports.tables.columns import printed_decimals

Verdict = Literal["identical", "not printed", "not told apart", "differs", "coverage"]

__all__ = ["Change", "CorpusDiff", "Verdict", "corpus_diffs"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One codec on one metric, B minus A over the items that both have.

    Attributes:
        both, only_a, only_b: items scored in both runs, and in one only.
        largest: largest difference of a single item.
        low, high: ends of the 95 % interval of the mean difference.
        decimals: digits that a table prints, of the share where it prints per cent.
        scale: what the numbers are multiplied by before they are printed.
        heading: the metric as it is printed, ``WER in %``.
    """

    codec: str
    metric: str
    both: int
    only_a: int
    only_b: int
    mean_a: float
    mean_b: float
    low: float
    high: float
    largest: float
    p_holm: float
    decimals: int
    scale: int
    heading: str

    @property
    def difference(self) -> float:
        """Mean of B minus mean of A."""
        return self.mean_b - self.mean_a

    @property
    def verdict(self) -> Verdict:
        """See the module."""
        if self.only_a or self.only_b:
            return "coverage"
        if not self.both or self.largest == 0:
            return "identical"
        if self.largest < 0.5 * 10.0**-self.decimals:
            return "not printed"
        return "differs" if self.p_holm < SIGNIFICANCE else "not told apart"

    @property
    def matters(self) -> bool:
        """Whether a reader of the table should know."""
        if self.verdict == "differs":
            return abs(self.difference) >= 10.0**-self.decimals
        return self.verdict == "coverage"


@dataclass(frozen=True, kw_only=True)
class CorpusDiff:
    """One corpus that both runs have; ``swaps`` are pairs of codecs whose order changed."""

    corpus: str
    common: int
    only_a: int
    only_b: int
    altered: int
    changes: tuple[Change, ...]
    swaps: tuple[str, ...] = field(default=())


def corpus_diffs(first: PlannedRun, second: PlannedRun) -> Iterator[CorpusDiff]:
    """The corpora of both runs, in the order of the first."""
    stores = Store(first), Store(second)
    names = [corpus.name for corpus in second.corpora]
    for corpus in first.corpora:
        if corpus.name in names:
            yield _corpus_diff(first, second, stores, corpus.name)


def _corpus_diff(
    first: PlannedRun, second: PlannedRun, stores: tuple[Store, Store], corpus: str
) -> CorpusDiff:
    keys = [dict(item_keys(planned, corpus)) for planned in (first, second)]
    order = [list(run_keys) for run_keys in keys]
    shared = [item for item in order[0] if item in keys[1]]
    same = [item for item in shared if keys[0][item] == keys[1][item]]
    rows = [[indices[item] for item in same] for indices in map(_indices, order)]
    cells = [store.cells(corpus) for store in stores]
    metrics = _common([metric.column for metric in first.metrics], second.metrics, "column")
    codecs = _common([codec.label for codec in first.codecs], second.codecs, "label")
    clusters = _clusters(cells[0], rows[0])
    changes: list[Change] = []
    swaps: list[str] = []
    for column in metrics:
        one, other = (
            _index(first.metrics, "column", column),
            _index(second.metrics, "column", column),
        )
        metric = first.metrics[one]
        indices = [
            [_index(run.codecs, "label", label) for label in codecs] for run in (first, second)
        ]
        values, sizes = (
            np.hstack([old[rows[0]][:, indices[0], one], new[rows[1]][:, indices[1], other]])
            for old, new in zip(*((entry.values, entry.sizes) for entry in cells), strict=True)
        )
        changes += _changes(metric, codecs, values, sizes, clusters)
        swaps += _swaps(metric.label, codecs, values, sizes)
    return CorpusDiff(
        corpus=corpus,
        common=len(same),
        only_a=len(order[0]) - len(shared),
        only_b=len(order[1]) - len(shared),
        altered=len(shared) - len(same),
        changes=_corrected(changes),
        swaps=tuple(swaps),
    )


def _changes(
    metric: PlannedMetric,
    codecs: Sequence[str],
    values: Floats,
    sizes: Floats,
    clusters: NDArray[np.int64] | None,
) -> list[Change]:
    """Of values and sizes of shape ``(item, codec)``, those of B beside those of A."""
    if not codecs:
        return []
    count = len(codecs)
    pairs = [(count + codec_index, codec_index) for codec_index in range(count)]
    new, old = common_items(values, pairs)
    means = weighted_means(np.hstack([old, new]), sizes)
    ends = estimate_differences(values, pairs, clusters=clusters, sizes=sizes)
    tests = compare_all(values, sizes=sizes, clusters=clusters, test=test_of(metric), pairs=pairs)
    known = np.isfinite(values)
    return [
        Change(
            codec=label,
            # Of a distance of the whole corpus only the items can be paired.
            metric=f"{metric.label} of items" if metric.is_distance else metric.label,
            heading=f"{metric.label} of items" if metric.is_distance else metric.printed_label,
            both=int(ends.count[codec_index]),
            only_a=int((known[:, codec_index] & ~known[:, count + codec_index]).sum()),
            only_b=int((known[:, count + codec_index] & ~known[:, codec_index]).sum()),
            mean_a=float(means[codec_index]),
            mean_b=float(means[count + codec_index]),
            low=float(ends.low[codec_index]),
            high=float(ends.high[codec_index]),
            largest=float(np.nanmax(np.abs(new - old)[:, codec_index], initial=0.0)),
            p_holm=tests[codec_index].p
            if tests[codec_index].clusters >= FEWEST_CLUSTERS
            else float("nan"),
            decimals=printed_decimals(metric),
            scale=metric.scale,
        )
        for codec_index, label in enumerate(codecs)
    ]


def _corrected(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes with p-values corrected over the whole corpus; identical ones do not count."""
    from dataclasses import replace

    family = [change.p_holm if change.largest > 0 else float("nan") for change in changes]
    return tuple(
        replace(change, p_holm=p) for change, p in zip(changes, correct(family), strict=True)
    )


def _swaps(metric: str, codecs: Sequence[str], values: Floats, sizes: Floats) -> Iterator[str]:
    """Codecs whose order by mean changed, on the items that all of them have in both runs."""
    known = np.isfinite(values).all(axis=1)
    if len(codecs) < 2 or not known.any():
        return
    old, new = weighted_means(values[known], sizes[known]).reshape(2, -1)
    for one, other in combinations(range(len(codecs)), 2):
        if (old[one] - old[other]) * (new[one] - new[other]) < 0:
            yield f"{metric}: {codecs[one]} and {codecs[other]} changed places"


def _clusters(cells: Cells, rows: Sequence[int]) -> NDArray[np.int64] | None:
    if cells.speakers is None or not len(rows):
        return None
    clusters = np.unique(cells.speakers[rows], return_inverse=True)[1].astype(np.int64)
    return clusters if clusters.max() > 0 else None


def _indices(names: Sequence[str]) -> dict[str, int]:
    return {name: index for index, name in enumerate(names)}


def _common(names: Sequence[str], entries: Sequence[object], attribute: str) -> list[str]:
    others = {getattr(entry, attribute) for entry in entries}
    return [name for name in names if name in others]


def _index(entries: Sequence[object], attribute: str, name: str) -> int:
    return next(index for index, entry in enumerate(entries) if getattr(entry, attribute) == name)
