"""Second best and tied cells, and columns without any number."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from synbench.store import ITEM_COLUMNS, RunFolder, write_table
from synbench_reports.build_report import build_report, read_selection
from synbench_reports.cells import Store
from synbench_reports.planned import read_planned
from synbench_reports.render_latex import render_latex
from synbench_reports.render_terminal import print_report
from synbench_reports.table import Cell


@pytest.fixture
def three(empty_run: Any) -> Any:
    """On twelve items gamma is best, beta hardly worse and not always, alpha far behind."""
    info = empty_run.codecs[1]
    empty_run.codecs = [
        dataclasses.replace(info, spec=name, label=name) for name in ("alpha", "beta", "gamma")
    ]
    empty_run.metrics = empty_run.metrics[:1]
    names = [f"i{number}" for number in range(12)]
    empty_run.items = {"speech": dict.fromkeys(names, 1.0)}
    noise = np.random.default_rng(1).normal(0, 0.3, 12)
    for number, name in enumerate(names):
        empty_run.score("gamma", name, "mos", 4.0)
        empty_run.score("beta", name, "mos", 3.95 + noise[number] - noise.mean())
        empty_run.score("alpha", name, "mos", 2.0 + noise[number])
    empty_run.begin()
    empty_run.save()
    return empty_run


def mos_cells(run: Any) -> dict[str, Cell]:
    (table,) = build_report(read_selection(run.folder)).tables
    place = [column.name for column in table.columns].index("mos")
    return {row.codec.label: row.cells[place] for row in table.rows}


def test_best_second_and_tied(three: Any) -> None:
    cells = mos_cells(three)
    marks = {name: (cell.best, cell.second, cell.tied) for name, cell in cells.items()}
    assert marks == {
        "gamma": (True, False, False),
        "beta": (False, True, True),
        "alpha": (False, False, False),
    }
    text = render_latex(build_report(read_selection(three.folder)))
    assert r"\bfseries 4.00 &" in text
    assert r"{\underline{3.95}} & $^{\sim}$" in text


def test_items_of_one_speaker_are_one_cluster(three: Any) -> None:
    items = [
        {
            "corpus": "speech",
            "item": f"i{number}",
            "item_digest": f"digest i{number}",
            "seconds": 1.0,
            "speaker": "one" if number < 6 else "" if number < 8 else "two",
        }
        for number in range(12)
    ]
    write_table(three.folder / "items.parquet", items, ITEM_COLUMNS)
    clusters = Store(read_planned(three.folder)).cells("speech").clusters
    assert clusters.tolist() == [0] * 6 + [1, 2] + [3] * 4
    # Four clusters cannot reach 5 %, however far apart the codecs are.
    assert mos_cells(three)["alpha"].tied


def test_costs_that_nobody_has_are_not_on_the_screen(made_run: Any) -> None:
    def printed() -> str:
        console = Console(file=io.StringIO(), width=160)
        print_report(build_report(read_selection(made_run.folder)), console)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    assert "Encode RTF" in printed()
    made_run.codecs = [
        dataclasses.replace(codec, kind="recordings", bits_counted=False)
        for codec in made_run.codecs
    ]
    made_run.begin()
    assert RunFolder(made_run.folder).exists()
    assert "Encode RTF" not in printed()
