"""Seconds of CPU per second of audio, ours against the packages, on one core and the same audio.

The sides run one after the other, each as a process of its own. Every pair of them must agree on
the scores, or the comparison means nothing; no ratio may lose more than a third of what it was.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from measured import Measured

CODECS, UTTERANCES, SHORTEST = 6, 2, 3.0
DECODED = Path(__file__).resolve().parents[3] / "shared" / "decoded"
PROGRAM = Path(__file__).with_name("metric_contestants.py")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")

# Rows of the page: what is scored, and by whom instead of by us.
ROWS = {
    "visqol: core": "ViSQOL speech: visqol-python",
    "visqol: accelerated": "ViSQOL speech: visqol-python with numba",
    "audio: core": "ViSQOL audio: visqol-python",
    "audio: accelerated": "ViSQOL audio: visqol-python with numba",
    "stoi: pystoi": "STOI and ESTOI: pystoi",
    "stage: core": "PESQ, STOI, ESTOI, ViSQOL of six codecs: pesq, pystoi, visqol-python",
    "stage: accelerated": "PESQ, STOI, ESTOI, ViSQOL of six codecs: the same with numba",
}

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="pins a core, on Linux only"),
]


@pytest.fixture(scope="module")
def corpus() -> list[tuple[np.ndarray, np.ndarray]]:
    """Utterances ``(samples,)`` and what codecs made of them, ``(codecs, samples)``, 16 kHz."""
    return _decoded() or [_synthetic(seed) for seed in range(UTTERANCES)]


@pytest.fixture(scope="module")
def wide() -> tuple[np.ndarray, np.ndarray]:
    """Three seconds ``(samples,)`` at 48 kHz and what one codec made of them, ``(1, samples)``."""
    size = 3 * 48000
    for path in sorted(DECODED.glob("vctk_48k*/reference/*.flac")):
        folder = min(each for each in path.parents[1].iterdir() if each != path.parent)
        pair = [soundfile.read(each, frames=size)[0] for each in (path, folder / path.name)]
        if all(wave.size == size for wave in pair):
            return pair[0], pair[1][None]
    reference, degraded = _synthetic(0, 48000)
    return reference[:size], degraded[-1:, :size]


def _decoded() -> list[tuple[np.ndarray, np.ndarray]]:
    """The shortest utterances of at least three seconds that six codecs have decoded."""
    utterances = []
    for path in DECODED.glob("libritts_16k*/reference/*.flac"):
        folders = sorted(each for each in path.parents[1].iterdir() if each != path.parent)
        files = [folder / path.name for folder in folders][:CODECS]
        if soundfile.info(path).duration >= SHORTEST and len(files) == CODECS:
            waves = [soundfile.read(each)[0] for each in (path, *files)]
            size = min(wave.size for wave in waves)
            utterances.append((waves[0][:size], np.stack([wave[:size] for wave in waves[1:]])))
    return sorted(utterances, key=lambda pair: pair[0].size)[:UTTERANCES]


def _synthetic(seed: int, rate: int = 16000) -> tuple[np.ndarray, np.ndarray]:
    """Harmonics in syllables, with noise of six levels."""
    time = np.arange(rate * (4 + seed)) / rate
    voice = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 30))
    wave = 0.1 * voice * np.clip(np.sin(2 * np.pi * 2.3 * time), 0, None)
    noise = np.random.default_rng(seed).standard_normal((CODECS, time.size))
    reference = wave + 1e-4 * noise[0]
    return reference, reference + noise * np.geomspace(0.001, 0.03, CODECS)[:, None]


@pytest.fixture
def race(tmp_path, measured):
    """Run contestants on utterances; print and return their reports."""

    def run(utterances, contestants, *, rounds, rate=16000):
        audio = {}
        for number, (reference, degraded) in enumerate(utterances):
            audio |= {f"reference_{number}": reference, f"degraded_{number}": degraded}
        np.savez(tmp_path / "audio.npz", **audio)
        scored = sum(each.size for name, each in audio.items() if name.startswith("deg")) / rate
        reports = {
            name: _contest(name, tmp_path / "audio.npz", rounds)
            for name in contestants
            if "accelerated" not in name or importlib.util.find_spec("numba")
        }
        print(f"\n{scored:.1f} s of degraded audio, {rate // 1000} kHz, one core")
        _print(reports, scored, measured)
        return {name: np.array(report["values"]) for name, report in reports.items()}

    return run


def _contest(name: str, audio: Path, rounds: int) -> dict:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), name, str(audio), str(rounds)],
        capture_output=True,
        text=True,
        env=os.environ | ONE_THREAD,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _print(reports: dict[str, dict], scored: float, measured: Measured) -> None:
    """One line per contestant; the first one is the measure of all."""
    least = next(iter(reports.values()))
    for name, report in reports.items():
        print(
            f"  {name:<20} {report['seconds'] / scored:8.4f} CPU s per audio s"
            f"  {report['seconds'] / least['seconds']:6.1f} x"
            f"   first score after {report['start']:5.1f} s"
        )
    ours, *others = reports
    for name in others:
        measured.add_ratio(ROWS[name], reports[name]["seconds"] / reports[ours]["seconds"])


def test_visqol(race, corpus):
    """Speech mode, exponential, one pair, nothing to share."""
    reference, degraded = corpus[0]
    names = ["visqol: synbench", "visqol: accelerated", "visqol: core"]
    values = race([(reference, degraded[:1])], names, rounds=3)
    # The package aligns by another envelope, so a few files differ by up to 0.03.
    for other in values.values():
        assert other == pytest.approx(values["visqol: synbench"], abs=0.03)


def test_visqol_audio(race, wide):
    """Audio mode, one pair, nothing to share."""
    names = ["audio: synbench", "audio: accelerated", "audio: core"]
    values = race([wide], names, rounds=3, rate=48000)
    for other in values.values():
        assert other == pytest.approx(values["audio: synbench"], abs=0.03)


def test_stoi_and_estoi(race, corpus):
    """Both columns of one pair, which share all but their last step."""
    reference, degraded = corpus[0]
    values = race([(reference, degraded[:1])], ["stoi: synbench", "stoi: pystoi"], rounds=20)
    assert values["stoi: synbench"] == pytest.approx(values["stoi: pystoi"], abs=1e-9)


def test_a_stage(race, corpus):
    """PESQ-WB, STOI, ESTOI and ViSQOL of every utterance by every codec."""
    names = ["stage: synbench", "stage: accelerated", "stage: core"]
    values = race(corpus, names, rounds=1)
    assert values["stage: synbench"].shape == (CODECS * len(corpus), 4)
    for other in values.values():
        assert other[:, :3] == pytest.approx(values["stage: synbench"][:, :3], abs=1e-9)
        assert other[:, 3] == pytest.approx(values["stage: synbench"][:, 3], abs=0.03)
