"""Who is paid, whose answers are used, and what screening makes of it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench_listening.answers.browser import browser_name, device_kind, system_name
from synbench_listening.answers.ratings import Rating, read_ratings, write_ratings
from synbench_listening.answers.verdict import narrow, verdict
from synbench_listening.commands.group import listen


@pytest.mark.parametrize(
    ("checks", "finished", "no_span", "expected"),
    [
        ({}, True, False, (True, True, ())),
        ({}, False, False, (False, False, ("unfinished",))),
        ({"attention": (1, 2)}, True, False, (False, False, ("attention",))),
        ({"trap": (0, 1)}, True, False, (False, False, ("trap",))),
        # Loudspeakers are no reason to keep anybody's pay.
        ({"headphones": (0, 1)}, True, False, (True, False, ("headphones",))),
        ({"gold": (4, 5)}, True, False, (True, True, ())),
        ({"gold": (3, 4)}, True, False, (True, False, ("gold",))),
        ({"gold": (2, 2), "trap": (1, 1)}, True, True, (True, False, ("span",))),
    ],
)
def test_pay_and_use_are_two_questions(
    checks: dict[str, tuple[int, int]],
    finished: bool,
    no_span: bool,
    expected: tuple[bool, bool, tuple[str, ...]],
) -> None:
    outcome = verdict(checks, finished=finished, simulated=False, no_span=no_span)
    assert (outcome.pay, outcome.use, outcome.reasons) == expected
    assert not verdict(checks, finished=finished, simulated=True, no_span=no_span).pay


def test_one_answer_all_the_time_is_no_judgement() -> None:
    assert narrow([3, 3, 3, 3, 3, 3], (1, 5))
    assert not narrow([3, 3, 3, 3, 3], (1, 5))
    assert not narrow([3, 3, 3, 3, 3, 4], (1, 5))
    assert narrow([50, 51, 55, 59, 50, 50], (0, 100))


@pytest.mark.parametrize("test", ["acr", "ab", "mushra"])
def test_sessions_that_failed_are_left_out_of_every_test(test: str, tmp_path: Path) -> None:
    scores = {"acr": (5, 3), "ab": (1, -1), "mushra": (100, 60)}[test]
    ratings = [
        Rating(
            session=f"s{who}", listener=f"l{who}", test=test, item=f"i{item}",
            condition=name, versus="other" if test == "ab" else "",
            score=score - (who + item) % 2 if test != "ab" else score,
        )
        for who in range(4)
        for item in range(3)
        for name, score in zip(("reference", "codec"), scores, strict=True)
    ]  # fmt: skip
    write_ratings(tmp_path / "ratings.csv", ratings)
    with (tmp_path / "sessions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["session", "listener", "use", "reasons", "gold_passed", "gold_of"])
        for who in range(4):
            failed = who == 2
            words = ["no", "gold headphones"] if failed else ["yes", ""]
            writer.writerow([f"s{who}", f"l{who}", *words, 1, 3])
    out = tmp_path / "kept.csv"
    command = ["screen", str(tmp_path / "ratings.csv"), "--out", str(out), "--format", "csv"]
    done = CliRunner().invoke(listen, command)
    assert done.exit_code == 0, done.output
    assert "s2,l2,gold,more than 20 % of gold trials wrong,1,3" in done.output
    assert {rating.listener for rating in read_ratings(out)} == {"l0", "l1", "l3"}
    tables = tmp_path / "tables"
    command = ["analyse", str(tmp_path / "ratings.csv"), "--out", str(tables), "--no-mixed-model"]
    done = CliRunner().invoke(listen, command)
    assert done.exit_code == 0, done.output
    assert "1 of 4 sessions are not used" in done.output
    done = CliRunner().invoke(listen, [*command, "--no-screen"])
    assert "sessions are not used" not in done.output
    name = "preference" if test == "ab" else "conditions"
    (first, *_) = csv.DictReader((tables / f"{name}.csv").read_text().splitlines())
    assert first["listeners"] == "4"


def test_a_table_without_verdicts_is_refused(tmp_path: Path) -> None:
    rating = Rating(session="s", listener="l", test="acr", item="i", condition="c", score=1)
    write_ratings(tmp_path / "ratings.csv", [rating])
    (tmp_path / "sessions.csv").write_text("session,state\ns,finished\n")
    done = CliRunner().invoke(listen, ["analyse", str(tmp_path / "ratings.csv")])
    assert isinstance(done.exception, UsageError)
    assert "export the study again" in str(done.exception)


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            ("Safari 18", "iOS", "phone"),
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            ("Edge 140", "Windows", "desktop"),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ("Firefox 140", "Linux", "desktop"),
        ),
        ("=cmd()", ("", "", "desktop")),
        ("", ("", "", "")),
    ],
)
def test_browsers_by_what_they_say(agent: str, expected: tuple[str, str, str]) -> None:
    assert (browser_name(agent), system_name(agent), device_kind(agent)) == expected
