"""Tables and tests of a run as pandas frames, for ``synbench.open``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from synbench.errors import UsageError
from synbench.results.cells import Store
from synbench.results.planned import PlannedRun
from synbench.statistics.paired_tests import Test
from synbench_reports.tables.build_report import build_report, select
from synbench_reports.tables.codec_pairs import CodecPair, pairs
from synbench_reports.tables.tidy import COLUMNS, tidy_lines

if TYPE_CHECKING:
    import pandas

COUNTS = tuple(name for name in COLUMNS if name.startswith("n_"))
PAIR_COLUMNS = (
    "corpus",
    "metric",
    "first",
    "second",
    "difference",
    "low",
    "high",
    "items",
    "clusters",
    "test",
    "p",
    "p_holm",
    "margin",
    "p_equal",
    "verdict",
    "p_equal_holm",
    "p_ranks_holm",
    "ranks_favour",
    "clusters_needed",
)

__all__ = ["PAIR_COLUMNS", "check_asked", "compare_frame", "pair_fields", "table_frame"]


def table_frame(
    planned: PlannedRun, *, corpus: str | None, metrics: Sequence[str]
) -> pandas.DataFrame:
    """The lines of :func:`tidy_lines`, with whole numbers for counts.

    Raises:
        UsageError: no such corpus or metric in the run, or a stored file is damaged.
    """
    import pandas

    lines = list(tidy_lines(build_report(select(planned, corpus=corpus, metrics=metrics))))
    frame = pandas.DataFrame(lines, columns=list(COLUMNS))
    floats = dict.fromkeys(("mean", "low", "high"), "float64")
    return frame.astype(floats | dict.fromkeys(COUNTS, "Int64"))


def compare_frame(
    planned: PlannedRun,
    *,
    corpus: str | None,
    metrics: Sequence[str],
    against: str | None,
    margins: Mapping[str, float],
    test: Test,
) -> pandas.DataFrame:
    """One row per pair of competitors and metric, best first; see :class:`CodecPair`.

    Raises:
        UsageError: no such corpus, metric or codec in the run, or a margin that is not above 0.
    """
    import pandas

    planned = select(planned, corpus=corpus, metrics=metrics)
    check_asked(planned, against, margins)
    rows = [
        (entry.name, *pair_fields(pair))
        for narrowed, entry, cells in Store(planned).corpora()
        for index, metric in enumerate(narrowed.metrics)
        for pair in pairs(
            narrowed,
            cells,
            index,
            against=against,
            margin=margins.get(metric.column),
            test=test,
        )
    ]
    estimates = ("difference", "low", "high", "margin")
    numbers = (*estimates, "p", "p_holm", "p_equal", "p_equal_holm", "p_ranks_holm")
    frame = pandas.DataFrame(rows, columns=list(PAIR_COLUMNS))
    return frame.astype(dict.fromkeys(numbers, "float64") | {"clusters_needed": "Int64"})


def check_asked(planned: PlannedRun, against: str | None, margins: Mapping[str, float]) -> None:
    """Refuse a codec or a margin that the run knows nothing of.

    Raises:
        UsageError: no such codec or metric, or a margin that is not above 0.
    """
    labels = [codec.label for codec in planned.codecs]
    if against is not None and against not in labels:
        raise UsageError(f"the run has no codec {against!r}; it has: {', '.join(labels)}")
    columns = [metric.column for metric in planned.metrics]
    for name, margin in margins.items():
        if not margin > 0:
            raise UsageError(f"expected a margin above 0 for {name}, such as 0.02, got {margin}")
        if name not in columns:
            raise UsageError(f"the run has no metric {name!r}; it has: {', '.join(columns)}")


def pair_fields(pair: CodecPair) -> tuple[object, ...]:
    """What :data:`PAIR_COLUMNS` say of a pair, but for its corpus."""
    equal = pair.equal
    return (
        pair.metric,
        pair.first,
        pair.second,
        pair.difference,
        pair.low,
        pair.high,
        pair.items,
        pair.clusters,
        pair.test,
        pair.p,
        pair.p_holm,
        None if equal is None else equal.margin,
        None if equal is None else equal.p,
        pair.verdict,
        None if equal is None else equal.p_holm,
        None if pair.ranks is None else pair.ranks.p_holm,
        pair.ranks_favour,
        pair.needed,
    )
