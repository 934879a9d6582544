"""Tables as they really come: quotes, byte-order marks, line ends, ragged rows, decimal commas."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synbench_base.errors import UsageError
from synbench_base.text_table import parse_number, parse_table, read_table

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=12)


def cells(text: str, delimiter: str | None = None) -> list[list[str]]:
    table = parse_table(text, name="t", delimiter=delimiter)
    return [list(row.cells.values()) for row in table.whole()]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_ends_and_byte_order_marks(end: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(
        end.join([" file , transcript", "a.wav,für", "", "b.wav,x", ""]).encode(encoding)
    )
    table = read_table(path)
    assert table.columns == ("file", "transcript")
    assert [(row.line, row.cells["transcript"]) for row in table.rows] == [(2, "für"), (4, "x")]


@pytest.mark.parametrize(
    "rows",
    [
        ['a\t"Well, he said.', "b\tthe second", "c\tthe third"],
        ['a\t"Well, he said.', "b\tthe second", 'c\tthe third"'],
        ['a\t"Well", he said.', "b\tthe second", 'c\t""'],
    ],
)
def test_a_quotation_mark_in_a_tsv_is_a_letter(rows: list[str]) -> None:
    read = cells("\n".join(["path\ttranscript", *rows]))
    assert read == [row.split("\t") for row in rows]


def test_a_quoted_header_means_that_cells_are_quoted() -> None:
    assert cells('"who"\t"said"\n"a"\t"x\ty"\n') == [["a", "x\ty"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, the header has 2"),
        ("a,b\n1\n", "line 2 has 1 cells, the header has 2"),
        ("a\tb\n1\t2\n1\t2\t\n", "line 3 has 3 cells"),
        ('a,b\n1,"x\n2,y\n', "line 2"),
        ('a,b\n1,"x\n2,y\n3,z"\n', "line 2 ends in line 4"),
        ('a,b\n1,"x"y\n', "line 2"),
        ("a,b,a\n", "names a twice"),
    ],
)
def test_what_would_lose_or_move_a_cell_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_table(text, name="t").whole()


def test_a_quoted_cell_may_go_over_lines() -> None:
    assert cells('a,b\n1,"x\ny"\n') == [["1", "x\ny"]]


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"file\na\xff.wav\n")
    with pytest.raises(UsageError, match="line 2 is no UTF-8"):
        read_table(path)
    path.write_bytes(b"file\na\0.wav\n")
    with pytest.raises(UsageError, match="line 2 holds a zero byte"):
        read_table(path)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.sampled_from(",;"))
def test_what_a_csv_writer_wrote_comes_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([("one", "two"), *rows])
    kept = [list(row) for row in rows if any(cell.strip() for cell in row)]
    assert cells(text.getvalue()) == kept


@pytest.mark.parametrize(
    "text", ["62,5", "6 2", "1_0", "", "nan", "inf", "0x1", "5%", "٣", "1.2.3"]
)
def test_a_number_is_the_whole_text(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        parse_number(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back(value: float) -> None:
    assert parse_number(f" {value!r} ") == value
    assert math.copysign(1, parse_number(repr(value))) == math.copysign(1, value)
