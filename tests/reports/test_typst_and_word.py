"""The table for a paper in Typst and in Word: what it holds, and that it can be opened."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench_reports.commands.show_and_export import export
from synbench_reports.render.word import MAIN

W = f"{{{MAIN}}}"


def exported(folder: Path, form: str, *arguments: str) -> bytes:
    texts = [str(folder), "--format", form, *arguments]
    return CliRunner().invoke(export, texts, catch_exceptions=False).stdout_bytes


def grid(document: bytes) -> list[list[str]]:
    """The texts of a Word table, row by row."""
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    return [
        ["".join(text.text or "" for text in cell.iter(f"{W}t")) for cell in row.iter(f"{W}tc")]
        for row in root.iter(f"{W}tr")
    ]


@pytest.fixture
def odd_run(made_run: Any) -> Any:
    """A codec whose label is code in every language that a table is written in."""
    label = r'A "#panic()" <b> & \input{x} $1_2$'
    made_run.codecs[1] = dataclasses.replace(made_run.codecs[1], label=label)
    made_run.begin()
    return made_run


def test_word_has_the_table_and_marks(odd_run: Any) -> None:
    rows = grid(exported(odd_run.folder, "word"))
    assert rows[0] == ["Codec", "Ratekbit/s", "MOS ↑MOS", "ERROR ↓"]
    assert rows[2] == [
        odd_run.codecs[1].label,
        "0.75",
        "2.00 ± 1.24",
        "0.250 ± 0.000",
    ]
    document = exported(odd_run.folder, "word")
    assert document == exported(odd_run.folder, "word")
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        assert b"<w:b/><w:sz" in archive.read("word/document.xml")


def test_a_transposed_table_has_codecs_as_columns(made_run: Any) -> None:
    rows = grid(exported(made_run.folder, "word", "--transpose"))
    assert rows[0] == ["", "Reference", "Alpha", "Beta"]
    assert [row[0] for row in rows[1:]] == ["Rate (kbit/s)", "MOS (MOS) ↑", "ERROR ↓"]
    latex = exported(made_run.folder, "latex", "--transpose").decode()
    assert r"\multicolumn{2}{l}{Alpha}" in latex


@pytest.fixture
def two_corpora(made_run: Any) -> Any:
    made_run.items["noise"] = {"n": 2.0}
    made_run.begin()
    made_run.decode("alpha", "n", "noise")
    made_run.score("alpha", "n", "mos", 1.5, corpus="noise")
    made_run.save()
    return made_run


def test_corpora_stand_side_by_side_under_spanning_heads(two_corpora: Any) -> None:
    rows = grid(exported(two_corpora.folder, "word", "--spanning", "--metrics", "mos"))
    assert rows[0] == ["", "", "speech", "noise"]
    assert [text.split(" ±")[0] for text in rows[3]] == ["Alpha", "0.75", "2.00", "1.50"]
    latex = exported(two_corpora.folder, "latex", "--spanning", "--metrics", "mos").decode()
    assert r"{c}{speech} &" in latex
    assert latex.count(r"\cmidrule(lr)") == 2


def test_costs_counts_and_identities_are_there_where_they_are_asked_for(made_run: Any) -> None:
    latex = exported(made_run.folder, "latex", "--with", "rtf,counts,identities").decode()
    for text in ("Encode RTF", "Decoded", "Scored", "handmade 1.0"):
        assert text in "\n".join(line for line in latex.splitlines() if not line.startswith("%"))
    with pytest.raises(UsageError, match="rtf, counts, identities, got 'costs'"):
        exported(made_run.folder, "latex", "--with", "costs")


def test_typst_takes_every_text_as_text(odd_run: Any) -> None:
    text = exported(odd_run.folder, "typst").decode()
    assert r'"A \"#panic()\" <b> & \\input{x} $1_2$"' in text
    assert "<tab:made>" in text
    assert 'scope: "parent"' in text
    assert 'scope: "parent"' not in exported(odd_run.folder, "typst", "--columns", "1").decode()


def test_typst_compiles(odd_run: Any, tmp_path: Path) -> None:
    typst = pytest.importorskip("typst", reason="no typst: pip install typst")
    (tmp_path / "table.typ").write_bytes(exported(odd_run.folder, "typst"))
    paper = '#set page(columns: 2)\n#include "table.typ"\nSee @tab:made.\n'
    (tmp_path / "paper.typ").write_text(paper, encoding="utf-8")
    assert typst.compile(str(tmp_path / "paper.typ")).startswith(b"%PDF")
