"""The same run on a Slurm array (submitit's local stand-in for it) and on a Dask cluster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet
import pytest
import soundfile

from synbench.errors import UsageError
from synbench.execution.executors import make_executor

Command = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

CLUSTER = """
import distributed, sys
if __name__ == "__main__":
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=int(sys.argv[1]), dashboard_address=None,
        host="127.0.0.1",
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def cluster(
    environment: Callable[..., dict[str, str]], plugin: Path, tmp_path: Path
) -> Iterator[Callable[[int], str]]:
    """Starts a Dask cluster on this machine and gives its address."""
    pytest.importorskip("distributed")
    (tmp_path / "cluster.py").write_text(CLUSTER)
    started = []

    def start(threads: int) -> str:
        process = subprocess.Popen(
            [sys.executable, tmp_path / "cluster.py", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment(plugin) | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"},
        )
        started.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    yield start
    for process in started:
        process.communicate(timeout=60)


@pytest.fixture
def deadly_suite(speech_folder: Path, write_suite: Write) -> Path:
    """A suite whose codec ``deadly`` kills its worker on item ``b``."""
    wave, rate = soundfile.read(speech_folder / "b.wav")
    soundfile.write(speech_folder / "b.wav", wave[:3000], rate)
    return write_suite(speech_folder, codecs=["deadly", "lowpass-3k5"])


def check(done: subprocess.CompletedProcess[str], run: Path) -> None:
    """All cells are there once, and only the deadly one failed."""
    assert done.returncode == 1, done.stderr
    rows = [
        row
        for file in (run / "scores").glob("*.parquet")
        for row in pyarrow.parquet.read_table(file).to_pylist()
    ]
    cells = {(row["codec"], row["item"], row["metric"]): row for row in rows}
    assert len(rows) == len(cells) == 3 * 2 * 2
    failed = {key[:2]: row["reason"] for key, row in cells.items() if row["status"] != "ok"}
    assert failed.keys() == {("deadly", "b")}
    assert "worker process died" in failed["deadly", "b"]


@pytest.mark.slow
def test_slurm(deadly_suite: Path, synbench: Command, plugin: Path, tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    run = tmp_path / "run"
    done = synbench(
        "run", deadly_suite, "--out", run, "--executor", "slurm:cluster=local", paths=(plugin,)
    )
    check(done, run)
    assert not (run / "slurm" / "current").exists()


@pytest.mark.slow
def test_dask(
    deadly_suite: Path,
    synbench: Command,
    plugin: Path,
    cluster: Callable[[int], str],
    tmp_path: Path,
) -> None:
    run, address = tmp_path / "run", cluster(1)
    done = synbench(
        "run", deadly_suite, "--out", run, "--executor", f"dask:address={address}", paths=(plugin,)
    )
    check(done, run)


def test_dask_workers_with_threads_are_refused(
    deadly_suite: Path,
    synbench: Command,
    plugin: Path,
    cluster: Callable[[int], str],
    tmp_path: Path,
) -> None:
    arguments = ("--out", tmp_path / "run", "--executor", f"dask:address={cluster(2)}")
    done = synbench("run", deadly_suite, *arguments, paths=(plugin,))
    assert done.returncode == 2
    assert "--nthreads 1" in done.stderr


@pytest.mark.parametrize(
    ("executor", "said"),
    [
        ("sluurm", "there are: local, slurm, dask"),
        ("slurm:cluster=elsewhere", "slurm or local"),
        ("slurm:partion=cpu", "partition"),
        ("local:cores=3", "options of local: none"),
    ],
)
def test_what_is_refused(executor: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        make_executor(executor, workers=None, folder=tmp_path)
