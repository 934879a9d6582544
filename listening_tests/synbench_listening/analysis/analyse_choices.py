"""Tables of choices: abx identification, and preference of A or B."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

from synbench_listening.analysis.result_table import ResultColumn, ResultTable
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.bradley_terry import bradley_terry
from synbench_listening.statistics.correction import Correction, correct
from synbench_listening.statistics.identification import (
    SIGNIFICANCE,
    Identification,
    identification,
    two_rates_chi2,
)
from synbench_listening.statistics.preference import Counts, judgement_t, preference

By = Literal["condition", "item"]

__all__ = ["By", "analyse_abx", "analyse_preference", "preference_from_counts"]


def analyse_abx(
    ratings: Sequence[Rating], *, by: By = "condition", correction: Correction = "holm"
) -> list[ResultTable]:
    """Identification per treatment, per listener, and treatments against each other.

    Args:
        by: what a treatment is: the condition compared with the other side, or the item.
    """
    groups: dict[str, list[Rating]] = {}
    for rating in ratings:
        name = rating.item if by == "item" else f"{rating.condition} / {rating.versus}"
        groups.setdefault(name, []).append(rating)
    found = [identification(name, groups[name]) for name in sorted(groups)]
    corrected = correct([entry.pooled.p for entry in found], correction)
    listener_alpha = SIGNIFICANCE / len(found)
    rows, people = [], []
    for entry, p_corrected in zip(found, corrected, strict=True):
        pooled = entry.pooled
        detecting = sum(own.p <= listener_alpha for own in entry.listeners.values())
        rows.append(
            {
                "treatment": entry.name,
                "correct": pooled.correct,
                "n": pooled.n,
                "rate": pooled.rate,
                "low": pooled.low,
                "high": pooled.high,
                "p": pooled.p,
                "p_corrected": p_corrected,
                "chi2": pooled.chi2,
                "t_listeners": entry.t,
                "p_listeners": entry.p_listeners,
                "p_wilcoxon": entry.p_wilcoxon,
                "detecting": detecting,
                "listeners": len(entry.listeners),
                "undecided": entry.undecided,
            }
        )
        people += [
            {"treatment": entry.name, "listener": who, **vars(own)}
            for who, own in entry.listeners.items()
        ]
    identified = ResultTable(
        name="abx",
        title="ABX identification",
        columns=(
            ResultColumn(name="treatment", label="Treatment"),
            ResultColumn(name="correct", label="Correct", decimals=0),
            ResultColumn(name="n", label="Of", decimals=0),
            ResultColumn(name="rate", label="Rate", decimals=3),
            ResultColumn(name="low", label="Low", decimals=4),
            ResultColumn(name="high", label="High", decimals=4),
            ResultColumn(name="p", label="p binomial", p=True),
            ResultColumn(name="p_corrected", label="p corr.", p=True),
            ResultColumn(name="chi2", label="χ²", decimals=3),
            ResultColumn(name="t_listeners", label="t listeners", decimals=3),
            ResultColumn(name="p_listeners", label="p listeners", p=True),
            ResultColumn(name="detecting", label="Detecting", decimals=0),
            ResultColumn(name="listeners", label="Listeners", decimals=0),
            ResultColumn(name="undecided", label="Undecided", decimals=0),
        ),
        rows=tuple(rows),
        notes=(
            "binomial: one-sided and exact, all trials as if independent; interval: "
            "Clopper-Pearson, 95 %; undecided counts as not identified",
            "t listeners: rates of listeners against 0.5, two-sided: trust this one",
            f"detecting: listeners with a binomial p of at most {listener_alpha:.4g}, "
            "which is 5 % over the number of treatments",
        ),
    )
    return [identified, _people(people), *_against(found)]


def _people(rows: list[dict[str, object]]) -> ResultTable:
    return ResultTable(
        name="abx_listeners",
        title="ABX identification per listener",
        columns=(
            ResultColumn(name="treatment", label="Treatment"),
            ResultColumn(name="listener", label="Listener"),
            ResultColumn(name="correct", label="Correct", decimals=0),
            ResultColumn(name="n", label="Of", decimals=0),
            ResultColumn(name="low", label="Low", decimals=3),
            ResultColumn(name="high", label="High", decimals=3),
            ResultColumn(name="p", label="p", p=True),
        ),
        rows=tuple(rows),
        detail=True,
    )


def _against(found: Sequence[Identification]) -> list[ResultTable]:
    rows = []
    for first, second in combinations(found, 2):
        statistic, p = two_rates_chi2(first.pooled, second.pooled)
        rows.append({"first": first.name, "second": second.name, "chi2": statistic, "p": p})
    if not rows:
        return []
    return [
        ResultTable(
            name="abx_pairs",
            title="Treatments against each other",
            columns=(
                ResultColumn(name="first", label="First"),
                ResultColumn(name="second", label="Second"),
                ResultColumn(name="chi2", label="χ²", decimals=3),
                ResultColumn(name="p", label="p", p=True),
            ),
            rows=tuple(rows),
            notes=("trials as if independent; no correction for continuity",),
        )
    ]


def analyse_preference(
    ratings: Sequence[Rating], *, correction: Correction = "holm"
) -> list[ResultTable]:
    """Preference per pair of systems, and strengths where there are several pairs."""
    groups: dict[tuple[str, str], list[Rating]] = {}
    for rating in ratings:
        first, second = sorted((rating.condition, rating.versus))
        groups.setdefault((first, second), []).append(rating)
    found = [preference(first, second, group) for (first, second), group in sorted(groups.items())]
    corrected = correct([entry.p_listeners for entry in found], correction)
    rows = []
    for entry, p_corrected in zip(found, corrected, strict=True):
        rows.append(
            _count_row(entry.first, entry.second, entry.counts)
            | {
                "p_sign": entry.p_sign,
                "p_sign_split": entry.p_sign_split,
                "difference": 100 * entry.difference.mean,
                "low": 100 * entry.difference.low,
                "high": 100 * entry.difference.high,
                "low_items": 100 * entry.by_items.low,
                "high_items": 100 * entry.by_items.high,
                "t_listeners": entry.t_listeners,
                "p_listeners": entry.p_listeners,
                "p_corrected": p_corrected,
                "p_wilcoxon": entry.p_wilcoxon,
                "p_sign_flip": entry.p_sign_flip,
                "listeners": entry.listeners,
            }
        )
    columns = (
        *COUNT_COLUMNS,
        ResultColumn(name="difference", label="Diff. %", decimals=2),
        ResultColumn(name="low", label="Low", decimals=2),
        ResultColumn(name="high", label="High", decimals=2),
        ResultColumn(name="t_listeners", label="t listeners", decimals=3),
        ResultColumn(name="p_listeners", label="p listeners", p=True),
        ResultColumn(name="p_corrected", label="p corr.", p=True),
        ResultColumn(name="p_sign_flip", label="Sign flip", p=True),
        ResultColumn(name="listeners", label="Listeners", decimals=0),
    )
    tables = [
        ResultTable(
            name="preference",
            title="Preference",
            columns=columns,
            rows=tuple(rows),
            notes=(
                "p judgements: paper-compatible (judgements as independent), paired t-test of "
                "1/0 for either side",
                "p listeners: paired t-test over listeners, trust this one; interval of the "
                "difference in percent over listeners",
                "a p above 0.05 does not show that two are equal",
            ),
        ),
        ResultTable(
            name="preference_other_views",
            title="Preference, other views",
            columns=(
                ResultColumn(name="first", label="First"),
                ResultColumn(name="second", label="Second"),
                ResultColumn(name="p_sign", label="Sign test, ties dropped", p=True),
                ResultColumn(name="p_sign_split", label="ties split", p=True),
                ResultColumn(name="p_wilcoxon", label="Wilcoxon, listeners", p=True),
                ResultColumn(name="low_items", label="Low over items", decimals=2),
                ResultColumn(name="high_items", label="High over items", decimals=2),
            ),
            rows=tuple(rows),
        ),
    ]
    return tables + (_strengths(ratings) if len(found) > 1 else [])


def preference_from_counts(
    pairs: Sequence[tuple[str, str, Counts]],
) -> ResultTable:
    """The paper's test for counts alone, such as those behind published percentages."""
    return ResultTable(
        name="preference_counts",
        title="Preference from counts",
        columns=COUNT_COLUMNS,
        rows=tuple(_count_row(first, second, counts) for first, second, counts in pairs),
        notes=("paper-compatible (judgements as independent): no listener is known",),
    )


