"""What changed between two runs, cell by cell, and whether it matters.

Cells are paired by corpus name, item (with the same samples), codec label and metric column, so
that a new version of a codec or metric is compared with the old one. Of each codec and metric:

    identical       every score is the same number
    not printed     some differ, by less than the table prints
    not told apart  they differ, in no direction that a paired test finds
    differs         they differ on average (Wilcoxon over speakers or items, Holm over the corpus)
    coverage        items are scored in one run only

A change matters when it differs on average by at least the last printed digit, or in coverage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synbench_reports.cells import Cells, Floats, Store
from synbench_reports.columns import printed_decimals
from synbench_reports.compare import SIGNIFICANCE, cluster_means, holm, wilcoxon
from synbench_reports.planned import PlannedRun
from synbench_reports.statistics import estimate_means
from synbench_reports.stored_files import item_keys

Verdict = Literal["identical", "not printed", "not told apart", "differs", "coverage"]

__all__ = ["Change", "CorpusDiff", "Verdict", "corpus_diffs"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One codec on one metric, B minus A over the items that both have.

    Attributes:
        both, only_a, only_b: items scored in both runs, and in one only.
        largest: largest difference of a single item.
        low, high: ends of the 95 % interval of the mean difference.
        decimals: digits that a table prints.
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
    order = [list(found) for found in keys]
    shared = [item for item in order[0] if item in keys[1]]
    same = [item for item in shared if keys[0][item] == keys[1][item]]
    rows = [[places[item] for item in same] for places in map(_places, order)]
    cells = [store.cells(corpus) for store in stores]
    metrics = _common([metric.column for metric in first.metrics], second.metrics, "column")
    codecs = _common([codec.label for codec in first.codecs], second.codecs, "label")
    clusters = _clusters(cells[0], rows[0])
    changes: list[Change] = []
    swaps: list[str] = []
    for column in metrics:
        one, other = (
            _place(first.metrics, "column", column),
            _place(second.metrics, "column", column),
        )
        metric = first.metrics[one]
        pairs = []
        for label in codecs:
            values = (
                cells[0].values[rows[0], _place(first.codecs, "label", label), one],
                cells[1].values[rows[1], _place(second.codecs, "label", label), other],
            )
            pairs.append((label, *values))
        changes += _changes(metric.label, printed_decimals(metric), pairs, clusters)
        swaps += _swaps(metric.label, pairs)
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
    metric: str,
    decimals: int,
    pairs: Sequence[tuple[str, Floats, Floats]],
    clusters: NDArray[np.int64] | None,
) -> list[Change]:
    if not pairs:
        return []
    differences = np.stack([new - old for _, old, new in pairs], axis=1)
    ends = estimate_means(differences, clusters=clusters)
    found = []
    for place, (label, old, new) in enumerate(pairs):
        known = np.isfinite(old), np.isfinite(new)
        both = known[0] & known[1]
        gaps = differences[both, place]
        found.append(
            Change(
                codec=label,
                metric=metric,
                both=int(both.sum()),
                only_a=int((known[0] & ~known[1]).sum()),
                only_b=int((known[1] & ~known[0]).sum()),
                mean_a=float(old[both].mean()) if both.any() else float("nan"),
                mean_b=float(new[both].mean()) if both.any() else float("nan"),
                low=float(ends.low[place]),
                high=float(ends.high[place]),
                largest=float(np.abs(gaps).max(initial=0.0)),
                p_holm=wilcoxon(cluster_means(differences[:, place], clusters)),
                decimals=decimals,
            )
        )
    return found


def _corrected(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes with p-values corrected over the whole corpus; identical ones do not count."""
    from dataclasses import replace

    family = [change.p_holm if change.largest > 0 else float("nan") for change in changes]
    return tuple(replace(change, p_holm=p) for change, p in zip(changes, holm(family), strict=True))


def _swaps(metric: str, pairs: Sequence[tuple[str, Floats, Floats]]) -> Iterator[str]:
    """Codecs whose order by mean changed, on the items that all of them have in both runs."""
    if len(pairs) < 2:
        return
    stacked = np.stack([np.stack([old, new]) for _, old, new in pairs])
    known = np.isfinite(stacked).all(axis=(0, 1))
    if not known.any():
        return
    means = stacked[:, :, known].mean(axis=2)
    for one in range(len(pairs)):
        for other in range(one + 1, len(pairs)):
            before, after = means[one] - means[other]
            if before * after < 0:
                yield f"{metric}: {pairs[one][0]} and {pairs[other][0]} changed places"


def _clusters(cells: Cells, rows: Sequence[int]) -> NDArray[np.int64] | None:
    if cells.speakers is None or not len(rows):
        return None
    found = np.unique(cells.speakers[rows], return_inverse=True)[1].astype(np.int64)
    return found if found.max() > 0 else None


def _places(names: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def _common(names: Sequence[str], entries: Sequence[object], attribute: str) -> list[str]:
    others = {getattr(entry, attribute) for entry in entries}
    return [name for name in names if name in others]


def _place(entries: Sequence[object], attribute: str, name: str) -> int:
    return next(place for place, entry in enumerate(entries) if getattr(entry, attribute) == name)
