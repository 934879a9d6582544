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

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from synbench_base.errors import UsageError
from synbench_base.registry import Registry
from synbench_metrics._interface import Metric
from synbench_metrics._weights import identified

ENTRY_POINT_GROUP = "synbench.metrics"

__all__ = ["ENTRY_POINT_GROUP", "load", "names"]


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
    """The metric behind a column name, whatever its case, or behind the only column of a family.

    ``UTMOS`` is ``utmos``, ``PESQ-WB`` is ``pesq_wb``. A family of several columns, such as
    ``PESQ`` or ``wer``, is no column: scores of two of them must never be mixed up.

    Raises:
        UsageError: no metric has this name; the message lists the columns of the family, the usual
            one first, or the close names.
        Unavailable: the metric's module does not import.
    """
    return identified(registry.get(_column(column)))


def _column(name: str) -> str:
    """The column that a name means; the name itself where it means none."""
    if name in registry:
        return name
    written = name.strip().lower().replace("-", "_").replace(" ", "_")
    columns = list(registry.builtin())
    if written in columns:
        return written
    family = [column for column in columns if column.startswith(f"{written}_")]
    if len(family) > 1:
        raise UsageError(
            f"{name!r} stands for {len(family)} metrics, name one of them: {', '.join(family)}"
        )
    return family[0] if family else name