COUNT_COLUMNS = (
    ResultColumn(name="first", label="First"),
    ResultColumn(name="second", label="Second"),
    ResultColumn(name="n_first", label="n first", decimals=0),
    ResultColumn(name="n_none", label="n none", decimals=0),
    ResultColumn(name="n_second", label="n second", decimals=0),
    ResultColumn(name="percent_first", label="First %", decimals=2),
    ResultColumn(name="percent_none", label="None %", decimals=2),
    ResultColumn(name="percent_second", label="Second %", decimals=2),
    ResultColumn(name="t_judgements", label="t judgements", decimals=4),
    ResultColumn(name="p_judgements", label="p judgements", p=True),
)


def _count_row(first: str, second: str, counts: Counts) -> dict[str, object]:
    t, p = judgement_t(counts)
    return {
        "first": first,
        "second": second,
        "n_first": counts.a,
        "n_none": counts.none,
        "n_second": counts.b,
        "percent_first": 100 * counts.a / counts.n,
        "percent_none": 100 * counts.none / counts.n,
        "percent_second": 100 * counts.b / counts.n,
        "t_judgements": t,
        "p_judgements": p,
    }


def _strengths(ratings: Sequence[Rating]) -> list[ResultTable]:
    notes: tuple[str, ...] = ("mean 0; 95 % intervals from listeners drawn again",)
    rows: tuple[dict[str, object], ...] = ()
    try:
        rows = tuple(dict(vars(strength)) for strength in bradley_terry(ratings))
    except ValueError as error:
        notes = (f"no fit: {error}",)
    return [
        ResultTable(
            name="bradley_terry",
            title="Strengths by Bradley and Terry, ties by Davidson (logarithms)",
            columns=(
                ResultColumn(name="name", label="System"),
                ResultColumn(name="strength", label="Strength", decimals=3),
                ResultColumn(name="low", label="Low", decimals=3),
                ResultColumn(name="high", label="High", decimals=3),
            ),
            rows=rows,
            notes=notes,
        )
    ]
