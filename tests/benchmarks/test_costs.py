"""What every codec and metric costs that runs here without a download."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from measured import Measured

import synbench_codecs
from synbench_base.errors import SynbenchError

HERE = Path(__file__).parent
SPEECH = HERE.parents[2] / "shared" / "speech16"
SECONDS, RATE = 5, 16000
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
CLASSICAL = (
    "amr-nb",
    "amr-wb",
    "codec2",
    "g722",
    "g723-1",
    "lc3",
    "lowpass-3k5",
    "opus:bitrate_bps=12000",
    "passthrough",
)
# At published size with random weights.
NETWORKS = (
    "bigcodec",
    "dac",
    "encodec",
    "mdctcodec",
    "mimi",
    "p2psyncodec",
    "snac",
    "speechtokenizer",
    "sqcodec",
    "wavtokenizer",
)

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Five seconds of speech where it is at hand, else of shaped noise; and with noise added."""
    folder = tmp_path_factory.mktemp("sounds")
    generator, size = np.random.default_rng(0), SECONDS * RATE
    envelope = np.abs(np.sin(np.arange(size) * 9 / RATE)) + 0.05
    clip = 0.1 * generator.standard_normal(size) * envelope
    longest = max(SPEECH.glob("*.flac"), key=lambda path: path.stat().st_size, default=None)
    if longest is not None:
        clip = np.resize(soundfile.read(longest)[0], size)
    noisy = clip + 0.01 * generator.standard_normal(size)
    for name, wave in (("reference", clip), ("degraded", noisy.clip(-1, 1))):
        soundfile.write(folder / f"{name}.wav", wave, RATE)
    return folder / "reference.wav", folder / "degraded.wav"


def lines_of(*command: object) -> list[str]:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env=os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_metrics(sounds: tuple[Path, Path], measured: Measured) -> None:
    lines = lines_of(HERE / "costs_of_metrics.py", *sounds)
    for column, cost in map(json.loads, lines):
        measured.add("metrics", column, each_audio_second=cost)
    assert len(lines) > 15


@pytest.mark.parametrize("spec", CLASSICAL)
def test_a_codec(spec: str, sounds: tuple[Path, Path], measured: Measured) -> None:
    try:
        synbench_codecs.load(spec)
    except SynbenchError as error:
        pytest.skip(str(error))
    (line,) = lines_of(HERE / "costs_of_codec.py", spec, sounds[0])
    measured.add("codecs", spec, **json.loads(line))


@pytest.mark.parametrize("spec", NETWORKS)
def test_a_network(spec: str, measured: Measured) -> None:
    try:
        speed = synbench_codecs.measure_speed(spec, seconds=2, repetitions=1)
    except SynbenchError as error:
        pytest.skip(str(error))
    measured.add(
        "codecs",
        speed.spec,
        encoder=speed.encoder_cpu_per_second,
        decoder=speed.decoder_cpu_per_second,
        memory=speed.peak_memory_bytes / 1e9,
    )
