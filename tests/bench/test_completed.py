"""A run that is complete and unchanged is not planned again; whatever changed, it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.console import Console

import synbench.running
from synbench.errors import EnvironmentFault
from synbench.results.store import RunFolder
from synbench.running import RunSummary, complete_run, read_suite

LONG_AGO = (1_600_000_000, 1_600_000_000)


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    speech = tmp_path / "speech"
    speech.mkdir()
    for name in ("a", "b"):
        write(speech / f"{name}.wav", seed=ord(name))
    (speech / "a.txt").write_text("one")
    return {
        "name": "often",
        "corpora": [f"folder:path={speech}"],
        "codecs": ["lowpass-3k5"],
        "metrics": ["si_sdr"],
        "failure_budget": 9,
    }


def write(path: Path, *, seed: int) -> None:
    """A wave of noise whose file changed long ago: one of just now is not known by its stamp."""
    soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, 8000), 16000)
    os.utime(path, LONG_AGO)


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The suites that were planned."""
    planned: list[Any] = []
    make_plan = synbench.running.make_plan

    def counted(suite: Any, *args: Any, **more: Any) -> Any:
        planned.append(suite)
        return make_plan(suite, *args, **more)

    monkeypatch.setattr(synbench.running, "make_plan", counted)
    return planned


def start(suite: dict[str, Any], folder: Path, said: list[str] | None = None) -> RunSummary:
    console = Console(quiet=said is None, record=True, width=200)
    ended = complete_run(read_suite(suite), out=folder, workers=0, console=console)
    if said is not None:
        said.append(console.export_text())
    return ended


def test_nothing_to_do_is_found_without_a_plan(
    suite: dict[str, Any], tmp_path: Path, plans: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "speech" / "c.wav").write_bytes(b"RIFF but no audio")
    os.utime(tmp_path / "speech" / "c.wav", LONG_AGO)
    run, said = tmp_path / "run", list[str]()
    first = start(suite, run, said)
    planned, stored = len(plans), RunFolder(run).digest()
    again = start(suite, run, said)
    assert len(plans) == planned
    assert said[0].splitlines()[0] == said[1].splitlines()[0]
    assert "3 utterances" in said[-1] and "all 3 scores are there" in said[-1]
    assert again.lines() == first.lines()
    assert RunFolder(run).digest() == stored
    assert (run / "log.txt").read_text().splitlines()[-1].endswith("end: 1 of 3 scores failed")
    assert again.plan.complete
    assert again.plan.total_scores == again.total_scores == 3


def new_sound(folder: Path) -> None:
    write(folder / "speech" / "a.wav", seed=7)


def one_more(folder: Path) -> None:
    write(folder / "speech" / "c.wav", seed=7)


def new_text(folder: Path) -> None:
    (folder / "speech" / "a.txt").write_text("two")


def scores_gone(folder: Path) -> None:
    for path in (folder / "run" / "scores").iterdir():
        path.unlink()


def other_manifest(folder: Path) -> None:
    path = folder / "run" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"packages": {}}))


def broken_note(folder: Path) -> None:
    (note,) = (folder / "cache" / "complete").iterdir()
    note.write_text("[1")


@pytest.mark.parametrize("column", ["speaker", "transcript", "gender", "language", "accent"])
def test_another_word_in_a_manifest_is_planned(
    column: str, suite: dict[str, Any], tmp_path: Path, plans: list[Any]
) -> None:
    table = tmp_path / "speech" / "manifest.csv"
    table.write_text(f"file,{column}\na.wav,en\n")
    os.utime(table, LONG_AGO)
    suite["corpora"] = [f"manifest:path={table}"]
    start(suite, tmp_path / "run")
    planned = len(plans)
    start(suite, tmp_path / "run")
    assert len(plans) == planned
    table.write_text(f"file,{column}\na.wav,de\n")
    os.utime(table, LONG_AGO)
    start(suite, tmp_path / "run")
    assert len(plans) == planned + 1


@pytest.mark.parametrize(
    "change",
    [
        new_sound,
        one_more,
        new_text,
        scores_gone,
        other_manifest,
        broken_note,
    ],
)
def test_whatever_changed_is_planned(
    change: Callable[[Path], None], suite: dict[str, Any], tmp_path: Path, plans: list[Any]
) -> None:
    start(suite, tmp_path / "run")
    start(suite, tmp_path / "run")
    assert len(plans) == 1
    change(tmp_path)
    ended = start(suite, tmp_path / "run")
    assert len(plans) == 2
    files = list((tmp_path / "speech").glob("*.wav"))
    assert len(RunFolder(tmp_path / "run").manifest()["packages"]) > 3
    assert (ended.total_scores, ended.failures.total()) == (len(files), 0)
    assert start(suite, tmp_path / "run").plan.complete


def test_another_suite_and_every_retry_are_planned(
    suite: dict[str, Any], tmp_path: Path, plans: list[Any]
) -> None:
    start(suite, tmp_path / "run")
    more = start(suite | {"metrics": ["si_sdr", "stoi"]}, tmp_path / "run")
    assert more.total_scores == 4 and len(plans) == 2
    suite_again = read_suite(suite | {"metrics": ["si_sdr", "stoi"]})
    complete_run(
        suite_again, out=tmp_path / "run", workers=0, retry=True, console=Console(quiet=True)
    )
    assert len(plans) == 3


def test_a_flipped_bit_is_found_where_nothing_is_to_do(
    suite: dict[str, Any], tmp_path: Path
) -> None:
    start(suite, tmp_path / "run")
    (scores,) = (tmp_path / "run" / "scores").iterdir()
    status, content = scores.stat(), bytearray(scores.read_bytes())
    content[len(content) // 2] ^= 1
    scores.write_bytes(content)
    os.utime(scores, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(EnvironmentFault, match="not those that were written"):
        start(suite, tmp_path / "run")


def test_files_of_just_now_are_planned_again(
    suite: dict[str, Any], tmp_path: Path, plans: list[Any]
) -> None:
    os.utime(tmp_path / "speech" / "b.wav")
    start(suite, tmp_path / "run")
    start(suite, tmp_path / "run")
    assert len(plans) == 2
