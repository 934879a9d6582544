"""Metrics by column name: every module of this package and every installed entry point.

A built-in metric is a file of this package that defines ``METRICS``, a tuple of
:class:`~synbench_metrics.Metric`. Another package offers one through the entry-point group
``synbench.metrics``; the entry point's name is the column::

    [project.entry-points."synbench.metrics"]
    my_score = "my_package.score:MY_SCORE"

A module imports the library it wraps only inside its functions, so listing every metric is cheap
and one broken module makes only its own columns unavailable.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import ModuleType
from typing import Any

from synbench_base.registry import Registry
from synbench_metrics._interface import Metric
from synbench_metrics._weights import identified

ENTRY_POINT_GROUP = "synbench.metrics"

__all__ = ["ENTRY_POINT_GROUP", "family", "load", "names"]


def _content(module: ModuleType) -> Mapping[str, Metric]:
    metrics: tuple[Metric, ...] = getattr(module, "METRICS", ())
    return {metric.info.column: metric for metric in metrics}


def _accepts(loaded: Any) -> Metric:
    if not isinstance(loaded, Metric):
        raise TypeError("a Metric")
    return loaded


registry: Registry[Metric] = Registry(
    "metric",
    package="synbench_metrics",
    content=_content,
    group=ENTRY_POINT_GROUP,
    accepts=_accepts,
    otherwise=lambda name: "see: synbench metrics",
)


def names() -> list[str]:
    """All known columns, sorted."""
    return registry.names()


def load(column: str) -> Metric:
    """The metric behind a column name, whatever its case, or behind the name of a family.

    ``UTMOS`` is ``utmos``, ``PESQ-WB`` is ``pesq_wb``. Of several columns, as ``PESQ`` or ``wer``
    has them, it is the usual one for speech, see :func:`family`. What is stored and printed is
    always the column's own name, so that scores of two columns are never mixed up.

    Raises:
        UsageError: no metric has this name; the message offers the close names.
        Unavailable: the metric's module does not import.
    """
    columns = family(column)
    return identified(registry.get(columns[0] if columns else column))


def family(name: str, among: Collection[str] = ()) -> tuple[str, ...]:
    """The columns that a name may mean, whatever its case, the usual one for speech first.

    Args:
        among: the columns that there are, such as those of a run; else all that are known.

    >>> family("PESQ-WB"), family("PESQ")[:2]
    (('pesq_wb',), ('pesq_wb', 'pesq_nb'))
    >>> family("wer", among=["stoi", "wer_whisper_small_english"])
    ('wer_whisper_small_english',)
    """
    if name in (among or registry):
        return (name,)
    written = name.strip().lower().replace("-", "_").replace(" ", "_")
    columns = list(among or registry.builtin())
    if written in columns:
        return (written,)
    return tuple(column for column in columns if column.startswith(f"{written}_"))
