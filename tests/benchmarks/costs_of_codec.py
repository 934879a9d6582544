"""What a codec without a network costs: ``python FILE SPEC SOUND`` prints JSON.

CPU seconds per second of audio of encoder and decoder, its own processes among them, and the
largest memory in GB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import soundfile

import synbench_codecs
from synbench.audio import resample


def main(spec: str, sound: str) -> None:
    """Measure and print."""
    codec: Any = synbench_codecs.load(spec)
    wave, stored = soundfile.read(sound)
    rate = codec.info.sample_rate or stored
    wave = resample(wave, sample_rate=stored, to=rate)
    seconds = wave.size / rate
    encoded = codec.encode(wave, rate)
    codec.decode(encoded)
    report = {
        "encoder": _least(lambda: codec.encode(wave, rate)) / seconds,
        "decoder": _least(lambda: codec.decode(encoded)) / seconds,
        "memory": _peak_gb(),
    }
    print(json.dumps(report))


def _least(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(3):
        before = _used()
        work()
        spent.append(_used() - before)
    return min(spent)


def _peak_gb() -> float:
    """Largest memory of this process; that of ``resource`` begins with its parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e6


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
