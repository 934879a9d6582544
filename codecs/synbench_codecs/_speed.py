"""Measure one codec: ``python -m synbench_codecs._speed SPEC SECONDS REPETITIONS`` prints JSON.

A process of its own, because the peak of its memory is that of its whole life.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from synbench_base.packages import import_extra
from synbench_codecs._costs import Speed, untrained


def main(spec: str, seconds: float, repetitions: int) -> None:
    """Measure and print."""
    import_extra("torch", extra="torch")
    idle = _peak_memory()
    codec = untrained(spec)
    rate = codec.info.sample_rate
    noise = np.random.default_rng(1).standard_normal(round(seconds * rate))
    wave = (0.1 * noise).astype(np.float32)
    # The first run of either side warms up and does not count.
    encoded = codec.encode(wave, rate)
    codec.decode(encoded)
    speed = Speed(
        spec=codec.info.spec,
        seconds=seconds,
        encoder_cpu_per_second=_smallest(lambda: codec.encode(wave, rate), repetitions) / seconds,
        decoder_cpu_per_second=_smallest(lambda: codec.decode(encoded), repetitions) / seconds,
        peak_memory_bytes=_peak_memory(),
        idle_memory_bytes=idle,
    )
    print(json.dumps(speed.to_json()))


def _smallest(run: Callable[[], object], repetitions: int) -> float:
    """CPU seconds of the fastest of some runs."""
    spent = []
    for _ in range(repetitions):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return min(spent)


def _peak_memory() -> int:
    """Largest resident size so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # The resource module would hand on the size of the process that started this one.
        lines = status.read_text(encoding="ascii").splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else 1024 * largest


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
