"""What a condition costs: the drop that was built into stored rows comes out with its test."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from synbench.results.planned import read_planned
from synbench_reports.commands.robustness import robustness
from synbench_reports.tables.robustness import drops

ITEMS = 24
# Of alpha in noise; beta loses nothing.
LOSS = 0.2
NOISY = "speech, white 5 dB"


@pytest.fixture
def noisy_run(empty_run: Any) -> Path:
    """24 items as recorded and in white noise."""
    draw = np.random.default_rng(1)
    names = [f"i{number}" for number in range(ITEMS)]
    empty_run.items = {corpus: dict.fromkeys(names, 2.0) for corpus in ("speech", NOISY)}
    folder = empty_run.begin()
    for codec in ("alpha", "beta"):
        for name in names:
            clean = float(draw.normal(3, 0.3))
            noisy = clean + float(draw.normal(0, 0.05)) - (LOSS if codec == "alpha" else 0)
            empty_run.score(codec, name, "mos", clean)
            empty_run.score(codec, name, "mos", noisy, corpus=NOISY)
    empty_run.save()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["corpora"][1] |= {
        "clean": "speech",
        "condition": "white 5 dB",
        "condition_group": "white",
        "condition_value": 5.0,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return Path(folder)


def test_the_drop_is_the_one_that_was_made(noisy_run: Path) -> None:
    lines = [drop for drop in drops(read_planned(noisy_run)) if drop.metric.column == "mos"]
    assert [drop.condition for drop in lines] == ["clean"] * 3 + ["white 5 dB"] * 3
    _, first, second = lines[3:]
    assert first.drop_low < LOSS < first.drop_high
    assert first.is_shown
    assert second.drop_low < 0 < second.drop_high
    assert not second.is_shown
    assert lines[1].drop == 0
    assert np.isnan(lines[1].p_holm)
    assert lines[3].items == 0
    assert np.isnan(lines[3].number)


def test_the_table_and_the_csv_say_the_same(noisy_run: Path) -> None:
    text = CliRunner().invoke(robustness, [str(noisy_run)]).output
    assert "white 5 dB" in text
    assert "*" in text
    rows = csv.DictReader(
        io.StringIO(CliRunner().invoke(robustness, [str(noisy_run), "--format", "csv"]).output)
    )
    lost = next(
        row
        for row in rows
        if (row["condition"], row["codec"], row["metric"]) == ("white 5 dB", "Alpha", "mos")
    )
    assert float(lost["drop"]) == pytest.approx(LOSS, abs=0.04)
    assert f"{float(lost['drop']):.3f}*" in text


def test_a_run_without_conditions_is_told_how_to_have_some(made_run: Any) -> None:
    result = CliRunner().invoke(robustness, [str(made_run.folder)])
    assert result.exit_code
    assert "conditions: [clean" in str(result.exception)
