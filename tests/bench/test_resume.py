"""The same command again is the resume, wherever the first one was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ITEMS = 8
METRICS = ["si_sdr", "log_spectral_distance", "mel_distance"]
MARK = "SYNBENCH_TEST_MARK"
CODECS = ["slow", "lowpass-3k5"]
Write = Callable[..., Path]


def rows(run: Path, stage: str) -> list[dict[str, Any]]:
    files = sorted((run / stage).glob("*.parquet"))
    return [row for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]


def cells(run: Path) -> Counter[tuple[str, ...]]:
    return Counter((row["item"], row["codec"], row["metric"]) for row in rows(run, "scores"))


@pytest.fixture
def many(tmp_path: Path, speech_folder: Path) -> Path:
    wave, rate = soundfile.read(speech_folder / "a.wav")
    for number in range(ITEMS - 3):
        soundfile.write(speech_folder / f"more{number}.wav", wave[number * 100 :], rate)
    return speech_folder


Command = tuple[list[str], dict[str, str]]


@pytest.fixture
def started(
    many: Path, write_suite: Write, plugin: Path, environment: Callable[..., dict[str, str]]
) -> Command:
    """The command that is killed, but for its output folder and workers, and its environment."""
    suite = write_suite(many, codecs=CODECS, metrics=METRICS)
    return [sys.executable, "-m", "synbench", "run", str(suite), "--quiet"], environment(plugin)


def test_killed_twice_nothing_is_lost_or_repeated(started: Command, tmp_path: Path) -> None:
    """Once while it starts or begins, once some rows later."""
    kill_and_finish(started, tmp_path / "run", delays=[1.0, 2.0], workers=2)


@pytest.mark.slow
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(delays=st.lists(st.floats(0.3, 3.0), min_size=1, max_size=3), workers=st.integers(1, 2))
def test_killed_at_any_moment_nothing_is_lost_or_repeated(
    delays: list[float], workers: int, started: Command, tmp_path: Path
) -> None:
    run = tmp_path / f"run-{time.monotonic_ns()}"
    kill_and_finish(started, run, delays=delays, workers=workers)


def kill_and_finish(command: Command, run: Path, *, delays: Sequence[float], workers: int) -> None:
    words, variables = command
    words = [*words, "--out", str(run), "--workers", str(workers)]
    finished: Counter[tuple[str, ...]] = Counter()
    kept: set[str] = set()
    for delay in delays:
        process = subprocess.Popen(
            words, env=variables | {MARK: run.name}, stderr=subprocess.DEVNULL
        )
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for_the_end_of(run.name)
        now = cells(run)
        assert not finished - now, "a finished cell is lost"
        # A run that got to its end makes one file of many; what they said stays, to the second.
        stored = {repr(row) for stage in ("decodes", "scores") for row in rows(run, stage)}
        assert kept <= stored
        finished, kept = now, stored
    last = subprocess.run(words, env=variables, stderr=subprocess.PIPE, text=True, check=False)
    assert last.returncode == 0, last.stderr
    assert set(cells(run).values()) == {1}, "a finished cell was computed again"
    assert len(cells(run)) == ITEMS * len(CODECS) * len(METRICS)
    assert {row["status"] for row in rows(run, "scores")} <= {"ok", "not_applicable"}
    assert not list(run.rglob("*.tmp")), "half a file is left"


def wait_for_the_end_of(mark: str) -> None:
    """Workers end by themselves when their parent is killed; give them a moment."""
    deadline = time.monotonic() + 60
    while marked(mark):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(0.02)


def test_a_finished_run_does_nothing_and_is_quick(
    many: Path, write_suite: Write, synbench: Callable[..., Any], tmp_path: Path
) -> None:
    suite, run = write_suite(many, metrics=["si_sdr"]), tmp_path / "run"
    assert synbench("run", suite, "--out", run).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.*/*.*")}
    stored = rows(run, "scores")
    again = synbench("run", suite, "--out", run)
    assert again.returncode == 0
    assert f"all {ITEMS} scores are there" in again.stderr
    assert rows(run, "scores") == stored
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*.*/*.*")} == before


def test_workers_end_with_their_parent(
    many: Path,
    write_suite: Write,
    plugin: Path,
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> None:
    mark = f"synbench-test-{time.monotonic_ns()}"
    suite, run = write_suite(many, codecs=["slow"]), tmp_path / "run"
    started = subprocess.Popen(
        [sys.executable, "-m", "synbench", "run", str(suite), "--out", str(run)],
        env=environment(plugin) | {MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 90
    while len(marked(mark)) < 4:  # the command, its two helpers, a worker
        assert time.monotonic() < deadline, "no workers came up"
        time.sleep(0.05)
    started.kill()
    started.wait()
    wait_for_the_end_of(mark)


def marked(mark: str) -> list[Path]:
    """Processes that carry a mark in their environment."""
    processes = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}\0".encode() in (process / "environ").read_bytes():
                processes.append(process)
        except OSError:
            continue
    return processes
