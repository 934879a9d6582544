"""Fifty pairs of five seconds by PESQ-WB and STOI, against a plain loop over the packages.

Both sides are whole processes, imports and workers' start included, measured in turn in one run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from measured import Measured

PAIRS, SECONDS, RATE = 50, 5, 16000
SPEECH = Path(__file__).resolve().parents[3] / "shared" / "speech16"
ROUNDS = 3

PLAIN_LOOP = """
import json, sys
from pathlib import Path
import soundfile
from pesq import pesq
from pystoi import stoi
found = []
for path in sorted(Path(sys.argv[1]).glob("*.wav")):
    reference, rate = soundfile.read(path)
    degraded, rate = soundfile.read(Path(sys.argv[2]) / path.name)
    found.append([pesq(rate, reference, degraded, "wb"), stoi(reference, degraded, rate)])
print(json.dumps(found))
"""


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[Path, Path]:
    """Five-second clips of real speech where it is at hand, else of shaped noise."""
    generator = np.random.default_rng(0)
    for name in ("reference", "degraded"):
        (tmp_path / name).mkdir()
    for number, clip in enumerate(_clips(generator)):
        noisy = clip + 0.01 * generator.standard_normal(clip.size)
        soundfile.write(tmp_path / "reference" / f"{number:02}.wav", clip, RATE)
        soundfile.write(tmp_path / "degraded" / f"{number:02}.wav", noisy.clip(-1, 1), RATE)
    return tmp_path / "reference", tmp_path / "degraded"


def _clips(generator: np.random.Generator) -> list[np.ndarray]:
    size = SECONDS * RATE
    if SPEECH.is_dir():
        waves = [soundfile.read(path)[0] for path in sorted(SPEECH.glob("*.flac"))]
        speech = np.concatenate(waves)[: PAIRS * size]
        return list(speech.reshape(PAIRS, size))
    envelope = np.abs(np.sin(np.arange(size) * 9 / RATE)) + 0.05
    return [0.1 * generator.standard_normal(size) * envelope for _ in range(PAIRS)]


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_fifty_pairs_against_a_plain_loop(
    pairs: tuple[Path, Path], capsys: pytest.CaptureFixture[str], measured: Measured
) -> None:
    reference, degraded = map(str, pairs)
    loop = [sys.executable, "-c", PLAIN_LOOP, reference, degraded]
    ours = [
        sys.executable, "-m", "synbench", "score", "--reference", reference,
        "--degraded", degraded, "--metrics", "pesq_wb,stoi", "--json",
    ]  # fmt: skip
    times: dict[str, list[float]] = {"loop": [], "synbench": []}
    output = {}
    for _ in range(ROUNDS):
        for name, command in (("loop", loop), ("synbench", ours)):
            started = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            times[name].append(time.perf_counter() - started)
            output[name] = json.loads(done.stdout)
    plain, mine = (min(times[name]) for name in ("loop", "synbench"))
    with capsys.disabled():
        print(f"\nplain loop {plain:.2f} s, synbench {mine:.2f} s")
    measured.add_ratio(
        "50 pairs of 5 s by PESQ-WB and STOI, wall time: a plain loop over the packages",
        plain / mine,
    )
    scores = [
        [file["scores"][column]["value"] for column in ("pesq_wb", "stoi")]
        for file in output["synbench"]["files"]
    ]
    np.testing.assert_allclose(scores, output["loop"], rtol=0, atol=1e-9)
