"""How commands grow: with the rows of a run, the items of a corpus, the files of a killed run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from measured import Measured
from test_reading_speed import big_run

from synbench.cache import Measurements, stamp
from synbench.corpora._measure import measure_file
from synbench.execution.manifest import item_rows
from synbench.execution.plan import make_plan
from synbench.results.cells import Store
from synbench.results.compact import compact
from synbench.results.planned import read_planned
from synbench.results.store import RunFolder
from synbench.suite import make_suite

CODECS, METRICS = 20, 10
MOST_ITEMS_IN_A_FOLDER = 1000
MOST_SECONDS_OF_A_MILLION_ROWS = 2.0

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]


def cpu_seconds(script: str) -> float:
    """What a script takes in a process of its own, start included."""
    before = os.times()
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def commands(folder: Path) -> dict[str, float]:
    """The least CPU seconds of three times each."""
    start = "import sys; from synbench.__main__ import main; sys.argv = ['synbench', {}]; main()"
    scripts = {
        "show": start.format(f"'show', {str(folder)!r}"),
        "compare": start.format(f"'compare', {str(folder)!r}, '--metrics', 'metric3'"),
        "scores": f"import synbench; synbench.open({str(folder)!r}).scores()",
    }
    return {name: min(cpu_seconds(text) for _ in range(3)) for name, text in scripts.items()}


@pytest.mark.parametrize("rows", [1_000_000, 10_000_000])
def test_rows(rows: int, tmp_path: Path, measured: Measured) -> None:
    (tmp_path / "few").mkdir()
    few = commands(big_run(tmp_path / "few", 200, CODECS, METRICS))
    many = commands(big_run(tmp_path, rows // (CODECS * METRICS), CODECS, METRICS))
    seconds = {name: max(0.0, many[name] - few[name]) for name in many}
    measured.add("rows", f"{rows / 1e6:g} million rows", **seconds)
    measured.add("rows", "to start", **few)
    assert max(seconds.values()) < MOST_SECONDS_OF_A_MILLION_ROWS * rows / 1e6


@pytest.mark.parametrize("items", [1000, 10_000, 100_000])
def test_items(
    items: int, tmp_path: Path, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    corpus = tmp_path / "corpus"
    first = corpus
    for number in range(items):
        path = corpus / f"{number // MOST_ITEMS_IN_A_FOLDER:03}" / f"{number:06}.wav"
        if number % MOST_ITEMS_IN_A_FOLDER:
            os.link(first, path)
            continue
        path.parent.mkdir(parents=True)
        first = path
        soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 1600), 16000)
    time.sleep(2.5)  # files that changed a moment ago are not remembered
    facts = measure_file(first)
    stamps = (stamp(path) for path in corpus.rglob("*.wav"))
    with Measurements() as memory:
        memory.put({one: facts for one in stamps if one is not None})
    suite = make_suite(
        {
            "name": "many",
            "corpora": [f"folder:path={corpus}"],
            "codecs": ["lowpass-3k5"],
            "metrics": ["si_sdr"],
        }
    )
    spent = []
    for _ in range(3):
        before = time.process_time()
        plan = make_plan(suite, RunFolder(tmp_path / "run"))
        planned = time.process_time()
        rows = item_rows(plan)
        spent.append((planned - before, time.process_time() - planned))
    assert len(rows) == plan.missing_scores == items
    plan_seconds, list_seconds = (min(side) for side in zip(*spent, strict=True))
    measured.add("items", f"{items} items", plan=plan_seconds, list_of_items=list_seconds)


@pytest.mark.parametrize("shards", [10, 1000, 10_000])
def test_shards(shards: int, tmp_path: Path, measured: Measured) -> None:
    folder = big_run(tmp_path, 10_000, 1, 1)
    whole = RunFolder(folder).rows("scores", ["corpus", "item", "item_digest", "codec", "codec_id",
                                              "metric", "metric_id", "policy_id", "status",
                                              "value", "reason"])  # fmt: skip
    names = ("corpus", "item", "item_digest", "codec", "codec_id", "metric", "metric_id",
             "policy_id", "status", "value", "reason")  # fmt: skip
    shutil.rmtree(folder / "scores")
    each = len(whole) // shards
    for start in range(0, len(whole), each):
        rows = [dict(zip(names, row, strict=True)) for row in whole[start : start + each]]
        RunFolder(folder).add("scores", rows)

    def read() -> float:
        before = time.process_time()
        Store(read_planned(folder)).cells("speech")
        return time.process_time() - before

    apart = min(read() for _ in range(3))
    before = time.process_time()
    compact(RunFolder(folder))
    tidied = time.process_time() - before
    together = min(read() for _ in range(3))
    measured.add("shards", f"{shards} files", read=apart, put_together=tidied, read_then=together)
    assert len(RunFolder(folder).shards("scores")) == 1
