"""A session that was sent twice, a table that was joined with itself: found in every importer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench_listening.answers.ratings import Rating, read_ratings, write_ratings
from synbench_listening.answers.repeats import distinct_ratings
from synbench_listening.commands.analyse import analyse
from synbench_listening.commands.import_results import import_results
from synbench_listening.importers.read_any import read_any

ROWS = [("P1", "i1", "A", 60), ("P1", "i1", "B", 80), ("P2", "i1", "A", 55), ("P2", "i1", "B", 71)]
XML = """<MUSHRA><info><startTime>9</startTime><subjectName>L1</subjectName></info><trials>
<trial><trialName>a</trialName><testFile><fileName>a_c1.wav</fileName><score>55</score></testFile>
</trial></trials></MUSHRA>"""


def rating(score: float = 60, **changes: Any) -> Rating:
    fields: dict[str, Any] = {"session": "P1", "listener": "P1", "test": "mushra"}
    return Rating(**(fields | {"item": "i", "condition": "A", "score": score} | changes))


def test_equal_answers_count_once_and_of_unequal_ones_the_first() -> None:
    done = distinct_ratings([rating(), rating(), rating(72), rating(50, condition="B")])
    assert [(one.condition, one.score) for one in done.kept] == [("A", 60), ("B", 50)]
    equal, unequal = done.notes()
    assert "1 rating is there twice with the same score: counted once" in equal
    assert "the first counts (P1 i A 60, then 72)" in unequal


def test_another_session_and_a_numbered_answer_are_replicates() -> None:
    numbered = [rating(), rating(70, replicate=1)]
    assert distinct_ratings(numbered).kept == numbered
    assert distinct_ratings(numbered).notes() == []
    done = distinct_ratings([*numbered, rating(80, session="again")])
    assert [one.replicate for one in done.kept] == [0, 1, 2]
    assert "numbered as replicates" in done.notes()[0]


def plain(folder: Path) -> Path:
    lines = [",".join(map(str, row)) for row in [*ROWS, *ROWS[:2]]]
    path = folder / "plain.csv"
    path.write_text("\n".join(["listener,item,condition,score", *lines]), encoding="utf-8")
    return path


def lists(folder: Path) -> Path:
    path = folder / "lists.csv"
    row = 'i1,A,"[60, 55]","[1, 2]"\n'
    path.write_text("item,condition,ratings,listeners\n" + 2 * row, encoding="utf-8")
    return path


def pymushra(folder: Path) -> Path:
    trials = [
        {
            "questionaire": {"uuid": who},
            "id": "i1",
            "type": "mushra",
            "responses": [{"stimulus": name, "score": score} for name, score in scores.items()],
        }
        for who, scores in (("1", {"A": 60, "B": 80}), ("2", {"A": 55, "B": 71}))
    ]
    trials.append(trials[0])
    path = folder / "db.json"
    path.write_text(json.dumps({"t": dict(enumerate(trials))}), encoding="utf-8")
    return path


def pymushra_csv(folder: Path) -> Path:
    path = folder / "db.csv"
    head = "wm_id;wm_type;questionaire_uuid;responses_stimulus;responses_score"
    rows = ["i1;mushra;1;A;60", "i1;mushra;1;B;80", "i2;mushra;1;A;55", "i1;mushra;1;A;60"]
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    return path


def ours(folder: Path) -> Path:
    path = folder / "own.csv"
    write_ratings(path, [rating(), rating(55, condition="B"), rating()])
    return path


def xml(folder: Path) -> Path:
    results = folder / "results"
    results.mkdir()
    for name in ("a.xml", "b.xml"):
        (results / name).write_text(XML, encoding="utf-8")
    return results


@pytest.mark.parametrize("made", [plain, lists, pymushra, pymushra_csv, ours, xml])
def test_every_importer_counts_a_repeat_once_and_says_so(made: Any, tmp_path: Path) -> None:
    done = read_any(made(tmp_path))
    keys = [(r.listener, r.item, r.condition, r.replicate) for r in done.ratings]
    assert len(keys) == len(set(keys))
    assert any("there twice with the same score: counted once" in note for note in done.notes)
    positions = {(r.listener, r.item): set() for r in done.ratings if r.position is not None}
    for one in done.ratings:
        if one.position is not None:
            assert one.position not in positions[one.listener, one.item]
            positions[one.listener, one.item].add(one.position)


def test_sources_and_joined_tables_are_compared_with_each_other(tmp_path: Path) -> None:
    once = tmp_path / "once.csv"
    once.write_text(
        "listener,item,condition,score\nP1,i1,A,60\nP1,i1,B,80\nP2,i1,A,55\nP2,i1,B,71\n",
        encoding="utf-8",
    )
    out = tmp_path / "out.csv"
    done = CliRunner().invoke(import_results, [str(once), str(once), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "4 ratings are there twice" in done.output
    assert len(read_ratings(out)) == 4
    head, *rows = out.read_text(encoding="utf-8").splitlines()
    joined = tmp_path / "joined.csv"
    joined.write_text("\n".join([head, *rows, *rows]), encoding="utf-8")
    single, double = (CliRunner().invoke(analyse, [str(path)]).stdout for path in (out, joined))
    assert "4 ratings are there twice with the same score: counted once" in double
    said = [line for line in double.splitlines() if "there twice" not in line]
    assert said == single.splitlines()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("P1,i,A,62,5", "line 2 has 5 cells"),
        ('P1,i,A,"62,5"', "with a decimal point: 62.5"),
        ("P1,i,A,625", "outside 0 to 100 of mushra"),
        ("P1,i,A,-3", "outside 0 to 100 of mushra"),
        ("P1,i,A,60,,", "line 2 has 6 cells"),
        ("P1,i,A,nan", "is no number"),
        ("P1,i,A", "line 2 has 3 cells"),
    ],
)
def test_a_rating_that_cannot_be_read_whole_is_refused(
    row: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"listener, item ,condition,score\n{row}\nP2,i,A,40\n", encoding="utf-8")
    done = read_any(path)
    assert [one.listener for one in done.ratings] == ["P2"]
    (refusal,) = done.refusals
    assert reason in refusal.reason
    assert (refusal.row, done.read) == (2, 2)


def test_hidden_files_are_no_results(tmp_path: Path) -> None:
    results = xml(tmp_path)
    (results / "._a.xml").write_bytes(b"\0\5\26\7")
    (results / "b.xml").unlink()
    assert len(read_any(results).ratings) == 1
