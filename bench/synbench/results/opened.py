"""A run opened in Python: its rows as pandas frames, its table, its tests and its figures.

>>> import synbench
>>> run = synbench.open("runs/demo")                                      # doctest: +SKIP
>>> run.scores().groupby(["codec", "metric"])["value"].mean()             # doctest: +SKIP
>>> run.rate_quality("pesq_wb").figure.savefig("curve.pdf")               # doctest: +SKIP

Every frame holds the rows that count, as tables print them. Tables, tests and figures are those of
the commands ``show``, ``compare`` and ``figures``; they are named here and imported when called.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from synbench.results.find_run import find_run
from synbench.results.frames import decode_frame, item_frame, score_frame
from synbench.results.planned import PlannedRun, read_planned

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

FRAMES = "synbench_reports.tables.frames"
AXES = "synbench_reports.figures.run_axes"

__all__ = ["OpenedRun", "open_run"]


def open_run(run: str | Path) -> OpenedRun:
    """Open a run folder, or NAME where ``runs/NAME`` is one.

    Raises:
        UsageError: there is no run, or its manifest is damaged.
    """
    return OpenedRun(read_planned(find_run(str(run))))


class OpenedRun:
    """What a run holds; nothing is kept in memory, so a frame shows what is stored when asked for.

    Attributes:
        planned: what the run is meant to hold: its codecs, metrics and corpora.
    """

    def __init__(self, planned: PlannedRun) -> None:
        self.planned = planned

    def __repr__(self) -> str:
        planned = self.planned
        items = sum(corpus.items for corpus in planned.corpora)
        return (
            f"<run {planned.name!r}: {items} items, codecs {', '.join(self.codecs)}; "
            f"metrics {', '.join(self.metrics)}>"
        )

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.planned.folder

    @property
    def codecs(self) -> list[str]:
        """Labels of the codecs, in the order of the suite."""
        return [codec.label for codec in self.planned.codecs]

    @property
    def metrics(self) -> list[str]:
        """Columns of the metrics, in the order of the suite."""
        return [metric.column for metric in self.planned.metrics]

    @property
    def corpora(self) -> list[str]:
        """Names of the corpora."""
        return [corpus.name for corpus in self.planned.corpora]

    def scores(self) -> pandas.DataFrame:
        """One row per item, codec and metric: see :func:`synbench.results.frames.score_frame`.

        A cell that failed or is missing is a row without a value, with its status and reason.
        """
        return score_frame(self.planned)

    def decodes(self) -> pandas.DataFrame:
        """One row per item and codec: see :func:`synbench.results.frames.decode_frame`."""
        return decode_frame(self.planned)

    def items(self) -> pandas.DataFrame:
        """One row per item: corpus, item, item_digest, speaker, transcript, seconds, problem."""
        return item_frame(self.planned)

    def table(self, *, corpus: str | None = None, metrics: Sequence[str] = ()) -> pandas.DataFrame:
        """The table that ``synbench show`` prints, one row per corpus, codec and column.

        Columns ``mean``, ``low`` and ``high`` (the 95 % interval), counts ``n_planned``,
        ``n_scored``, ``n_failed``, ``n_not_applicable``, ``n_missing``; rates are in kbit/s.

        Args:
            corpus, metrics: only these.
        """
        frame: pandas.DataFrame = _named(f"{FRAMES}:table_frame")(
            self.planned, corpus=corpus, metrics=metrics
        )
        return frame

    def compare(
        self,
        *,
        corpus: str | None = None,
        metrics: Sequence[str] = (),
        against: str | None = None,
        margins: Mapping[str, float] | None = None,
        test: Literal["corrected_t", "t", "sign_flip", "wilcoxon"] = "corrected_t",
    ) -> pandas.DataFrame:
        """What ``synbench compare`` prints, one row per pair of codecs and metric.

        Args:
            corpus, metrics: only these.
            against: only pairs with the codec of this label.
            margins: by metric the largest difference that still counts as equal.
            test: ``wilcoxon`` is of ranks, the others of means; of error rates, permutations swap
                the codecs within speakers.
        """
        frame: pandas.DataFrame = _named(f"{FRAMES}:compare_frame")(
            self.planned,
            corpus=corpus,
            metrics=metrics,
            against=against,
            margins=margins or {},
            test=test,
        )
        return frame

    def rate_quality(self, metric: str, *, corpus: str | None = None) -> Axes:
        """Means with intervals over the bit rate."""
        return self._axes("rate_quality", metric, corpus)

    def score_spread(
        self,
        metric: str,
        *,
        corpus: str | None = None,
        kind: Literal["box", "violin"] = "box",
        by_speaker: bool = False,
    ) -> Axes:
        """The scores of all items (or the numbers of speakers) per codec, as boxes or violins."""
        return self._axes("score_spread", metric, corpus, shape=kind, by_speaker=by_speaker)

    def speaker_spread(self, metric: str, *, corpus: str | None = None) -> Axes:
        """The number of each speaker and that of all items, per codec."""
        return self._axes("speaker_spread", metric, corpus)

    def quality_cost(self, metric: str, *, corpus: str | None = None) -> Axes:
        """Means over the measured CPU seconds of coding and decoding."""
        return self._axes("quality_cost", metric, corpus)

    def correlation(self, *, corpus: str | None = None) -> Axes:
        """Spearman's correlation of every pair of metrics."""
        return self._axes("correlation", None, corpus)

    def robustness(self, metric: str, condition: str, *, corpus: str | None = None) -> Axes:
        """Curves over the strength of a condition, such as ``babble`` or ``bit errors``."""
        axes: Axes = _named(f"{AXES}:robustness_axes")(
            self.planned, metric, condition, corpus=corpus
        )
        return axes

    def _axes(self, kind: str, metric: str | None, corpus: str | None, **options: object) -> Axes:
        axes: Axes = _named(f"{AXES}:run_axes")(
            self.planned, kind, metric=metric, corpus=corpus, **options
        )
        return axes


def _named(name: str) -> Any:
    """What a name like ``module:attribute`` stands for; reports are nowhere imported by bench."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
