"""Which sample rates a file may state: a header is anybody's text, and lengths multiply by it."""

from __future__ import annotations

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 768_000

__all__ = ["HIGHEST_RATE_HZ", "LOWEST_RATE_HZ"]
