"""What every metric costs that runs here: ``python FILE REFERENCE DEGRADED`` prints JSON.

Both are sound files of one length and rate; a line has a column and its CPU seconds per second.
A metric without its weights or package is passed over; the first score warms up and does not count.
"""

from __future__ import annotations

import json
import sys
import time

import soundfile

import synbench_metrics
from synbench.audio import resample
from synbench_base.errors import SynbenchError
from synbench_metrics import _remember

# A dear metric is measured once after it is warm.
MOST_SECONDS = 0.5
TRANSCRIPT = "the speech of this clip stands for any other"


def main(reference: str, degraded: str) -> None:
    """Measure and print."""
    for column in synbench_metrics.names():
        metric = synbench_metrics.load(column)
        try:
            metric.check()
        except SynbenchError:
            continue
        rate = metric.info.sample_rates[0] if metric.info.sample_rates else 16000
        waves = {}
        for role, path in (("reference", reference), ("degraded", degraded)):
            wave, stored = soundfile.read(path)
            waves[role] = resample(wave, sample_rate=stored, to=rate)
        size = min(wave.size for wave in waves.values())
        spent = []
        for _ in range(3):
            _remember.forget()
            before = time.process_time()
            outcome = synbench_metrics.score(
                metric,
                reference=waves["reference"][:size],
                degraded=waves["degraded"][:size],
                sample_rate=rate,
                transcript=TRANSCRIPT,
                language="en",
            )
            spent.append(time.process_time() - before)
            if sum(spent[1:]) > MOST_SECONDS:
                break
        if outcome.status == "ok":
            print(json.dumps([column, min(spent[1:]) * rate / size]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
