"""Runs put together, the results document, and the groups of items."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from synbench.results.planned import read_planned
from synbench.results.store import ITEM_COLUMNS, write_table
from synbench_reports.boards.breakdown import breakdowns
from synbench_reports.boards.citations import citation_text
from synbench_reports.boards.combine import boards_of
from synbench_reports.boards.document import as_json, results_document, results_schema
from synbench_reports.commands.show_and_export import show

from .conftest import MadeRun, codec, metric

jsonschema = pytest.importorskip("jsonschema")


@pytest.fixture
def second_run(made_run: Any, tmp_path: Path) -> Any:
    """Another run on the same items: Alpha again, and a codec of its own, on one metric."""
    made = MadeRun(
        folder=tmp_path / "runs" / "second",
        codecs=[codec("Alpha"), codec("Gamma")],
        metrics=[metric("mos")],
        items=made_run.items,
        suite={"name": "second"},
    )
    made.begin()
    for item, offset in (("a", -0.5), ("b", 0.0), ("c", 0.5)):
        for name, mos in (("alpha", 2.0), ("gamma", 4.0)):
            made.decode(name, item)
            made.score(name, item, "mos", mos + offset)
    made.save()
    return made


def document(*runs: Any) -> dict[str, Any]:
    planned = [read_planned(run.folder) for run in runs]
    made = results_document(planned, boards_of(planned), name="both")
    jsonschema.validate(json.loads(as_json(made)), results_schema())
    return made


def test_runs_on_the_same_items_stand_on_one_board(made_run: Any, second_run: Any) -> None:
    made = document(made_run, second_run)
    (board,) = made["boards"]
    labels = [made["codecs"][row["codec"]]["label"] for row in board["rows"]]
    assert labels == ["Reference", "Alpha", "Beta", "Gamma"]
    assert [row["scores"][0]["mean"] for row in board["rows"]] == [5.0, 2.0, 3.0, 4.0]
    # What only one run has is a gap, and not a failure.
    gamma = board["rows"][3]["scores"][1]
    assert (gamma["mean"], gamma["planned"], gamma["missing"]) == (None, 0, 0)
    assert board["rows"][1]["scores"][1]["mean"] == 0.25
    assert board["rows"][3]["scores"][0]["best"]
    assert board["rows"][3]["run"] == 1


def test_a_gap_of_one_run_is_filled_from_another(made_run: Any, second_run: Any) -> None:
    made_run.score("alpha", "b", "mos", reason="crashed", attempt=9)
    made_run.save()
    assert document(made_run)["boards"][0]["rows"][1]["scores"][0]["failed"] == 1
    score = document(made_run, second_run)["boards"][0]["rows"][1]["scores"][0]
    assert (score["scored"], score["failed"], score["mean"]) == (3, 0, 2.0)


def test_other_items_make_another_board(made_run: Any, second_run: Any) -> None:
    second_run.items = {"speech": {"a": 2.0, "b": 4.0}}
    second_run.begin()
    assert len(document(made_run, second_run)["boards"]) == 2


def test_codecs_of_one_label_are_told_apart_by_their_runs(made_run: Any, second_run: Any) -> None:
    second_run.codecs = [codec("Beta", spec="other-beta")]
    second_run.begin()
    labels = [entry["label"] for entry in document(made_run, second_run)["codecs"]]
    assert labels == ["Reference", "Alpha", "Beta (made)", "Beta (second)"]


def test_a_run_under_conditions_is_valid_and_says_what_they_cost(
    made_run: Any, second_run: Any
) -> None:
    made_run.items["speech, white 10 dB"] = made_run.items["speech"]
    made_run.begin()
    path = made_run.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["corpora"][1] |= {
        "digest": "1" * 16,
        "clean": "speech",
        "condition": "white 10 dB",
        "condition_group": "white",
        "condition_value": 10.0,
    }
    path.write_text(json.dumps(manifest))
    for item in "abc":
        made_run.score("beta", item, "mos", 1.0, corpus="speech, white 10 dB")
    made_run.save()
    clean, damaged = document(made_run)["boards"]
    assert damaged["clean"] == "speech"
    drops = {(drop["codec"], drop["metric"]): drop["drop"] for drop in clean["robustness"]}
    assert drops["Beta", "mos"] == pytest.approx(2.0)
    assert drops["Alpha", "mos"] is None
    assert damaged["condition_axis"] == "white: speech to noise (dB, active speech level)"
    # Beside a run that has another Beta, the drop is that of the one which is called after its run.
    second_run.codecs = [codec("Beta", spec="other-beta")]
    second_run.begin()
    clean, _ = document(made_run, second_run)["boards"]
    drops = {(drop["codec"], drop["metric"]): drop["drop"] for drop in clean["robustness"]}
    assert drops["Beta (made)", "mos"] == pytest.approx(2.0)


def test_every_metric_and_codec_is_cited(made_run: Any) -> None:
    text = citation_text(boards_of([read_planned(made_run.folder)]))
    assert "MOS: This test; handmade 1.0." in text
    assert "Reference, Alpha, Beta: made by hand." in text


@pytest.fixture
def grouped_run(empty_run: Any) -> Any:
    """Twelve items of four speakers, two of each gender; the worst are the men's."""
    names = [f"i{number:02}" for number in range(12)]
    empty_run.items = {"speech": dict.fromkeys(names, 1.0)}
    empty_run.metrics[1] = dataclasses.replace(empty_run.metrics[1], pooling="weighted_mean")
    empty_run.begin()
    rows = [
        {
            "corpus": "speech",
            "item": name,
            "item_digest": f"digest {name}",
            "seconds": 1.0 + number,
            "speaker": f"s{number % 4}",
            "gender": "male" if number % 4 < 2 else "female",
            "accent": ("Irish", "Scottish", "Welsh")[number % 3],
        }
        for number, name in enumerate(names)
    ]
    write_table(empty_run.folder / "items.parquet", rows, ITEM_COLUMNS)
    for number, name in enumerate(names):
        empty_run.score("alpha", name, "mos", 1.0 + number % 4)
        empty_run.score("alpha", name, "error", number / 12, weight=1.0 + number)
    empty_run.save()
    return empty_run


