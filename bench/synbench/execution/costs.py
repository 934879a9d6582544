"""What codecs and metrics cost: as a run measured it, as this machine remembers it, as declared.

CPU seconds per second of audio, by codec id and metric id. What a run measured goes into the cache
when it ends, so that the next run forecasts from it, in another folder and on other speech.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from synbench.results.store import RunFolder
from synbench_base.cache import cache_folder
from synbench_base.files import write_bytes

# Before anything was measured, where a codec declares nothing.
COST_BEFORE_MEASURED = {"neural": 0.3, "external": 0.1}
UNKNOWN_COST_SECONDS = 0.03
MOST_REMEMBERED = 5000
FILE = "costs.json"

__all__ = [
    "UNKNOWN_COST_SECONDS",
    "known_costs",
    "measured_costs",
    "remember_costs",
    "unmeasured_cost",
]


def known_costs(run: RunFolder) -> dict[str, float]:
    """What was measured in this run, else on this machine before."""
    return {**_remembered(), **measured_costs(run)}


def unmeasured_cost(codec: Any) -> float:
    """What a codec declares as ``cpu_seconds_per_audio_second``, else a guess from its kind."""
    declared = getattr(type(codec), "cpu_seconds_per_audio_second", None)
    guess = COST_BEFORE_MEASURED.get(codec.info.kind, UNKNOWN_COST_SECONDS)
    return float(guess if declared is None else declared)


def remember_costs(run: RunFolder) -> None:
    """Keep what a run measured; a cache that cannot be written costs a better forecast only."""
    costs = {**_remembered(), **measured_costs(run)}
    latest = dict(list(costs.items())[-MOST_REMEMBERED:])
    with contextlib.suppress(OSError):
        (cache_folder()).mkdir(parents=True, exist_ok=True)
        write_bytes(cache_folder() / FILE, json.dumps(latest).encode())


def measured_costs(run: RunFolder) -> dict[str, float]:
    """What was measured in this folder."""
    decodes = run.query(
        "decodes",
        "SELECT codec_id, sum(encode_cpu_seconds + decode_cpu_seconds) / sum(seconds) "
        "FROM rows WHERE encode_cpu_seconds IS NOT NULL GROUP BY codec_id HAVING sum(seconds) > 0",
        every=True,
    )
    scores = run.query(
        "scores",
        "SELECT metric_id, sum(cpu_seconds) / sum(seconds) "
        "FROM rows WHERE status = 'ok' GROUP BY metric_id HAVING sum(seconds) > 0",
        every=True,
    )
    return {str(name): float(cost) for name, cost in decodes + scores}


def _remembered() -> dict[str, float]:
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        costs = json.loads((cache_folder() / FILE).read_text(encoding="utf-8"))
        return {str(name): float(cost) for name, cost in costs.items()}
    return {}
