"""Numbers of a rated test, row by row: what :mod:`~.analyse_rated` puts into tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np

from synbench.statistics.equivalence import equivalence
from synbench.statistics.multiplicity import Correction, correct
from synbench_listening.analysis.screen import standard_quartiles
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.distribution import bimodality
from synbench_listening.statistics.intervals import Interval, bootstrap_interval, mean_interval
from synbench_listening.statistics.listener_table import (
    ListenerTable,
    by_falling_mean,
    listener_table,
)
from synbench_listening.statistics.mixed_model import MixedModel
from synbench_listening.statistics.paired import (
    compare_pairs,
    median_permutation,
    pair_differences,
)
from synbench_listening.statistics.repeated_measures import RepeatedMeasures, friedman

IntervalKind = Literal["listeners", "bootstrap", "pooled"]
Row = dict[str, Any]

__all__ = [
    "IntervalKind",
    "Row",
    "condition_rows",
    "item_rows",
    "median_rows",
    "mixed_row",
    "overall_rows",
    "pair_rows",
    "with_corrected",
]


def condition_rows(ratings: Sequence[Rating], kind: IntervalKind) -> list[Row]:
    """Mean with interval, shape and counts of every condition, by falling mean."""
    order = by_falling_mean(ratings)
    table = listener_table(ratings, order)
    rows = []
    for number, condition in enumerate(order):
        scores = [rating.score for rating in ratings if rating.condition == condition]
        means = table.values[:, number]
        first, third = standard_quartiles(scores)
        interval = _interval(means, scores, kind)
        rows.append(
            {
                "condition": condition,
                "mean": interval.mean,
                "low": interval.low,
                "high": interval.high,
                "half_width": interval.half_width,
                "median": statistics.median(scores),
                "q1": first,
                "q3": third,
                "sd": statistics.stdev(scores) if len(scores) > 1 else float("nan"),
                "bimodality": bimodality(scores),
                "listeners": int(np.isfinite(means).sum()),
                "ratings": len(scores),
            }
        )
    return rows


def item_rows(ratings: Sequence[Rating]) -> list[Row]:
    """Mean with interval over listeners of every item and condition."""
    groups: dict[tuple[str, str], list[Rating]] = {}
    for rating in ratings:
        groups.setdefault((rating.item, rating.condition), []).append(rating)
    rows = []
    for (item, condition), group in sorted(groups.items()):
        interval = mean_interval(listener_table(group, [condition]).values[:, 0])
        rows.append(
            {
                "item": item,
                "condition": condition,
                "mean": interval.mean,
                "low": interval.low,
                "high": interval.high,
                "median": statistics.median(rating.score for rating in group),
                "listeners": interval.n,
            }
        )
    return rows


def overall_rows(complete: ListenerTable, anova: RepeatedMeasures) -> list[Row]:
    """Tests of all conditions at once over listener means.

    Raises:
        ValueError: Friedman's test cannot be made.
    """
    ranks = friedman(complete.values)
    first, second = anova.df
    rows: list[Row] = [
        {
            "test": f"repeated-measures ANOVA, {name}",
            "statistic": anova.f,
            "df": f"{epsilon * first:.4g}, {epsilon * second:.4g}",
            "p": p,
            "effect": f"ε {epsilon:.4f}, partial η² {anova.partial_eta2:.3f}",
        }
        for name, epsilon, p in (
            ("sphericity assumed", 1.0, anova.p),
            ("Greenhouse-Geisser", anova.gg_epsilon, anova.p_gg),
            ("Huynh-Feldt", anova.hf_epsilon, anova.p_hf),
        )
    ]
    rows.append(
        {
            "test": "Friedman",
            "statistic": ranks.statistic,
            "df": str(ranks.df),
            "p": ranks.p,
            "effect": f"Kendall's W {ranks.kendall_w:.3f}",
        }
    )
    return rows


def mixed_row(model: MixedModel) -> Row:
    """The mixed model's test of all conditions at once."""
    spreads = ", ".join(f"{name} {value:.2f}" for name, value in model.deviations.items())
    return {
        "test": "mixed model, Kenward-Roger",
        "statistic": model.f,
        "df": f"{model.df[0]:.4g}, {model.df[1]:.4g}",
        "p": model.p,
        "effect": f"SD: {spreads}",
    }


def pair_rows(table: ListenerTable, *, correction: Correction, margin: float | None) -> list[Row]:
    """All pairs of conditions by listener means; with a margin also the tests of equality."""
    rows = [
        vars(pair) | {"ties": "yes" if pair.ties else "no"}
        for pair in compare_pairs(table, correction=correction)
    ]
    if margin is None:
        return rows
    number = {name: column for column, name in enumerate(table.conditions)}
    for row in rows:
        gaps = pair_differences(table, number[row["first"]], number[row["second"]])
        known = len(gaps) >= 2
        row["p_equivalence"] = equivalence(gaps, margin=margin).p if known else float("nan")
    return with_corrected(rows, "p_equivalence", correction)


def median_rows(
    ratings: Sequence[Rating], compared: Sequence[str], correction: Correction
) -> list[Row]:
    """The standard's permutation of medians for all pairs."""
    pooled = {
        name: np.array([rating.score for rating in ratings if rating.condition == name])
        for name in compared
    }
    rows: list[Row] = []
    for first, second in combinations(compared, 2):
        difference, p = median_permutation(pooled[first], pooled[second])
        rows.append({"first": first, "second": second, "difference": difference, "p": p})
    return with_corrected(rows, "p", correction)


def with_corrected(rows: Sequence[Row], name: str, correction: Correction) -> list[Row]:
    """The rows with one more p, of the family that they are, under ``NAME_corrected``."""
    corrected = correct([row[name] for row in rows], correction)
    return [row | {f"{name}_corrected": p} for row, p in zip(rows, corrected, strict=True)]


def _interval(means: np.ndarray, scores: Sequence[float], kind: IntervalKind) -> Interval:
    if kind == "pooled":
        return mean_interval(np.asarray(scores, dtype=np.float64))
    return bootstrap_interval(means) if kind == "bootstrap" else mean_interval(means)
