"""The printed text, compared with files that were read by a human.

After a change that is meant: ``SYNBENCH_WRITE_GOLDEN=1 pytest tests/reports/test_renderers.py``,
then look at the difference.
"""

from __future__ import annotations

import dataclasses
import io
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from synbench_reports.render.latex import document, number_columns, number_field, render_latex
from synbench_reports.render.layout import column_runs, number_text
from synbench_reports.render.markdown import render_markdown
from synbench_reports.render.terminal import print_report
from synbench_reports.tables.build_report import build_report, read_selection
from synbench_reports.tables.table import Column, Report

GOLDEN = Path(__file__).parent / "golden"
NASTY = r"A_b & 50% #1 {x} $y$ ~^\ <i> | [z] *w* `v`"


@pytest.fixture
def mixed_report(made_run: Any) -> Report:
    """Scores, a failure, a cell without any, a declared rate and a name full of special letters."""
    made_run.score("alpha", "b", "mos", reason="crashed")
    for item in ("a", "b", "c"):
        made_run.score("beta", item, "error", status="not_applicable", reason="too short")
    made_run.corpus_notes["speech"] = "SYNTHETIC SPEECH"
    made_run.save()
    made_run.codecs[2] = dataclasses.replace(
        made_run.codecs[2], label=NASTY, kind="recordings", bits_counted=False
    )
    return build_report(read_selection(made_run.begin()))


def printed(report: Report, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
    print_report(report, console)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("SYNBENCH_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 100, 160])
def test_terminal(mixed_report: Report, width: int) -> None:
    text = printed(mixed_report, width)
    assert max(map(cell_len, text.splitlines())) <= width
    check_golden(f"terminal_{width}.txt", text)


def test_a_compact_table_is_one_block_where_the_usual_one_takes_several(
    mixed_report: Report,
) -> None:
    """Rates and scores set closer; the number of a column is the same as in the wide table."""
    rates_and_scores = sum(
        column.group in ("rate", "metric") for column in mixed_report.tables[0].columns
    )
    assert rates_and_scores > 2
    console = Console(file=io.StringIO(), width=88, highlight=False, markup=False, emoji=False)
    print_report(mixed_report, console, notes=False, compact=True)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert sum(line.startswith("Codec") for line in lines) == 1
    assert sum(line.startswith("Codec") for line in printed(mixed_report, 88).splitlines()) > 1
    assert max(map(cell_len, lines)) <= 88
    text = "\n".join(lines)
    assert "SYNTHETIC SPEECH" in text
    assert "Policy" not in text
    assert "RTF" not in text


def test_markdown(mixed_report: Report) -> None:
    check_golden("table.md", render_markdown(mixed_report))


def test_latex(mixed_report: Report) -> None:
    check_golden("table.tex", render_latex(mixed_report))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_latex_compiles(mixed_report: Report, tmp_path: Path) -> None:
    if subprocess.run(["kpsewhich", "siunitx.sty"], capture_output=True).returncode:
        pytest.skip("no siunitx in this TeX: apt-get install texlive-science")
    (tmp_path / "paper.tex").write_text(document(render_latex(mixed_report)), encoding="utf-8")
    command = ["pdflatex", "-draftmode", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


def test_an_empty_run_prints_counts_and_no_zero_scores(empty_run: Any) -> None:
    text = printed(build_report(read_selection(empty_run.folder)), 100)
    alpha = next(line for line in text.splitlines() if line.startswith("Alpha"))
    assert "\N{EN DASH} (0/3)" in alpha
    assert "0.00" not in alpha
    assert "! Missing scores: 18 of 18 planned" in text


@pytest.mark.parametrize("skipped", ["codecs", "metrics"])
def test_a_run_of_which_all_was_skipped_prints_why(empty_run: Any, skipped: str) -> None:
    setattr(empty_run, skipped, [])
    empty_run.skipped.append({"kind": skipped[:-1], "name": "x", "reason": "not installed"})
    report = build_report(read_selection(empty_run.begin()))
    assert f"! {skipped[:-1]} x: skipped: not installed" in printed(report, 100)
    assert "not installed" in render_markdown(report)
    assert "not installed" in render_latex(report)


def test_a_column_wider_than_the_screen_is_alone() -> None:
    columns = [Column(name=name, label=name, unit="", group="metric") for name in "abc"]
    assert column_runs(columns, [50, 200, 50], 100) == [(0,), (1,), (2,)]


def test_a_group_stays_whole_if_it_fits() -> None:
    columns = [
        Column(name="a", label="a", unit="", group="rate"),
        Column(name="b", label="b", unit="", group="cost"),
        Column(name="c", label="c", unit="", group="cost"),
    ]
    assert column_runs(columns, [50, 40, 40], 100) == [(0,), (1, 2)]
    assert column_runs(columns, [10, 40, 40], 100) == [(0, 1, 2)]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-0.001, 2, "0.00"),
        (2.345, 2, "2.35"),
        (0.0, None, "0"),
        (0.00123456, None, "0.00123"),
        (12.3456, None, "12.3"),
        (1536.4, None, "1536"),
        (float("1e-9"), None, "0.00000000100"),
    ],
)
def test_numbers(value: float, decimals: int | None, text: str) -> None:
    column = Column(name="x", label="x", unit="", group="cost", decimals=decimals)
    assert number_text(value, column) == text


def test_numbers_stand_in_columns_of_their_own_shape() -> None:
    assert number_columns(["-12.50", "3.25", "declared", "\N{EN DASH}"]) == "S[table-format=-2.2]"
    assert number_columns(["declared"]) == "S[table-format=1.0]"
    assert number_field("3.25", best=True) == r"\bfseries 3.25"
    assert number_field("-3.25", second=True) == r"{\underline{$-$3.25}}"
    assert number_field("\N{EN DASH}") == "{--}"
    assert number_field("50%") == r"{50\%}"
