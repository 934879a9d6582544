"""Tables of choices: abx identification, and preference of A or B."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

from synbench.statistics.multiplicity import SIGNIFICANCE, Correction, correct
from synbench_listening.analysis.rated_rows import Row, with_corrected
from synbench_listening.analysis.result_table import ResultTable
from synbench_listening.analysis.table_columns import make_table
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.bradley_terry import bradley_terry
from synbench_listening.statistics.identification import (
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
    treatments = [identification(name, groups[name]) for name in sorted(groups)]
    listener_alpha = SIGNIFICANCE / len(treatments)
    rows: list[Row] = []
    people: list[Row] = []
    for entry in treatments:
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
    for name in ("p", "p_listeners"):
        rows = with_corrected(rows, name, correction)
    method = correction.capitalize()
    identified = make_table(
        "abx",
        "ABX identification",
        rows,
        "binomial: one-sided and exact, all trials as if independent; interval: "
        "Clopper-Pearson, 95 %; undecided counts as not identified",
        "t listeners: rates of listeners against 0.5, two-sided: trust this one; items are taken "
        "as given",
        f"corr.: over all treatments by {method}",
        f"detecting: listeners with a binomial p of at most {listener_alpha:.4g}, "
        "which is 5 % over the number of treatments",
    )
    each = make_table("abx_listeners", "ABX identification per listener", people, detail=True)
    return [identified, each, *_against(treatments, correction)]


def _against(treatments: Sequence[Identification], correction: Correction) -> list[ResultTable]:
    rows: list[Row] = []
    for first, second in combinations(treatments, 2):
        statistic, p = two_rates_chi2(first.pooled, second.pooled)
        rows.append({"first": first.name, "second": second.name, "chi2": statistic, "p": p})
    if not rows:
        return []
    return [
        make_table(
            "abx_pairs",
            "Treatments against each other",
            with_corrected(rows, "p", correction),
            "trials as if independent; no correction for continuity; p corr.: over all pairs by "
            f"{correction.capitalize()}",
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
    preferences = [
        preference(first, second, group) for (first, second), group in sorted(groups.items())
    ]
    corrected = correct([entry.p_listeners for entry in preferences], correction)
    rows = []
    for entry, p_corrected in zip(preferences, corrected, strict=True):
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
    tables = [
        make_table(
            "preference",
            "Preference (A or B, or none; no X was to be identified)",
            rows,
            "p judgements: paper-compatible (judgements as independent), paired t-test of "
            "1/0 for either side",
            "p listeners: paired t-test over listeners, trust this one; interval of the "
            "difference in percent over listeners; items are taken as given",
            f"p corr.: p listeners, corrected over all pairs by {correction.capitalize()}; the "
            "other p-values are for a single pair chosen beforehand",
            "a p above 0.05 does not show that two are equal",
        ),
        make_table(
            "preference_other_views",
            "Preference, other views",
            rows,
            "not corrected for the number of pairs",
        ),
    ]
    return tables + (_strengths(ratings) if len(preferences) > 1 else [])


def preference_from_counts(
    pairs: Sequence[tuple[str, str, Counts]],
) -> ResultTable:
    """The paper's test for counts alone, such as those behind published percentages."""
    return make_table(
        "preference_counts",
        "Preference from counts",
        [_count_row(first, second, counts) for first, second, counts in pairs],
        "paper-compatible (judgements as independent): no listener is known",
    )


def _count_row(first: str, second: str, counts: Counts) -> Row:
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
    notes: tuple[str, ...] = ("mean 0; 95 % intervals over listeners, items as given",)
    rows: tuple[dict[str, object], ...] = ()
    try:
        rows = tuple(dict(vars(strength)) for strength in bradley_terry(ratings))
    except ValueError as error:
        notes = (f"no fit: {error}",)
    title = "Strengths by Bradley and Terry, ties by Davidson (logarithms)"
    return [make_table("bradley_terry", title, rows, *notes)]
