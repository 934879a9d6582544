"""The forecast: from what metrics declare, and from the rows of the run once there are some."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import synbench
import synbench_metrics
from synbench.execution.plan import FILES_COST_SECONDS, make_plan
from synbench.results.store import RunFolder
from synbench.suite import load_suite


def test_a_plan_starts_from_declared_costs_and_learns_from_the_run(
    speech_folder: Path,
    write_suite: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    suite = load_suite(write_suite(speech_folder))
    run = RunFolder(tmp_path / "run")
    plan = make_plan(suite, run)
    declared = {
        column: synbench_metrics.load(column).info.cpu_seconds_per_audio_second
        for column in ("si_sdr", "log_spectral_distance")
    }
    assert {metric.point.column: metric.cost for metric in plan.metrics} == declared
    (codec,) = plan.codecs
    per_second = sum(declared.values()) + codec.cost + 2 * FILES_COST_SECONDS
    assert plan.forecast_cpu_seconds == pytest.approx(3 * per_second)  # three waves of 1 s

    metric = next(each for each in plan.metrics if each.point.column == "si_sdr")
    item = plan.items[0]
    row = {
        "corpus": item.corpus,
        "item": item.item,
        "item_digest": item.digest,
        "codec_id": codec.point.codec_id,
        "metric": "si_sdr",
        "metric_id": metric.point.metric_id,
        "policy_id": plan.policy_id,
        "status": "ok",
        "value": 1.0,
        "transient": False,
        "written": 1.0,
        "seconds": 2.0,
        "cpu_seconds": 0.5,
    }
    # A failure ends early: what it cost says nothing about a score.
    run.add("scores", [row, row | {"item": "b", "status": "failed", "cpu_seconds": 99.0}])
    learned = {each.point.column: each.cost for each in make_plan(suite, run).metrics}
    assert learned == declared | {"si_sdr": 0.25}


def test_another_run_forecasts_from_what_this_machine_remembers(
    speech_folder: Path,
    write_suite: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    suite = load_suite(write_suite(speech_folder))
    first, another = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "another")
    (codec,) = make_plan(suite, first).codecs
    costs = {codec.point.codec_id: 0.75}
    (tmp_path / "cache" / "costs.json").write_text(json.dumps(costs))
    assert make_plan(suite, another).codecs[0].cost == 0.75
    (tmp_path / "cache" / "costs.json").write_text("[broken")
    assert make_plan(suite, another).codecs[0].cost == codec.cost


def test_a_run_remembers_what_it_measured(
    speech_folder: Path,
    write_suite: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    suite = load_suite(write_suite(speech_folder))
    synbench.run(suite, out=tmp_path / "run", workers=0, quiet=True)
    remembered = json.loads((tmp_path / "cache" / "costs.json").read_text())
    (codec,) = make_plan(suite, RunFolder(tmp_path / "another")).codecs
    assert codec.cost == remembered[codec.point.codec_id] > 0


@pytest.mark.parametrize("column", synbench_metrics.names())
def test_every_metric_declares_a_cost(column: str) -> None:
    assert 0 < synbench_metrics.load(column).info.cpu_seconds_per_audio_second < 10
