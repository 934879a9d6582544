"""Metrics beside listeners: coefficients against scipy, bands by simulation, the command."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import optimize, stats

from synbench.statistics.agreement import (
    COEFFICIENTS,
    agreement,
    coefficient,
    difference_p,
    monotone_rmse,
    too_few,
)
from synbench_reports.commands.agree import agree


def test_coefficients_are_scipys() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.integers(0, 9, (2, 40)).astype(float)
    expected = {
        "pearson": stats.pearsonr(first, second).statistic,
        "spearman": stats.spearmanr(first, second).statistic,
        "kendall": stats.kendalltau(first, second).statistic,
    }
    for name in COEFFICIENTS:
        assert coefficient(name, first, second) == pytest.approx(expected[name])
        assert np.isnan(coefficient(name, first, np.ones(40)))
        assert np.isnan(coefficient(name, first[:2], second[:2]))
    many = generator.standard_normal((2, 500))
    assert coefficient("kendall", *many) == pytest.approx(stats.kendalltau(*many).statistic)


def test_what_remains_after_a_monotone_map() -> None:
    metric = np.array([1.0, 2.0, 3.0, 4.0])
    assert monotone_rmse(metric, metric**3) == 0
    # The two that fall become their mean, one below and one above it.
    assert monotone_rmse(metric, np.array([1.0, 3.0, 2.0, 4.0])) == pytest.approx(0.5 / 2**0.5)
    assert monotone_rmse(np.ones(3), np.array([1.0, 2.0, 3.0])) == pytest.approx((2 / 3) ** 0.5)
    generator = np.random.default_rng(2)
    noisy = np.arange(30) + generator.normal(0, 8, 30)
    fitted = optimize.isotonic_regression(noisy).x
    expected = float(np.sqrt(np.mean((noisy - fitted) ** 2)))
    assert monotone_rmse(np.arange(30.0), noisy) == pytest.approx(expected)


def study(seed: int, conditions: int) -> tuple[Any, Any, float]:
    """Ratings (15, 10, C), a metric (10, C), and the coefficient of what lies behind them."""
    quality = np.linspace(20, 90, conditions)
    error = np.random.default_rng(1234).normal(0, 12, conditions)
    generator = np.random.default_rng(seed)
    item = generator.normal(0, 5, 10)
    ratings = quality + item[:, None] + generator.normal(0, 5, (10, conditions))
    ratings = ratings + generator.normal(0, 8, 15)[:, None, None]
    ratings = ratings + generator.normal(0, 12, ratings.shape)
    metric = quality + error + 0.5 * item[:, None] + generator.normal(0, 6, (10, conditions))
    return ratings, metric, float(np.corrcoef(quality, quality + error)[0, 1])


def test_a_band_holds_the_estimate_and_a_seed_gives_the_same() -> None:
    ratings, metric, _ = study(1, 8)
    first = agreement(ratings, metric, level="condition", replicates=100)
    again = agreement(ratings, metric, level="condition", replicates=100)
    assert first.bands == again.bands
    assert first.points == 8
    low, high = first.bands["pearson"]
    assert low < first.estimates["pearson"] < high
    means = ratings.mean((0, 1)), metric.mean(0)
    assert first.estimates["pearson"] == pytest.approx(np.corrcoef(*means)[0, 1])
    items = agreement(ratings, metric, level="item", replicates=20)
    assert items.points == 80


@pytest.mark.slow
@pytest.mark.parametrize("conditions", [6, 12])
def test_bands_hold_the_truth_as_often_as_they_say(conditions: int) -> None:
    held = 0
    for seed in range(200):
        ratings, metric, truth = study(seed, conditions)
        result = agreement(ratings, metric, level="condition", seed=seed, replicates=200)
        low, high = result.bands["pearson"]
        held += low <= truth <= high
    print(f"{conditions} conditions: {held / 200:.3f} of the bands of 95 % hold the truth")
    assert 0.9 <= held / 200 <= 0.995


def test_a_better_metric_is_told_from_a_worse() -> None:
    ratings, good, _ = study(3, 12)
    bad = np.random.default_rng(4).normal(0, 1, good.shape)
    one, other, same = (
        agreement(ratings, values, level="condition", replicates=200)
        for values in (good, bad, good + 1e-3)
    )
    assert difference_p(one, other, "pearson") < 0.02
    assert difference_p(one, same, "pearson") > 0.5


def test_few_conditions_are_doubted() -> None:
    assert too_few(list("abcdefgh")) == ""
    # Tables of Spearman's coefficient give 0.886 for six and 1.0 for five.
    assert "6 conditions" in too_few(list("abcdef"))
    assert "0.89" in too_few(list("abcdef")) or "0.83" in too_few(list("abcdef"))


def said(arguments: list[str]) -> str:
    done = CliRunner().invoke(agree, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    path = tmp_path / "ratings.csv"
    means = {"Reference": 95, "Alpha": 30, "Beta": 60, "Elsewhere": 10}
    lines = ["who,signal,cond,score"]
    for listener in range(5):
        for item in ("a", "b", "c", "unknown"):
            lines += [
                f"L{listener},{item},{name},{mean + listener}" for name, mean in means.items()
            ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_command_aligns_items_and_conditions(
    made_run: Any, ratings: Path, tmp_path: Path
) -> None:
    figure = tmp_path / "agree.pdf"
    arguments = [str(ratings), "--run", str(made_run.folder)]
    out = said([*arguments, "--figure", str(figure)])
    assert "5 listeners, 3 of 4 items, 3 of 4 conditions" in out
    assert "note: 3 conditions: coefficients over so few points" in out
    assert figure.read_bytes().startswith(b"%PDF")
    rows = list(csv.DictReader(io.StringIO(said([*arguments, "--format", "csv"]))))
    assert [(row["level"], row["metric"]) for row in rows] == [
        ("condition", "mos"),
        ("condition", "error"),
        ("item", "mos"),
        ("item", "error"),
    ]
    expected = np.corrcoef([95, 30, 60], [5, 2, 3])[0, 1]
    assert float(rows[0]["pearson"]) == pytest.approx(expected)
    # A smaller error is better, so the coefficient is of its negative.
    assert float(rows[1]["pearson"]) == pytest.approx(
        np.corrcoef([95, 30, 60], [0, -0.25, -0.5])[0, 1]
    )


def test_what_the_command_refuses(made_run: Any, ratings: Path, tmp_path: Path) -> None:
    run = str(made_run.folder)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("item,condition,score\na,Alpha,many\n")
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("item,condition,score\nz,Gamma,3\n")
    for arguments, message in (
        ([str(wrong), "--run", run], "line 2: score must be a number, got 'many'"),
        ([str(foreign), "--run", run], "share 0 conditions and 0 items"),
        ([str(ratings), "--run", run, "--metrics", "pesq"], "has no metric 'pesq'"),
    ):
        done = CliRunner().invoke(agree, arguments)
        assert done.exit_code
        assert message in str(done.exception)
