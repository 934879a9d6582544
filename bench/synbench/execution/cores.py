"""How many workers there are where nobody says."""

from __future__ import annotations

import os

__all__ = ["default_workers"]


def default_workers() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
