"""What can go wrong in a run, whose fault it is, and the exit code it ends with.

::

    SynbenchError
    ├── UsageError          exit 2   the user asked for something that cannot be
    ├── EnvironmentFault    exit 3   the machine lacks something: disk, package, network
    └── ItemError           -        one item cannot be read or coded: a status in the table

Exit code 1 is kept for a run that finished with more failures than its budget allows.
"""

from __future__ import annotations

__all__ = ["EnvironmentFault", "ItemError", "SynbenchError", "UsageError"]


class SynbenchError(Exception):
    """Base of every error that synbench raises on purpose."""

    exit_code = 2


class UsageError(SynbenchError):
    """A mistake in a suite, a path or an argument. The message says what to type instead."""

    exit_code = 2


class EnvironmentFault(SynbenchError):
    """The machine cannot do it now: disk full, package absent, no network."""

    exit_code = 3


class ItemError(SynbenchError):
    """One item cannot be used. It becomes a status with this message as the reason."""
