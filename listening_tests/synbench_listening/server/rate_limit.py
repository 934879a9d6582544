"""Token buckets in memory: so many requests at once, and so many per second after that."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass

# Buckets kept; the fullest go first, since those are of who was quiet.
MOST_BUCKETS = 10_000

__all__ = ["Bucket", "RateLimit"]


@dataclass
class Bucket:
    """What one client may still do."""

    left: float
    at: float


class RateLimit:
    """Limits one kind of request per client."""

    def __init__(self, *, burst: int, per_second: float) -> None:
        self.burst = burst
        self.per_second = per_second
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def wait_seconds(self, client: str) -> int:
        """0 and one request less, or in how many seconds the next would be let through."""
        moment = time.monotonic()
        with self._lock:
            if len(self._buckets) >= MOST_BUCKETS and client not in self._buckets:
                self._sweep(moment)
            bucket = self._buckets.setdefault(client, Bucket(self.burst, moment))
            bucket.left = self._filled(bucket, moment)
            bucket.at = moment
            if bucket.left >= 1:
                bucket.left -= 1
                return 0
            return max(1, math.ceil((1 - bucket.left) / self.per_second))

    def _filled(self, bucket: Bucket, moment: float) -> float:
        return min(self.burst, bucket.left + (moment - bucket.at) * self.per_second)

    def _sweep(self, moment: float) -> None:
        order = sorted(self._buckets.items(), key=lambda e: -self._filled(e[1], moment))
        for client, _ in order[: MOST_BUCKETS // 2]:
            del self._buckets[client]
