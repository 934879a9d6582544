"""Metrics by column name: every module of this package and every installed entry point.

A built-in metric is a file of this package that defines ``METRICS``, a tuple of
:class:`~synbench_metrics.Metric`. Another package offers one through the entry-point group
``synbench.metrics``; the entry point's name is the column::

    [project.entry-points."synbench.metrics"]
    my_score = "my_package.score:MY_SCORE"

A module imports the library it wraps only inside its functions, so listing every metric is cheap
and one broken library makes only its own columns unavailable.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
import pkgutil

import synbench_metrics
from synbench_metrics._interface import Metric
from synbench_metrics._weights import identified
from synbench_metrics.errors import Unavailable, UsageError

ENTRY_POINT_GROUP = "synbench.metrics"

__all__ = ["ENTRY_POINT_GROUP", "load", "names"]


@functools.cache
def _builtin() -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    for module in pkgutil.iter_modules(synbench_metrics.__path__):
        if module.name.startswith("_") or module.name == "errors":
            continue
        loaded = importlib.import_module(f"synbench_metrics.{module.name}")
        metrics: tuple[Metric, ...] = getattr(loaded, "METRICS", ())
        found.update({metric.info.column: metric for metric in metrics})
    return found


@functools.cache
def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)}


def names() -> list[str]:
    """All known columns, sorted."""
    return sorted({*_builtin(), *_entry_points()})


def load(column: str) -> Metric:
    """The metric behind a column name.

    Raises:
        UsageError: no metric has this name; the message offers the close ones.
        Unavailable: an entry point's module does not import.
    """
    if column in _builtin():
        return identified(_builtin()[column])
    if column in _entry_points():
        try:
            loaded = _entry_points()[column].load()
        except Exception as error:
            raise Unavailable(f"metric {column!r} does not import: {error}") from error
        if not isinstance(loaded, Metric):
            raise Unavailable(f"entry point {column!r} must name a Metric, got {loaded!r}")
        return identified(loaded)
    close = difflib.get_close_matches(column, names())
    hint = f"did you mean {' or '.join(close)}?" if close else "see: synbench metrics"
    raise UsageError(f"unknown metric {column!r}; {hint}")
