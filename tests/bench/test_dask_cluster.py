"""Runs on a Dask scheduler and workers in processes of their own, some of which are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from compared_runs import CODECS, ITEMS, METRICS, end, same, until

Write = Callable[..., Path]
Environment = Callable[..., dict[str, str]]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class DaskCluster:
    """A scheduler and two workers, each in a group of processes of its own."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        pytest.importorskip("distributed", reason="no dask: pip install 'synbench[dask]'")
        self._folder, self._variables = folder, variables
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.start()

    def start(self) -> None:
        where = self._folder / "scheduler.json"
        where.unlink(missing_ok=True)
        self._begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                    "--scheduler-file", str(where))  # fmt: skip
        until(where.exists)
        self.executor = f"dask:scheduler_file={where}"
        for name in ("first", "second"):
            self.start_worker(name)

    def start_worker(self, name: str) -> None:
        where = self._folder / "scheduler.json"
        self._begin("worker", "--scheduler-file", str(where), "--nworkers", "1",
                    "--nthreads", "1", "--no-dashboard", name=name)  # fmt: skip

    def _begin(self, what: str, *words: str, name: str = "") -> None:
        self._processes[name or what] = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + what, *words],
            env=self._variables,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self, name: str) -> None:
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for name in list(self._processes):
            self.kill(name)


@pytest.fixture
def cluster(tmp_path: Path, environment: Environment, plugin: Path) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path, environment(plugin))
    yield cluster
    cluster.stop()


@pytest.fixture
def suite(speech_folder: Path, write_suite: Write) -> Path:
    wave, rate = soundfile.read(speech_folder / "a.wav")
    for number in range(ITEMS - 3):
        soundfile.write(speech_folder / f"more{number}.wav", wave[number * 100 :], rate)
    return write_suite(speech_folder, codecs=CODECS, metrics=METRICS)


@pytest.fixture
def started(
    environment: Environment, plugin: Path, suite: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []

    def start(run: Path, executor: str) -> Any:
        words = ["run", str(suite), "--out", str(run), "--executor", executor, "--quiet"]
        process = subprocess.Popen(
            [sys.executable, "-m", "synbench", *words],
            env=environment(plugin),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.communicate()


def is_at_work(run: Path) -> bool:
    """Whether a unit of the slow codec has begun, and cannot have ended."""
    return any((run / "bitstreams").glob("slow-*/speech/*"))


def test_a_worker_is_lost_then_the_scheduler(
    cluster: DaskCluster, started: Any, tmp_path: Path
) -> None:
    alone, run = tmp_path / "alone", tmp_path / "run"
    end(started(alone, "local"))
    process = started(run, cluster.executor)
    until(lambda: is_at_work(run))
    cluster.kill("first")  # one of the two has it
    cluster.kill("second")
    cluster.start_worker("third")
    end(process)
    same(run, alone)

    cluster.start_worker("fourth")
    lost = tmp_path / "lost"
    process = started(lost, cluster.executor)
    until(lambda: is_at_work(lost))
    cluster.kill("scheduler")
    _, said = process.communicate(timeout=200)
    assert process.returncode == 3, said
    assert "scheduler" in said
    assert "same command again" in said
    cluster.stop()
    cluster.start()
    end(started(lost, cluster.executor))
    same(lost, alone)
