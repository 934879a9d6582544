"""A paper's table beside a run made by hand."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench.store import ITEM_COLUMNS, write_table
from synbench_reports.published import read_paper
from synbench_reports.render_latex import document
from synbench_reports.reproduce import reproduce


@pytest.fixture
def paper_run(empty_run: Any) -> Any:
    """MDCTCodec as recordings, DAC with weights of its own, BigCodec at another rate."""
    info = empty_run.codecs[1]
    empty_run.codecs = [
        dataclasses.replace(
            info,
            spec=name.lower(),
            label=name,
            nominal_bitrate_bps=Fraction(rate),
            bits_counted=counted,
        )
        for name, rate, counted in (
            ("MDCTCodec", 500, False),
            ("DAC", 500, True),
            ("BigCodec", 1000, False),
        )
    ]
    stoi = dataclasses.replace(empty_run.metrics[1], column="stoi", direction="up")
    empty_run.metrics = [stoi, dataclasses.replace(stoi, column="visqol_speech_exp", maximum=5.0)]
    empty_run.begin()
    for name in ("mdctcodec", "dac", "bigcodec"):
        for item in ("a", "b", "c"):
            empty_run.score(name, item, "stoi", 0.855)
            empty_run.score(name, item, "visqol_speech_exp", 2.0)
    empty_run.save()
    write_items(empty_run, 16000)
    return empty_run


def write_items(run: Any, sample_rate: int) -> None:
    items = [
        {
            "corpus": "speech",
            "item": item,
            "item_digest": f"digest {item}",
            "seconds": seconds,
            "sample_rate": sample_rate,
        }
        for item, seconds in run.items["speech"].items()
    ]
    write_table(run.folder / "items.parquet", items, ITEM_COLUMNS)


def reproduced(*arguments: object) -> str:
    done = CliRunner().invoke(reproduce, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def verdicts(text: str) -> dict[tuple[str, str], list[str]]:
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {(row[0], row[1]): row[2:] for row in rows[1:]}


def test_every_verdict(paper_run: Any) -> None:
    found = verdicts(reproduced("p2psyncodec", "--table", 1, "--run", paper_run.folder))
    stoi, visqol = "STOI, LibriTTS", "ViSQOL, LibriTTS"
    assert found["MDCTCodec", stoi][0] == "0.844"
    assert found["MDCTCodec", stoi][1].startswith("0.855")
    assert found["MDCTCodec", stoi][2:] == ["3", "+0.011", "0.02", "agrees"]
    assert found["MDCTCodec", visqol][-1] == "differs"
    assert found["DAC", stoi][-1] == "other weights"
    assert found["BigCodec", stoi][-1] == "not run"
    assert found["MDCTCodec", "STOI, VCTK"][-1] == "not run"
    assert found["P2PSynCodec", stoi][-1] == "not run"


def test_another_sample_rate_is_another_experiment(paper_run: Any) -> None:
    write_items(paper_run, 24000)
    found = verdicts(reproduced("p2psyncodec", "--table", 1, "--run", paper_run.folder))
    assert {row[-1] for row in found.values()} == {"not run"}


def test_a_draft_says_so_and_nothing_run_is_not_run() -> None:
    text = reproduced("p2psyncodec", "--table", "1-draft")
    assert "[draft]" in text.splitlines()[0]
    assert {row[-1] for row in verdicts(text).values()} == {"not run"}


def test_the_same_rows_give_the_same_bytes(paper_run: Any, tmp_path: Path) -> None:
    files = [tmp_path / "one.tex", tmp_path / "two.tex"]
    for file in files:
        arguments = ("--table", 1, "--run", paper_run.folder, "--format", "latex", "--out", file)
        reproduced("p2psyncodec", *arguments)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
@pytest.mark.parametrize("number", ["1", "2"])
def test_latex_compiles(paper_run: Any, tmp_path: Path, number: str) -> None:
    arguments = ("--table", number, "--run", paper_run.folder, "--format", "latex")
    reproduced("p2psyncodec", *arguments, "--out", tmp_path / "table.tex")
    (tmp_path / "paper.tex").write_text(document(r"\input{table}"))
    command = ["pdflatex", "-draftmode", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


def test_unknown_papers_and_tables_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean p2psyncodec"):
        reproduced("p2psyncode", "--table", 1)
    with pytest.raises(UsageError, match="it has: 1, 1-draft, 2"):
        reproduced("p2psyncodec", "--table", 9)


def test_every_row_of_the_specification_is_complete_and_cited() -> None:
    for table in read_paper("p2psyncodec").values():
        assert table.source
        assert all(len(values) == len(table.columns) for values in table.rows.values())
        assert all(column.tolerance > 0 for column in table.columns)
