"""The errors of synbench; the tree is drawn in :mod:`synbench_base.errors`."""

from synbench_base.errors import EnvironmentFault, ItemError, SynbenchError, UsageError

__all__ = ["EnvironmentFault", "ItemError", "SynbenchError", "UsageError"]
