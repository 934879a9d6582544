"""CPU seconds per second of audio of our networks at published size, against plain eager ones.

Both sides have the same random weights and run on one thread, each time in a new process, in turns.
They must agree, or the ratio means nothing; none may lose more than a third of what it was.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from measured import Measured

pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

SIDE = Path(__file__).with_name("side_of_codec.py")
SIDES = ("ours", "eager")
SECONDS, ROUNDS = 2, 2

# Minutes on a busy machine: the largest network has 159 million weights.
pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(7200)]


@pytest.mark.parametrize(
    "spec",
    [
        "bigcodec",
        "wavtokenizer:variant=large-speech-75token",
    ],
)
def test_against_an_eager_module(
    spec: str, capsys: pytest.CaptureFixture[str], measured: Measured
) -> None:
    rounds = [{side: _measured(spec, side) for side in SIDES} for _ in range(ROUNDS)]
    for sides in rounds:
        ours, eager = sides["ours"], sides["eager"]
        assert ours["tokens"] == eager["tokens"]
        np.testing.assert_allclose(ours["samples"], eager["samples"], rtol=0, atol=1e-3)
    with capsys.disabled():
        print(f"\n{spec}, {SECONDS} s, CPU seconds per second of audio, median of {ROUNDS}:")
        for wave in ("first", "next"):
            print(f"  {wave} wave of a process: {_compared(rounds, wave)}")
        print(f"  {rounds[0]['ours']['different']} different tokens")
        totals = {
            side: min(sum(sides[side]["next"].values()) for sides in rounds) for side in SIDES
        }
    measured.add_ratio(f"{spec}: a plain eager network", totals["eager"] / totals["ours"])


def _compared(rounds: list[dict[str, Any]], wave: str) -> str:
    """Both sides and their ratio, for encoder, decoder and both together."""
    parts = {"encoder": ("encoder",), "decoder": ("decoder",), "both": ("encoder", "decoder")}
    texts = []
    for label, names in parts.items():
        ours, eager = (
            median(sum(measured[side][wave][name] for name in names) for measured in rounds)
            for side in SIDES
        )
        texts.append(f"{label} {ours:.3f} / eager {eager:.3f}, ratio {eager / ours:.2f}")
    return "; ".join(texts)


def _measured(spec: str, side: str) -> dict[str, Any]:
    command = [sys.executable, str(SIDE), spec, side, str(SECONDS)]
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment = os.environ | threads | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured
