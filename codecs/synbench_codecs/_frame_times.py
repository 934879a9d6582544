"""Time one codec: ``python -m synbench_codecs._frame_times SPEC`` prints JSON.

A process of its own, on one thread, because start-up is that of a process that has coded nothing.
Networks have their published width and random weights: the time does not depend on them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from synbench_codecs._costs import has_costs, untrained
from synbench_codecs._delays import ANY_RATE
from synbench_codecs._registry import load
from synbench_codecs._spec import parse_spec
from synbench_codecs.errors import Unavailable

SECONDS = 5.0
REPETITIONS = 3

__all__ = ["time_frames"]


def time_frames(spec: str) -> dict[str, float | None]:
    """Wall seconds of a codec on one thread of this machine, in a new process.

    Returns:
        ``start_seconds``, until the first frame was coded and decoded, loading included;
        ``encode_frame_seconds`` and ``decode_frame_seconds``, per frame of a wave of 5 s, ``None``
        where the codec declares no frames.

    Raises:
        Unavailable: the process failed; the message holds its last line.
    """
    command = [sys.executable, "-m", "synbench_codecs._frame_times", spec]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise Unavailable(f"{spec}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    times: dict[str, float | None] = json.loads(done.stdout.splitlines()[-1])
    return times


def _measured(spec: str) -> dict[str, float | None]:
    start = time.perf_counter()
    name, _ = parse_spec(spec)
    codec: Any = untrained(spec) if has_costs(name) else load(spec)
    rate = codec.info.sample_rate or ANY_RATE
    hop = codec.info.hop_length
    wave = (0.1 * np.random.default_rng(1).standard_normal(round(SECONDS * rate))).astype("float32")
    # A few frames: some networks take no less.
    first = wave[: 8 * (hop or rate // 50)]
    codec.decode(codec.encode(first, rate))
    started = time.perf_counter() - start
    encoding, decoding = [], []
    for _ in range(REPETITIONS):
        before = time.perf_counter()
        encoded = codec.encode(wave, rate)
        between = time.perf_counter()
        codec.decode(encoded)
        encoding.append(between - before)
        decoding.append(time.perf_counter() - between)
    frames = wave.size / hop if hop else None
    return {
        "start_seconds": started,
        "encode_frame_seconds": min(encoding) / frames if frames else None,
        "decode_frame_seconds": min(decoding) / frames if frames else None,
    }


if __name__ == "__main__":
    print(json.dumps(_measured(sys.argv[1])))
