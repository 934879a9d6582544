"""Statistics against R, on ratings of our own: ``tests/data/make_ratings.R`` made both files."""

from __future__ import annotations

import csv
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synbench.statistics.agreement import coefficient
from synbench.statistics.multiplicity import correct
from synbench.statistics.paired_tests import paired_t, wilcoxon
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.mixed_model import MixedModel, Structure, fit_mixed_model
from synbench_listening.statistics.repeated_measures import friedman

DATA = Path(__file__).parents[1] / "data"
EFFECTS = {"listener:system": "listener:condition", "item:system": "item:condition"}
EFFECTS |= {"Residual": "residual"}
Values = dict[str, dict[str, float]]


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def values() -> dict[str, Values]:
    """By test, quantity and name."""
    tables: dict[str, Values] = defaultdict(lambda: defaultdict(dict))
    for row in rows("ratings_values.csv"):
        tables[row["test"]][row["quantity"]][row["name"]] = float(row["value"])
    return tables


@pytest.fixture(scope="module")
def listener_means() -> dict[str, Any]:
    """Of each system, over its items, in the order of the listeners."""
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows("ratings.csv"):
        scores[row["system"]][row["listener"]].append(float(row["score"]))
    return {
        system: np.array([np.mean(by_listener[who]) for who in sorted(by_listener)])
        for system, by_listener in scores.items()
    }


def fitted(structure: Structure) -> MixedModel:
    ratings = [
        Rating(
            session=row["listener"],
            listener=row["listener"],
            test="mushra",
            item=row["item"],
            condition=row["system"],
            score=float(row["score"]),
        )
        for row in rows("ratings.csv")
    ]
    return fit_mixed_model(ratings, "abc", structure=structure)


@pytest.mark.parametrize("structure", ["intercepts", "maximal"])
def test_mixed_models(structure: Structure, values: dict[str, Values]) -> None:
    """Of lme4, with the degrees of freedom of pbkrtest and the means of emmeans."""
    model, of_r = fitted(structure), values[structure]
    assert model.converged
    assert model.deviance == pytest.approx(of_r["deviance"][""], rel=1e-8)
    for effect, deviation in of_r["deviation"].items():
        ours = model.deviations[EFFECTS.get(effect, effect)]
        assert ours == pytest.approx(deviation, rel=1e-3, abs=1e-3)
    assert model.f == pytest.approx(of_r["f"][""], rel=1e-4)
    assert model.df[1] == pytest.approx(of_r["df"][""], rel=1e-4)
    assert model.p == pytest.approx(of_r["p"][""], rel=1e-3)
    for mean in model.means:
        ours = [mean.estimate, mean.standard_error, mean.df]
        theirs = [of_r[f"mean {name}"][mean.first] for name in ("emmean", "SE", "df")]
        assert ours == pytest.approx(theirs, rel=1e-4)
    for pair in model.pairs:
        ours = [pair.estimate, pair.standard_error, pair.df, pair.t, pair.p]
        theirs = [
            of_r[f"pair {name}"][f"{pair.first} - {pair.second}"]
            for name in ("estimate", "SE", "df", "t.ratio", "p.value")
        ]
        assert ours == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize("pair", [" - ".join(pair) for pair in combinations("abc", 2)])
def test_two_systems(pair: str, values: dict[str, Values], listener_means: dict[str, Any]) -> None:
    first, second = (listener_means[system] for system in pair.split(" - "))
    assert paired_t(first - second)[1] == pytest.approx(values["t"]["p"][pair], rel=1e-9)
    assert wilcoxon(first - second) == pytest.approx(values["wilcoxon"]["p"][pair], rel=1e-9)
    for name in ("pearson", "spearman", "kendall"):
        expected = values[name]["coefficient"][pair]
        assert coefficient(name, first, second) == pytest.approx(expected, rel=1e-9)


def test_three_systems(values: dict[str, Values], listener_means: dict[str, Any]) -> None:
    ours = friedman(np.stack([listener_means[system] for system in "abc"], axis=1))
    assert ours.statistic == pytest.approx(values["friedman"]["chi2"][""], rel=1e-9)
    assert ours.p == pytest.approx(values["friedman"]["p"][""], rel=1e-9)


def test_holm(values: dict[str, Values]) -> None:
    given = list(values["t"]["p"].values())
    assert correct(given) == pytest.approx(list(values["holm"]["p"].values()), rel=1e-9)
