"""The commands screen, analyse, preference and power, on made panels."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from synbench.errors import UsageError
from synbench_listening.answers.ratings import Rating, read_ratings, write_ratings
from synbench_listening.commands.analyse import analyse, preference, screen
from synbench_listening.commands.group import COMMANDS, listen
from synbench_listening.commands.power import power

MEANS = {"reference": 98, "Good": 75, "Fair": 60, "anchor70": 45, "anchor35": 20}


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    """Ten listeners, four items; listener 0 misses the reference once, which is 25 %."""
    generator = np.random.default_rng(1)
    rows = [
        Rating(session=f"L{who}", listener=f"L{who}", test="mushra", item=f"i{item}",
               condition=name, score=float(np.clip(round(generator.normal(mean, 6)), 0, 100)))
        for who in range(10) for item in range(4) for name, mean in MEANS.items()
    ]  # fmt: skip
    rows = [replace(r, score=max(r.score, 92)) if r.condition == "reference" else r for r in rows]
    rows[0] = replace(rows[0], score=60)
    path = tmp_path / "ratings.csv"
    write_ratings(path, rows)
    return path


def invoke(command: object, *arguments: object) -> Result:
    from click import Command

    assert isinstance(command, Command)
    done = CliRunner().invoke(command, [str(a) for a in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_sub_command_of_the_group_can_be_loaded() -> None:
    for name in COMMANDS:
        assert invoke(listen, name, "--help").exit_code == 0


def test_screening_writes_what_it_keeps(ratings: Path, tmp_path: Path) -> None:
    done = invoke(screen, ratings, "--out", tmp_path / "kept.csv")
    assert "1 of 10 listeners excluded" in done.output
    assert {r.listener for r in read_ratings(tmp_path / "kept.csv")} == {
        f"L{number}" for number in range(1, 10)
    }


def test_analysis_files_hold_what_figures_need(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    invoke(analyse, ratings, "--out", out, "--margin", 10)
    kept = [r for r in read_ratings(ratings) if r.listener != "L0"]
    for row in table(out / "conditions.csv"):
        scores = [r.score for r in kept if r.condition == row["condition"]]
        assert float(row["mean"]) == pytest.approx(np.mean(scores))
        assert float(row["low"]) < float(row["mean"]) < float(row["high"])
        assert (row["listeners"], row["ratings"]) == ("9", "36")
    before = {r["condition"]: r for r in table(out / "conditions_before_screening.csv")}
    assert before["reference"]["listeners"] == "10"
    (pair,) = table(out / "pairs.csv")
    assert (pair["first"], pair["second"]) == ("Good", "Fair")
    assert float(pair["p_equivalence"]) > 0.05 > float(pair["p_corrected"])
    (excluded,) = table(out / "exclusions.csv")
    assert (excluded["listener"], excluded["failed"], excluded["of"]) == ("L0", "1", "4")
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert "mixed_pairs" in {entry["name"] for entry in report}
    latex = (out / "report.tex").read_text(encoding="utf-8")
    # Nobody rated anything twice: that is said, without a table that has no rows.
    assert "\\toprule" in latex and "% nobody rated an item twice" in latex
    assert "\\midrule\n\\bottomrule" not in latex


def test_forms_on_the_screen(ratings: Path) -> None:
    assert "| Good |" in invoke(analyse, ratings, "--format", "markdown").output
    assert json.loads(invoke(analyse, ratings, "--format", "json").stdout)
    assert "before screening" not in invoke(analyse, ratings, "--no-screen").output
    pooled = invoke(analyse, ratings, "--interval", "pooled", "--no-mixed-model").output
    assert "too narrow" in pooled
    assert "mixed model" not in pooled


def test_simulated_answers_are_marked_everywhere(ratings: Path, tmp_path: Path) -> None:
    rows = [replace(r, simulated=True) for r in read_ratings(ratings)]
    write_ratings(ratings, rows)
    done = invoke(analyse, ratings, "--out", tmp_path / "out")
    assert "SIMULATED" in done.stderr
    assert done.stdout.count("[SIMULATED]") == 6
    for name in ("report.md", "report.tex", "report.json"):
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert "[SIMULATED]" in text
    for path in (tmp_path / "out").glob("*.csv"):
        assert {row["simulated"] for row in table(path)} <= {"true"}
    assert "[SIMULATED]" in invoke(screen, ratings).stdout


def test_choices_are_analysed_by_their_own_tables(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    rows = [
        Rating(session=str(who), listener=str(who), test="abx", item=f"i{n}", condition=name,
               versus="reference", score=float(generator.random() < rate))
        for who in range(8) for n in range(12) for name, rate in (("Good", 0.5), ("Bad", 0.95))
    ]  # fmt: skip
    rows += [
        Rating(session=str(who), listener=str(who), test="ab", item=f"i{n}", condition=a, versus=b,
               score=float(generator.choice([1, 0, -1])))
        for who in range(8) for n in range(6) for a, b in (("A", "B"), ("C", "B"), ("A", "C"))
    ]  # fmt: skip
    write_ratings(tmp_path / "r.parquet", rows)
    invoke(analyse, tmp_path / "r.parquet", "--out", tmp_path / "out")
    by_treatment = {row["treatment"]: row for row in table(tmp_path / "out" / "abx.csv")}
    assert float(by_treatment["Bad / reference"]["p_corrected"]) < 1e-6
    assert float(by_treatment["Good / reference"]["p_corrected"]) > 0.01
    pairs = table(tmp_path / "out" / "preference.csv")
    assert [(row["first"], row["second"]) for row in pairs] == [("A", "B"), ("A", "C"), ("B", "C")]
    for row in pairs:
        assert int(row["n_first"]) + int(row["n_none"]) + int(row["n_second"]) == 48
    assert len(table(tmp_path / "out" / "bradley_terry.csv")) == 3


def test_bs1116_grades_are_differences_and_deaf_listeners_are_flagged(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    rows = []
    for who in range(4):
        for n, name in enumerate("ABABABAB"):
            drop = 0.0 if who == 0 else {"A": 1.0, "B": 2.5}[name]
            noise = float(np.round(generator.normal(0, 0.3), 1))
            for condition, versus, score in (
                (name, "reference", 5 - drop + noise), ("reference", name, 5.0)
            ):  # fmt: skip
                rows.append(Rating(session=f"L{who}", listener=f"L{who}", test="bs1116",
                                   item=f"i{n}", condition=condition, versus=versus,
                                   score=score))  # fmt: skip
    write_ratings(tmp_path / "r.csv", rows)
    invoke(analyse, tmp_path / "r.csv", "--out", tmp_path / "out")
    means = {row["condition"]: float(row["mean"]) for row in table(tmp_path / "out/conditions.csv")}
    assert means == {"A": pytest.approx(-0.75, abs=0.2), "B": pytest.approx(-1.88, abs=0.2)}
    heard = {row["listener"]: row["heard"] for row in table(tmp_path / "out/expertise.csv")}
    assert heard == {"L0": "not shown", "L1": "yes", "L2": "yes", "L3": "yes"}


def test_two_kinds_of_test_have_files_of_their_own(ratings: Path, tmp_path: Path) -> None:
    rows = read_ratings(ratings)
    write_ratings(ratings, [*rows, *(replace(r, test="acr", score=3.0) for r in rows[:20])])
    invoke(analyse, ratings, "--out", tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").glob("*_conditions.csv")}
    assert names == {"mushra_conditions.csv", "acr_conditions.csv"}


def test_the_standards_test_of_medians_on_request(ratings: Path, tmp_path: Path) -> None:
    invoke(analyse, ratings, "--median-test", "--out", tmp_path / "out")
    (row,) = table(tmp_path / "out" / "median_test.csv")
    assert float(row["difference"]) > 10
    assert float(row["p"]) == 0


def test_a_published_preference_from_its_percentages() -> None:
    shares = ("36.67", "22.59", "40.74", "--percent-of", "540", "--format", "csv")
    (row,) = list(csv.DictReader(invoke(preference, *shares).stdout.splitlines()))
    assert row["n_first"], row["p_judgements"] == ("198", pytest.approx(0.2823, abs=5e-5))
    for wrong in (("1.5", "2", "3"), ("1", "0", "0"), ("50", "25", "20", "--percent-of", "100")):
        with pytest.raises(UsageError):
            invoke(preference, *wrong)


def test_planning(ratings: Path) -> None:
    output = invoke(power, "mushra", "--difference", 5, "--difference", 8, "--sd", 10.9).output
    assert output.splitlines()[-1].split() == ["SD", "10.9", "40", "17"]
    output = invoke(power, "mushra", "--difference", 5, "--pilot", ratings).output
    counts = [int(line.split()[-1]) for line in output.splitlines()[2:]]
    assert len(counts) == 3
    assert counts == sorted(counts, reverse=True)
    output = invoke(power, "abx", "--rate", 0.8, "--rate", 0.9).output
    assert "rate 0.8: 18 trials, 13 correct needed" in output


def test_odd_tables(tmp_path: Path) -> None:
    one = Rating(session="s", listener="l", test="acr", item="i", condition="c", score=3)
    write_ratings(tmp_path / "one.csv", [one])
    assert "only 1 listeners" in invoke(analyse, tmp_path / "one.csv").output
    write_ratings(tmp_path / "two.csv", [one, replace(one, condition="d"),
                                         replace(one, listener="m")])  # fmt: skip
    output = invoke(analyse, tmp_path / "two.csv").output
    assert "no analysis of variance" in output
    write_ratings(tmp_path / "none.csv", [])
    with pytest.raises(UsageError, match="holds no ratings"):
        invoke(analyse, tmp_path / "none.csv")