def test_the_worst_group_is_named(grouped_run: Any) -> None:
    (board,) = boards_of([read_planned(grouped_run.folder)])
    records = {record["by"]: record for record in breakdowns(board)}
    assert set(records) == {"gender", "accent", "length", "speaker"}
    gender = records["gender"]
    assert gender["groups"] == [{"name": "female", "items": 6}, {"name": "male", "items": 6}]
    by_mos, by_error = gender["scores"]
    assert by_mos["means"] == [3.5, 1.5]
    assert (by_mos["worst"], by_mos["worst_mean"]) == (1, 1.5)
    # An error rate is all errors over all words, and the highest is the worst.
    women = [number for number in range(12) if number % 4 >= 2]
    words = np.array([1.0 + number for number in women])
    expected = float(words @ (np.array(women) / 12) / words.sum())
    assert by_error["means"][0] == pytest.approx(expected)
    assert by_error["worst"] == 0
    speaker = next(one for one in records["speaker"]["scores"] if one["metric"] == 0)
    assert records["speaker"]["groups"][speaker["worst"]]["name"] == "s0"
    assert (speaker["worst_mean"], speaker["best_mean"]) == (1.0, 4.0)


def test_groups_are_printed_with_the_worst_one(grouped_run: Any) -> None:
    arguments = [str(grouped_run.folder), "--metrics", "mos"]
    out = CliRunner().invoke(show, [*arguments, "--by", "gender"], catch_exceptions=False).output
    assert "by gender (female 6, male 6 items)" in out
    (line,) = (line for line in out.splitlines() if line.startswith("Alpha"))
    assert "3.50 ± " in line and "1.50 ± " in line and line.endswith("male")
    assert not line.endswith("female")
    refused = CliRunner().invoke(show, [*arguments, "--by", "language"])
    assert "fewer than two groups of items by language" in str(refused.exception)
    assert "it has groups by gender, accent, length, speaker" in str(refused.exception)
