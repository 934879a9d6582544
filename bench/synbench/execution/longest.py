"""How long a wave a codec takes: it is coded in one piece, and memory grows with its length.

Decoded files are read by stretches, so that they may be of any length.
"""

from __future__ import annotations

from typing import Any

# Of a codec that does not state its own as ``max_seconds``: two gigabytes at 48 kHz.
LONGEST_SECONDS = 3600.0

__all__ = ["longest_seconds"]


def longest_seconds(codec: Any) -> float | None:
    """The longest wave that a codec takes in a run, in seconds; ``None`` for decoded files."""
    if codec.info.kind == "recordings":
        return None
    declared = getattr(codec, "max_seconds", None)
    return LONGEST_SECONDS if declared is None else float(declared)
