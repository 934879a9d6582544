"""Item conditions, such as noise, as a factor: tables, tests and the figure, clean first."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from synbench.statistics.paired_tests import paired_t
from synbench_listening.analysis.item_conditions import by_item_condition, cost_table, file_name
from synbench_listening.answers.ratings import Rating, read_ratings, write_ratings
from synbench_listening.commands.group import listen
from synbench_listening.statistics.repeated_measures import repeated_measures
from synbench_listening.statistics.two_factors import two_factors
from synbench_reports.commands.figures import figures

LOSSES = {"": 0, "babble 10 dB": 15, "babble 5 dB": 30}
SYSTEMS = {"Good": 75, "Bad": 60, "reference": 100, "anchor35": 20, "anchor70": 45}


def rated(test: str = "mushra", listeners: int = 10) -> list[Rating]:
    generator = np.random.default_rng(5)
    return [
        Rating(
            session=f"s{who}", listener=f"l{who}", test=test, item=f"i{item}, {under or 'clean'}",
            item_condition=under, condition=name,
            score=float(np.clip(
                100 if name == "reference" else
                mean - (loss if name != "Bad" else 1.5 * loss) + generator.normal(0, 6), 0, 100
            )),
        )
        for who in range(listeners)
        for under, loss in LOSSES.items()
        for item in range(4)
        for name, mean in SYSTEMS.items()
    ]  # fmt: skip


def test_two_factors_agree_with_what_they_are_made_of() -> None:
    """With two levels on one side, every effect is a one-way analysis of sums or differences."""
    values = np.random.default_rng(1).normal(size=(9, 4, 2)) + np.arange(4)[:, None]
    systems, conditions, both = two_factors(values)
    for effect, one_way in (
        (systems, repeated_measures(values.mean(axis=2))),
        (both, repeated_measures(values[:, :, 0] - values[:, :, 1])),
    ):
        assert effect.f == pytest.approx(one_way.f)
        assert effect.df == one_way.df
        assert effect.gg_epsilon == pytest.approx(one_way.gg_epsilon)
        assert effect.p == pytest.approx(one_way.p_gg)
        assert effect.partial_eta2 == pytest.approx(one_way.partial_eta2)
    t, p = paired_t((values[:, :, 0] - values[:, :, 1]).mean(axis=1))
    assert conditions.f == pytest.approx(t**2)
    assert conditions.p == pytest.approx(p)
    for bad in (values[:2], values[:, :1], values[:, :, :1]):
        with pytest.raises(ValueError, match="expected 3 listeners"):
            two_factors(bad)


def test_clean_comes_first_and_numbers_by_their_size() -> None:
    labels = ["white", "babble 10 dB", "babble 5 dB", "", "babble -5 dB"]
    ratings = [Rating(session="s", listener="l", test="acr", item=n, condition="c", score=1,
                      item_condition=n) for n in labels]  # fmt: skip
    assert list(by_item_condition(ratings)) == [
        "clean", "babble -5 dB", "babble 5 dB", "babble 10 dB", "white",
    ]  # fmt: skip
    assert file_name("Babble, 5 dB / x") == "babble-5-db-x"


def test_a_condition_is_compared_with_clean_by_the_same_listeners() -> None:
    ratings = rated()
    table = cost_table(by_item_condition(ratings))
    assert table is not None
    rows = {(row["item_condition"], row["condition"]): row for row in table.rows}
    assert rows["babble 5 dB", "Good"]["difference"] == pytest.approx(-30, abs=4)
    assert rows["babble 5 dB", "Bad"]["difference"] == pytest.approx(-45, abs=4)
    assert all(row["p_corrected"] >= row["p"] for row in rows.values() if row["p"] == row["p"])
    assert cost_table(by_item_condition([r for r in ratings if r.item_condition])) is None


def test_tables_and_figure_by_condition(tmp_path: Path) -> None:
    table = tmp_path / "ratings.parquet"
    write_ratings(table, rated())
    assert {rating.item_condition for rating in read_ratings(table)} == set(LOSSES)
    out = tmp_path / "tables"
    command = ["analyse", str(table), "--out", str(out), "--no-mixed-model"]
    done = CliRunner().invoke(listen, command, catch_exceptions=False)
    assert "2 systems under 3 item conditions" in done.output
    assert "babble 5 dB: Systems in pairs" in done.output
    names = {path.name for path in out.iterdir()}
    assert {"conditions_by_item_condition.csv", "factors.csv", "cost_of_conditions.csv"} <= names
    assert {"clean_conditions.csv", "babble-10-db_pairs.csv"} <= names
    rows = list(csv.DictReader((out / "factors.csv").read_text().splitlines()))
    assert [row["test"] for row in rows][-1] == "systems by item conditions"
    assert float(rows[-1]["p"]) < 0.001
    scores = out / "conditions_by_item_condition.csv"
    CliRunner().invoke(figures, [str(scores), "--format", "svg"], catch_exceptions=False)
    drawn = next(out.glob("*.svg")).read_text()
    titles = [drawn.index(f">{name}<") for name in ("clean", "babble 5 dB", "babble 10 dB")]
    assert titles == sorted(titles)
    assert "MUSHRA score" in drawn
