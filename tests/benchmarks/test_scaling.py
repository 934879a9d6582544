"""How commands grow: with the rows of a run, the items of a corpus, the files of a killed run."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cpu_of_children import synbench_command, used
from measured import Measured
from test_reading_speed import big_run

from synbench.cache import Measurements, stamp
from synbench.corpora._measure import measure_file
from synbench.execution.manifest import item_rows
from synbench.execution.plan import Plan, make_plan
from synbench.results.cells import Store
from synbench.results.compact import compact
from synbench.results.planned import read_planned
from synbench.results.store import RunFolder
from synbench.suite import load_suite

CODECS, METRICS = 20, 10
MOST_ITEMS_IN_A_FOLDER = 1000
MOST_SECONDS_OF_A_MILLION_ROWS = 2.5

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("rows", [40_000, 1_000_000, 10_000_000])
def test_rows(rows: int, tmp_path: Path, measured: Measured) -> None:
    folder = str(big_run(tmp_path, rows // (CODECS * METRICS), CODECS, METRICS))
    frame = f"import synbench; synbench.open({folder!r}).scores()"
    commands = {
        "show": synbench_command("show", folder),
        "compare_one_metric": synbench_command("compare", folder, "--metrics", "metric3"),
        "report": synbench_command("report", folder),
        "scores_in_Python": [sys.executable, "-c", frame],
    }
    if rows > 1_000_000:
        del commands["report"]  # a page of 50,000 items
    times = 1 if rows > 1_000_000 else 3
    spent = {name: used(command, times=times) for name, command in commands.items()}
    label = f"{rows:,} rows"
    measured.add("rows", label, **{name: seconds for name, (seconds, _) in spent.items()})
    measured.add("memory", f"show, {label}", memory=spent["show"][1], CPU_seconds=spent["show"][0])
    most = 1 + MOST_SECONDS_OF_A_MILLION_ROWS * max(rows / 1e6, 1)
    assert spent["show"][0] < most


def many_items(folder: Path, items: int) -> Path:
    """A suite of a corpus whose files this machine knows: links to a few waves."""
    corpus = folder / "corpus"
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
    suite = folder / "suite.yaml"
    suite.write_text(
        f"name: many\ncorpora: ['folder:path={corpus}']\ncodecs: [lowpass-3k5]\nmetrics: [si_sdr]\n"
    )
    return suite


def store_everything(plan: Plan, run: RunFolder) -> None:
    """The rows that a whole run of the plan would leave."""
    (codec,), (metric,) = plan.codecs, plan.metrics
    keys = [
        {"corpus": item.corpus, "item": item.item, "item_digest": item.digest, "codec": "lowpass"}
        | {"codec_id": codec.point.codec_id, "policy_id": plan.policy_id, "status": "ok"}
        | {"seconds": item.seconds, "written": 1.0, "transient": False, "attempt": 1}
        for item in plan.items
    ]
    spent = {"encode_cpu_seconds": 0.1, "decode_cpu_seconds": 0.1}
    run.add("decodes", [key | spent for key in keys])
    scores = {"metric": "si_sdr", "metric_id": metric.point.metric_id, "value": 1.0}
    scores |= {"cpu_seconds": 0.1}
    run.add("scores", [key | scores for key in keys])


@pytest.mark.parametrize("items", [1000, 10_000, 100_000])
def test_items(
    items: int, tmp_path: Path, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    path = many_items(tmp_path, items)
    suite, run = load_suite(path), RunFolder(tmp_path / "run")
    spent = []
    for _ in range(3):
        before = time.process_time()
        plan = make_plan(suite, run)
        planned = time.process_time()
        rows = item_rows(plan)
        spent.append((planned - before, time.process_time() - planned))
    assert len(rows) == plan.missing_scores == items
    store_everything(plan, run)
    nothing = synbench_command("run", str(path), "--out", str(run.path), "--quiet")
    used(nothing)  # notes that all is there
    seconds, memory = used(nothing, times=3)
    plan_seconds, list_seconds = (min(side) for side in zip(*spent, strict=True))
    measured.add(
        "items",
        f"{items:,} items",
        plan=plan_seconds,
        list_of_items=list_seconds,
        nothing_to_do=seconds,
    )
    measured.add("memory", f"nothing to do, {items:,} items", memory=memory, CPU_seconds=seconds)


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
    measured.add("shards", f"{shards:,} files", read=apart, put_together=tidied, read_then=together)
    assert len(RunFolder(folder).shards("scores")) == 1
