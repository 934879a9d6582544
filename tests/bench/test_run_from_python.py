"""``synbench.run``: a suite as a dictionary, a path or a name, from a script like any other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import synbench
from synbench.errors import EnvironmentFault, UsageError
from synbench.running import complete_run, read_suite

SCRIPT = """
import synbench
run = synbench.run({suite!r}, out={out!r}, workers=2, quiet=True)
open({log!r}, "a").write(" ".join(sorted(run.scores()["item"])))
"""


@pytest.fixture
def suite(speech_folder: Path) -> dict[str, Any]:
    return {
        "name": "from-python",
        "corpora": [f"folder:path={speech_folder}"],
        "codecs": ["lowpass-3k5"],
        "metrics": ["SI-SDR", "si_sdr"],
    }


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))


def finish(suite: Any, out: Path, **more: Any) -> Any:
    return complete_run(read_suite(suite), out=out, workers=0, console=Console(quiet=True), **more)


def test_a_column_written_twice_is_one(suite: dict[str, Any], tmp_path: Path) -> None:
    ended = finish(suite, tmp_path / "run")
    assert (ended.plan.total_scores, ended.failures.total()) == (3, 0)
    assert [metric.info.column for metric in ended.plan.metrics] == ["si_sdr"]
    assert finish(suite, tmp_path / "run").plan.complete


def test_failures_are_counted_with_their_reasons(
    suite: dict[str, Any], speech_folder: Path, tmp_path: Path
) -> None:
    (speech_folder / "b.wav").write_bytes(b"RIFF but no audio")
    ended = finish(suite, tmp_path / "run")
    assert ended.over_budget
    assert ended.lines()[0] == "1 of 3 scores failed (the suite allows 0):"
    assert "b.wav" in ended.lines()[1]
    assert not finish(suite | {"failure_budget": 1}, tmp_path / "run").over_budget


def test_a_suite_that_is_none(suite: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="codcs: unknown key; did you mean codecs"):
        read_suite(suite | {"codcs": []})
    with pytest.raises(UsageError, match=r"no suite 'dmeo'.*did you mean demo"):
        read_suite("dmeo")


def test_a_device_that_is_not_there_is_refused_before_anything_is_made(
    suite: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNBENCH_DEVICE", "cuda:63")
    with pytest.raises(EnvironmentFault, match="SYNBENCH_DEVICE=cuda:63"):
        finish(suite, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_script_without_a_guard_runs_once(
    suite: dict[str, Any],
    tmp_path: Path,
    environment: Callable[..., dict[str, str]],
) -> None:
    script, log = tmp_path / "script.py", tmp_path / "log"
    program = SCRIPT.format(suite=suite, out=str(tmp_path / "run"), log=str(log))
    script.write_text(f"open({str(log)!r}, 'a').write('started ')\n" + program)
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert log.read_text() == "started a b c"


def test_more_failures_than_allowed_are_a_warning_and_rows(
    suite: dict[str, Any], speech_folder: Path, tmp_path: Path
) -> None:
    (speech_folder / "b.wav").write_bytes(b"RIFF but no audio")
    with pytest.warns(UserWarning, match="1 of 3 scores failed .the suite allows 0.:"):
        run = synbench.run(suite, out=tmp_path / "run", workers=0, quiet=True)
    rows = run.scores().set_index("item")
    assert rows.loc["b", "status"] == "failed"
    assert "b.wav" in rows.loc["b", "reason"]
    assert rows.loc[["a", "c"], "value"].notna().all()
