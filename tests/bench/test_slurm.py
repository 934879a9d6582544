"""Runs on a real SLURM of two nodes: what it takes away is done again, and rows are the same."""

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
from compared_runs import CODECS, ITEMS, METRICS, end, rows, same, until
from slurm_cluster import SlurmCluster, absent_programs, slurm_cluster

Write = Callable[..., Path]
Environment = Callable[..., dict[str, str]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        bool(absent_programs()),
        reason=f"needs {', '.join(absent_programs())}: apt-get install slurm-wlm munge",
    ),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    # Sockets have short names.
    with slurm_cluster(tmp_path_factory.mktemp("c"), "MaxArraySize=6\n") as cluster:
        yield cluster


@pytest.fixture
def started(
    cluster: SlurmCluster, environment: Environment, plugin: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts ``synbench run`` and ends it with the test, if it has not ended by itself."""
    processes: list[subprocess.Popen[str]] = []

    def start(suite: Path, run: Path, executor: str = "slurm", **more: str) -> Any:
        words = ["run", str(suite), "--out", str(run), "--executor", executor, "--quiet"]
        process = subprocess.Popen(
            [sys.executable, "-m", "synbench", *words],
            env=environment(plugin) | cluster.environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.communicate()
    cluster.ask("scancel", "--partition=low,high")


@pytest.fixture
def many(tmp_path: Path, speech_folder: Path) -> Path:
    wave, rate = soundfile.read(speech_folder / "a.wav")
    for number in range(ITEMS - 3):
        soundfile.write(speech_folder / f"more{number}.wav", wave[number * 100 :], rate)
    return speech_folder


@pytest.fixture
def alone(many: Path, write_suite: Write, tmp_path: Path, started: Any) -> tuple[Path, Path]:
    """The suite, and its run on this machine alone."""
    suite, run = write_suite(many, codecs=CODECS, metrics=METRICS), tmp_path / "alone"
    end(started(suite, run, "local"))
    return suite, run


def test_rows_are_those_of_one_machine(
    alone: tuple[Path, Path], started: Any, tmp_path: Path, cluster: SlurmCluster
) -> None:
    suite, local = alone
    run, scratch = tmp_path / "run", tmp_path / "scratch"
    end(started(suite, run, SYNBENCH_SCRATCH=str(scratch)))
    same(run, local)
    assert not (run / "slurm").exists()
    assert not list(scratch.rglob("*.flac"))


def test_preempted_and_the_node_dies(
    alone: tuple[Path, Path], started: Any, tmp_path: Path, cluster: SlurmCluster
) -> None:
    suite, local = alone
    run = tmp_path / "run"
    process = started(suite, run)
    until(cluster.running)
    cluster.ask("sbatch", "-p", "high", "-N2", "-o", "/dev/null", "--wrap", "sleep 3")
    until(lambda: not cluster.running())
    until(cluster.running)
    node = cluster.running()[0][2]
    cluster.kill_node(node)
    try:
        said = end(process)
    finally:
        cluster.start_node(node)
        until(lambda: cluster.states() == ["idle", "idle"])
    same(run, local)
    assert "tried again" not in said


def test_interrupted_nothing_stays_on_the_cluster(
    alone: tuple[Path, Path], started: Any, tmp_path: Path, cluster: SlurmCluster
) -> None:
    suite, local = alone
    run = tmp_path / "run"
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = started(suite, run)
        until(cluster.running)
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=60)
        assert process.returncode == code, said
        assert "resumes" in said
        until(lambda: not cluster.jobs(), 30)
    process = started(suite, run)
    until(cluster.running)
    process.kill()
    process.communicate()
    left = {job[0] for job in cluster.jobs()}
    assert left, "a run that was killed cannot cancel"
    process = started(suite, run)
    until(lambda: not left & {job[0] for job in cluster.jobs()})
    end(process)
    same(run, local)


def test_what_is_refused_and_what_takes_too_long(
    many: Path, write_suite: Write, started: Any, tmp_path: Path
) -> None:
    suite = write_suite(many, codecs=["lowpass-3k5"], metrics=["si_sdr"])
    process = started(suite, tmp_path / "refused", "slurm:partition=nowhere")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "partition" in said.lower()


def test_a_cell_beyond_the_time_limit_fails_alone(
    many: Path, write_suite: Write, started: Any, tmp_path: Path, environment: Environment
) -> None:
    for path in sorted(many.glob("more*"))[1:]:
        path.unlink()
    wave, rate = soundfile.read(many / "b.wav")
    soundfile.write(many / "b.wav", wave[:4000], rate)
    suite = write_suite(many, codecs=["endless", "lowpass-3k5"], metrics=["si_sdr"])
    run = tmp_path / "run"
    process = started(suite, run, "slurm:minutes=1")
    process.communicate(timeout=900)
    assert process.returncode == 1
    failed = {(row["codec"], row["item"]): row["reason"] for row in rows(run, "decodes")
              if row["status"] != "ok"}  # fmt: skip
    assert failed.keys() == {("endless", "b")}
    assert "longer than 1 minutes" in failed["endless", "b"]
