"""Delays in tables, and which codecs keep to limits of delay and computing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench.commands.listing import codecs as listing
from synbench.errors import UsageError
from synbench.results.planned import PlannedRun, read_planned
from synbench.suite import make_suite
from synbench_codecs import delays_of
from synbench_reports.commands.show_and_export import export, show
from synbench_reports.tables.build_report import build_report, limited, within_limits
from synbench_reports.tables.delays import read_limits
from synbench_reports.tables.table import Cell

SHAPE = {"hop_length": 320, "lookahead_samples": 80, "output_delay_samples": 0}


@pytest.fixture
def run(made_run: Any) -> Path:
    """Alpha waits for 20 + 5 ms, Beta for the whole file, and the reference is an anchor."""
    manifest = json.loads((made_run.folder / "manifest.json").read_text())
    _, alpha, beta = manifest["codecs"]
    alpha |= SHAPE
    beta |= SHAPE | {"lookahead_samples": None}
    (made_run.folder / "manifest.json").write_text(json.dumps(manifest))
    return made_run.folder


def cells(planned: PlannedRun, name: str) -> dict[str, Cell]:
    (table,) = build_report(planned).tables
    (column_index,) = (n for n, column in enumerate(table.columns) if column.name == name)
    return {row.codec.label: row.cells[column_index] for row in table.rows}


def test_frame_look_ahead_and_delay_are_columns(run: Path) -> None:
    planned = read_planned(run)
    assert cells(planned, "frame_ms")["Alpha"].mean == pytest.approx(20)
    assert cells(planned, "lookahead_ms")["Alpha"].mean == pytest.approx(5)
    assert cells(planned, "delay_ms")["Alpha"].mean == pytest.approx(25)
    assert cells(planned, "delay_ms")["Beta"].note == "whole file"
    assert cells(planned, "delay_ms")["Reference"].mean is None


def test_a_run_whose_codecs_say_nothing_has_no_such_columns(made_run: Any) -> None:
    (table,) = build_report(read_planned(made_run.folder)).tables
    assert "delay" not in {column.group for column in table.columns}


@pytest.mark.parametrize(
    ("limits", "alpha"),
    [("latency_ms=30", "yes"), ("latency_ms=25", "yes"), ("latency_ms=24.9", "no")],
)
def test_who_keeps_to_a_limit_is_marked(run: Path, limits: str, alpha: str) -> None:
    marks = cells(limited(read_planned(run), limits), "within_limits")
    assert {name: cell.note for name, cell in marks.items()} == {
        "Reference": "?",
        "Alpha": alpha,
        "Beta": "no",
    }


def test_computing_is_counted_and_unknown_where_there_is_no_network(run: Path) -> None:
    pytest.importorskip("torch")
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["codecs"][1]["spec"] = "mdctcodec"
    (run / "manifest.json").write_text(json.dumps(manifest))
    planned = limited(read_planned(run), "giga_macs=0.7")
    counted = cells(planned, "giga_macs")
    # Encoder and decoder of the demonstration model, by the paper's dimensions.
    assert counted["Alpha"].mean == pytest.approx(2.1, abs=0.1)
    assert counted["Beta"].mean is None
    assert cells(planned, "within_limits")["Alpha"].note == "no"
    assert cells(planned, "within_limits")["Beta"].note == "?"


def test_a_tandem_adds_up_what_its_codecs_wait_for(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["corpora"][0] |= {"passes": 3, "earlier_delay": 0.01}
    (run / "manifest.json").write_text(json.dumps(manifest))
    planned = read_planned(run)
    assert cells(planned, "delay_ms")["Alpha"].mean == pytest.approx(3 * 25 + 10)
    manifest["corpora"][0] |= {"earlier_delay": None}
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert cells(read_planned(run), "delay_ms")["Alpha"].note == "whole file"


def test_only_those_that_keep_to_them(run: Path) -> None:
    (table,) = within_limits(build_report(limited(read_planned(run), "latency_ms=30"))).tables
    assert [row.codec.label for row in table.rows] == ["Alpha"]
    with pytest.raises(UsageError, match="no codec keeps"):
        within_limits(build_report(limited(read_planned(run), "latency_ms=1")))
    with pytest.raises(UsageError, match="no limits to keep to"):
        within_limits(build_report(read_planned(run)))


def test_show_and_export_print_the_marks(run: Path) -> None:
    shown = CliRunner().invoke(
        show, [str(run), "--limits", "latency_ms=30", "--width", "160", "--notes"]
    )
    assert "Within limits" in shown.output
    assert "whole file" in shown.output
    assert "at most 30 ms of delay" in shown.output
    written = CliRunner().invoke(
        export, [str(run), "--format", "csv", "--limits", "latency_ms=30", "--within"]
    )
    lines = written.output.splitlines()
    assert lines[0].startswith("corpus,codec")
    assert all(line.split(",")[1] == "Alpha" for line in lines[1:])
    assert any(",delay,delay_ms," in line for line in lines)


def test_a_suite_has_limits_of_its_own(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    suite = make_suite(
        {"name": "low", "corpora": ["default"], "codecs": ["g722"], "metrics": ["stoi"]}
        | {"limits": {"latency_ms": 30}}
    )
    manifest["suite"] |= {"limits": suite.model_dump()["limits"]}
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert cells(read_planned(run), "within_limits")["Alpha"].note == "yes"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latncy_ms=30", "did you mean latency_ms?"),
        ("latency_ms=0", "a number above 0"),
        ("latency_ms", "a number above 0"),
        ("giga_macs=much", "a number above 0"),
    ],
)
def test_limits_that_are_none(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_limits(text)
    assert said in str(caught.value)


def test_the_list_of_codecs_says_what_they_wait_for() -> None:
    facts = {
        fact["spec"]: fact for fact in json.loads(CliRunner().invoke(listing, ["--json"]).output)
    }
    opus, mdct = facts["opus:bitrate_bps=6000"], facts["mdctcodec"]
    assert opus["frame_seconds"] == pytest.approx(0.02)
    assert opus["delay_seconds"] == pytest.approx(0.0265)  # RFC 6716: 20 ms and 6.5 ms
    assert mdct["whole_file"]
    assert mdct["delay_seconds"] is None
    assert delays_of(opus).total == opus["delay_seconds"]
