"""What a metric may raise; the tree of all errors is drawn in :mod:`synbench_base.errors`.

A pair of waves that cannot be scored is no error for :func:`synbench_metrics.score`: it is an
:class:`~synbench_metrics.Outcome` with a status and a reason. ``MetricError`` is the former name
of the base, :class:`~synbench_base.errors.SynbenchError`.
"""

from synbench_base.errors import NotApplicable, SynbenchError, Unavailable, UsageError

MetricError = SynbenchError

__all__ = ["MetricError", "NotApplicable", "SynbenchError", "Unavailable", "UsageError"]
