"""Second best and tied cells, and columns without any number."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from synbench.results.cells import Store
from synbench.results.planned import read_planned
from synbench.results.store import ITEM_COLUMNS, RunFolder, write_table
from synbench_reports.pages.report import report_page
from synbench_reports.render.latex import render_latex
from synbench_reports.render.markdown import render_markdown
from synbench_reports.render.terminal import print_report
from synbench_reports.tables.build_report import build_report, read_selection
from synbench_reports.tables.table import Cell


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
    column_index = [column.name for column in table.columns].index("mos")
    return {row.codec.label: row.cells[column_index] for row in table.rows}


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


def speaking(run: Any, speakers: list[str]) -> None:
    """Name the speaker of every item."""
    items = [
        {
            "corpus": "speech",
            "item": f"i{number}",
            "item_digest": f"digest i{number}",
            "seconds": 1.0,
            "speaker": speaker,
        }
        for number, speaker in enumerate(speakers)
    ]
    write_table(run.folder / "items.parquet", items, ITEM_COLUMNS)


def test_items_of_one_speaker_are_one_cluster(three: Any) -> None:
    speaking(three, ["one"] * 6 + ["", ""] + ["two"] * 4)
    clusters = Store(read_planned(three.folder)).cells("speech").clusters
    assert clusters.tolist() == [0] * 6 + [1, 2] + [3] * 4
    # With four clusters no test holds its level, so nothing is marked, however close they are.
    assert not any(cell.tied for cell in mos_cells(three).values())


@pytest.mark.parametrize(
    ("speakers", "says"),
    [
        (4, "4 speakers: no test over fewer than 5 holds its level"),
        # Alpha is 2 behind, with a spread of 0.3: six speakers are enough to see that.
        (6, ""),
        (12, ""),
    ],
)
def test_too_few_speakers_for_any_test_are_said_everywhere(
    three: Any, speakers: int, says: str
) -> None:
    speaking(three, [f"s{number % speakers}" for number in range(12)])
    report = build_report(read_selection(three.folder))
    (table,) = report.tables
    assert not mos_cells(three)["alpha"].tied
    assert mos_cells(three)["beta"].tied == (not says)
    notes = [
        note for note in table.notes if note.subject.startswith("~") and note.level == "warning"
    ]
    assert [note.text for note in notes] == ([f"{says}; ~ is withheld"] if says else [])
    page = report_page(read_selection(three.folder), beside=three.folder)
    plain = (render_markdown(report), render_latex(report).replace("\\%", "%"), page)
    assert all(
        ("no test over fewer than 5 holds its level" in text) == bool(says) for text in plain
    )


def test_one_speaker_leaves_the_items_to_be_compared(three: Any) -> None:
    """As in the intervals and in `synbench compare`."""
    speaking(three, ["one"] * 12)
    cells = mos_cells(three)
    assert not cells["alpha"].tied
    assert cells["beta"].tied


def test_a_single_item_tells_nothing_apart(made_run: Any) -> None:
    made_run.items = {"speech": {"a": 2.0}}
    made_run.begin()
    assert not mos_cells(made_run)["Alpha"].tied
    (table,) = build_report(read_selection(made_run.folder)).tables
    (note,) = [note for note in table.notes if note.subject == "~"]
    assert note.text.startswith("1 item: no test over fewer than 5 holds its level")


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
