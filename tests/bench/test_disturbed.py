"""Fifty kills at random moments lose, double and change nothing; nor do twenty preemptions."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from compared_runs import CODECS, ITEMS, METRICS, end, rows, same, until
from slurm_cluster import absent_programs, slurm_cluster

Write = Callable[..., Path]
Environment = Callable[..., dict[str, str]]
KILLS, PREEMPTIONS = 50, 20
# Shares of the time that an undisturbed run takes, from its imports to the tidying at its end.
KILLED_AT = (0.3, 1.1)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]


@pytest.fixture
def suite(speech_folder: Path, write_suite: Write) -> Path:
    wave, rate = soundfile.read(speech_folder / "a.wav")
    for number in range(ITEMS - 3):
        soundfile.write(speech_folder / f"more{number}.wav", wave[number * 100 :], rate)
    return write_suite(speech_folder, codecs=CODECS, metrics=METRICS)


@pytest.fixture
def start(
    environment: Environment, plugin: Path, suite: Path
) -> Callable[..., subprocess.Popen[str]]:
    def begin(run: Path, *words: str, **more: str) -> Any:
        return subprocess.Popen(
            [sys.executable, "-m", "synbench", "run", suite, "--out", run, "--quiet", *words],
            env=environment(plugin) | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def check_kept(before: set[str], run: Path) -> set[str]:
    """All that a run has stored; nothing of what it had before is gone."""
    now = {repr(row) for stage in ("decodes", "scores") for row in rows(run, stage)}
    assert before <= now, "a stored row is lost or changed"
    return now


def test_fifty_kills(start: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = tmp_path / "alone"
    started = time.monotonic()
    end(start(alone, "--workers", "1"))
    seconds = time.monotonic() - started
    moments = random.Random(7)
    kills = finished = with_rows = 0
    kept: set[str] = set()
    while kills < KILLS:
        run = tmp_path / f"run-{finished}"
        started = time.monotonic()
        process = start(run, "--workers", "1")
        try:
            process.communicate(timeout=seconds * moments.uniform(*KILLED_AT))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            kept = check_kept(kept, run)
            with_rows += bool(kept)
            continue
        assert process.returncode == 0
        # The first run of all filled caches, and the machine may be less busy now.
        seconds = min(seconds, time.monotonic() - started)
        check_kept(kept, run)
        same(run, alone)
        finished, kept = finished + 1, set()
    run = tmp_path / f"run-{finished}"
    end(start(run))
    check_kept(kept, run)
    same(run, alone)
    with capsys.disabled():
        print(f"\n{kills} kills over {finished + 1} runs, {with_rows} with rows on the disk")


@pytest.mark.skipif(
    bool(absent_programs()),
    reason=f"needs {', '.join(absent_programs())}: apt-get install slurm-wlm munge",
)
def test_twenty_preemptions(start: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = tmp_path / "alone"
    end(start(alone))
    preempted = finished = 0
    with slurm_cluster(tmp_path / "c") as cluster:
        while preempted < PREEMPTIONS:
            run = tmp_path / f"run-{finished}"
            process = start(run, "--executor", "slurm", **cluster.environment)
            while process.poll() is None and preempted < PREEMPTIONS:
                held = {job[0] for job in cluster.running()}
                if held:
                    cluster.ask("sbatch", "-p", "high", "-N2", "-o", "/dev/null", "--wrap", "true")
                    until(lambda: not [job for job in cluster.jobs() if job[3] == "high"])
                    waiting = {job[0] for job in cluster.jobs() if job[1] == "PENDING"}
                    preempted += len(held & waiting)
            end(process, 600)
            same(run, alone)
            finished += 1
    with capsys.disabled():
        print(f"\n{preempted} preemptions over {finished} runs")
