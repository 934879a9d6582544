"""What can go wrong around a metric, and whose fault it is.

::

    MetricError
    ├── UsageError      an unknown metric, or arguments of the wrong form (user error)
    └── Unavailable     a package or weights file is absent (environment)

A pair of waves that cannot be scored is no error: it is an :class:`~synbench_metrics.Outcome` with
a status and a reason.
"""

from __future__ import annotations

__all__ = ["MetricError", "Unavailable", "UsageError"]


class MetricError(Exception):
    """Base of every error that a metric raises on purpose."""


class UsageError(MetricError):
    """The caller asked for something that does not exist. The message lists the close names."""


class Unavailable(MetricError):
    """Something the metric needs is absent. The message says what to type next."""
