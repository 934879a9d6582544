"""The forecast: from what metrics declare, and from the rows of the run once there are some."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import synbench
import synbench_metrics
from synbench.execution.execute import execute
from synbench.execution.executors import Serial
from synbench.execution.forecast import Forecast
from synbench.execution.plan import FILES_COST_SECONDS, make_plan
from synbench.execution.units import CellWork, DecodeUnit, ScoreUnit
from synbench.execution.worker import FILES, UnitReport
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


def test_the_first_unit_corrects_the_rest_of_the_same_metric(
    speech_folder: Path,
    write_suite: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    plan = make_plan(load_suite(write_suite(speech_folder)), RunFolder(tmp_path / "run"))
    times = iter([0.0, 1.0, 2.0, 60.0])
    forecast = Forecast(plan, workers=2, clock=lambda: next(times))
    assert forecast.cpu_seconds_left == pytest.approx(plan.forecast_cpu_seconds)
    assert forecast.seconds_left == pytest.approx(plan.forecast_cpu_seconds / 2)
    ((first, codec), metrics), *rest = plan.scores.items()
    cell = CellWork(codec=codec, metrics=metrics)
    unit = ScoreUnit(run="", policy_id="", items=((first, (cell,)),), attempt=0)
    left = forecast.cpu_seconds_left - plan.score_cost(first, metrics)
    slow, other = (metric.metric_id for metric in metrics)
    costs = {metric.point.metric_id: metric.cost * first.seconds for metric in plan.metrics}
    took = {slow: 7 * costs[slow], other: costs[other]}
    forecast.hear(unit, UnitReport(measured=took))
    assert forecast.cpu_seconds_left == pytest.approx(left + 6 * len(rest) * costs[slow])
    # What failed is done, and says nothing about the others.
    before = forecast.cpu_seconds_left
    ((second, _), _), *_ = rest
    unit = ScoreUnit(run="", policy_id="", items=((second, (cell,)),), attempt=0)
    forecast.hear(unit, UnitReport(measured={slow: 99.0}, reasons=Counter({"broken": 2})))
    corrected = 6 * costs[slow] + plan.score_cost(second, metrics)
    assert forecast.cpu_seconds_left == pytest.approx(before - corrected)
    # In the end all of it is done.
    for codec_point, items in plan.decodes.items():
        decode = DecodeUnit(run="", policy_id="", codec=codec_point, items=items, attempt=0)
        forecast.hear(decode, UnitReport())
    ((third, _), _) = rest[1]
    unit = ScoreUnit(run="", policy_id="", items=((third, (cell,)),), attempt=0)
    forecast.hear(unit, UnitReport())
    assert forecast.cpu_seconds_left == pytest.approx(0.0, abs=1e-9)


def test_units_say_what_they_took(
    speech_folder: Path,
    write_suite: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    plan = make_plan(load_suite(write_suite(speech_folder)), RunFolder(tmp_path / "run"))
    measured: dict[str, float] = {}
    execute(
        plan,
        RunFolder(tmp_path / "run"),
        Serial(),
        lambda _, report: measured.update(report.measured),
    )
    keys = {codec.point.codec_id for codec in plan.codecs}
    keys |= {metric.point.metric_id for metric in plan.metrics}
    assert measured.keys() == keys | {FILES}
    assert all(measured[key] > 0 for key in keys)
