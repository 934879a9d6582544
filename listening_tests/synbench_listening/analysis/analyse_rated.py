"""Tables of a rated test (mushra, acr, dcr, likert, bs1116, ccr): screening, means, tests."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from synbench_listening.analysis.difference_grades import difference_grades, expertise_table
from synbench_listening.analysis.result_table import ResultColumn, ResultTable
from synbench_listening.analysis.screen import (
    MID_ANCHOR_NAMES,
    REFERENCE_NAMES,
    Screening,
    flag_outliers,
    screen,
    standard_quartiles,
)
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.correction import Correction
from synbench_listening.statistics.distribution import SUSPICIOUS, bimodality
from synbench_listening.statistics.intervals import (
    FEW_LISTENERS,
    Interval,
    bootstrap_interval,
    mean_interval,
)
from synbench_listening.statistics.listener_table import by_falling_mean, listener_table
from synbench_listening.statistics.mixed_model import MixedModel, fit_mixed_model
from synbench_listening.statistics.paired import (
    compare_pairs,
    equivalence,
    median_permutation,
)
from synbench_listening.statistics.reliability import listener_alpha, repeats
from synbench_listening.statistics.repeated_measures import friedman, repeated_measures

IntervalKind = Literal["listeners", "bootstrap", "pooled"]
LOW_ANCHOR_NAMES = ("anchor35", "anchor_35", "anchor 3.5 khz", "low_anchor", "anchor")
MEANINGS: dict[IntervalKind, str] = {
    "listeners": "95 % interval: Student's t over listener means",
    "bootstrap": "95 % interval: BCa bootstrap over listener means",
    "pooled": "95 % interval over pooled ratings, as if each were another listener's: too narrow",
}

__all__ = ["IntervalKind", "Options", "analyse_rated", "compared_conditions", "screening_table"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to analyse.

    Attributes:
        leave_out: conditions that no test compares, beside reference and anchors.
        margin: of equivalence, in points of the scale; no equivalence test if absent.
    """

    screening: bool = True
    reference: str | None = None
    mid_anchor: str | None = None
    interval: IntervalKind = "listeners"
    correction: Correction = "holm"
    mixed_model: bool = True
    margin: float | None = None
    median_test: bool = False
    leave_out: tuple[str, ...] = ()
    waived_items_count: bool = False


def analyse_rated(test: str, ratings: Sequence[Rating], options: Options) -> list[ResultTable]:
    """All tables of the ratings of one kind of test."""
    tables: list[ResultTable] = []
    kept: Sequence[Rating] = ratings
    if test == "mushra" and options.screening:
        screening = screen(
            ratings,
            reference=options.reference,
            mid_anchor=options.mid_anchor,
            waived_items_count=options.waived_items_count,
        )
        kept = screening.kept
        tables.append(screening_table(screening))
        if screening.exclusions:
            before = _conditions(test, ratings, options, name="conditions_before_screening")
            tables.append(before)
    if test == "bs1116":
        kept = difference_grades(ratings, reference=options.reference)
        tables.append(expertise_table(kept))
    if not kept:
        return tables
    tables.append(_conditions(test, kept, options, name="conditions"))
    tables.append(_items(kept))
    skipped = {*options.leave_out, options.reference, options.mid_anchor}
    compared = [name for name in compared_conditions(kept) if name not in skipped]
    if len(compared) >= 2:
        mixed, refusal = _mixed(kept, compared, options)
        tables.append(_overall(kept, compared, mixed, refusal))
        tables.append(_pairs(kept, compared, options))
        if options.median_test:
            tables.append(_median_test(kept, compared))
        if mixed is not None:
            tables.append(_mixed_pairs(mixed))
    tables.append(_reliability(kept))
    tables += _outliers(kept)
    return tables


def screening_table(screening: Screening) -> ResultTable:
    """Who was excluded, by which rule, on which evidence."""
    texts = {
        "hidden_reference": "hidden reference < 90 in > 15 % of items",
        "mid_anchor": "mid anchor > 90 in > 15 % of items",
    }
    notes = [f"rules applied: {', '.join(texts[rule] for rule in screening.applied) or 'none'}"]
    if "mid_anchor" not in screening.applied:
        notes.append("no mid anchor was found, so its rule could not be applied")
    if screening.waived_items:
        notes.append(
            "items that the mid-anchor rule passed over, since more than 25 % of listeners gave "
            f"it more than 90: {', '.join(screening.waived_items)}"
        )
    out = len(screening.excluded_listeners)
    return ResultTable(
        name="exclusions",
        title=f"Screening by BS.1534-3: {out} of {screening.listeners} listeners excluded",
        columns=(
            ResultColumn(name="listener", label="Listener"),
            ResultColumn(name="rule", label="Rule"),
            ResultColumn(name="failed", label="Failed", decimals=0),
            ResultColumn(name="of", label="Of", decimals=0),
            ResultColumn(name="items", label="Items"),
        ),
        rows=tuple(
            {
                "listener": entry.listener,
                "rule": texts[entry.rule],
                "failed": entry.failed,
                "of": entry.of,
                "items": " ".join(entry.items),
            }
            for entry in screening.exclusions
        ),
        notes=tuple(notes),
    )


def _conditions(
    test: str, ratings: Sequence[Rating], options: Options, *, name: str
) -> ResultTable:
    order = by_falling_mean(ratings)
    table = listener_table(ratings, order)
    rows = []
    for place, condition in enumerate(order):
        scores = [rating.score for rating in ratings if rating.condition == condition]
        means = table.values[:, place]
        first, third = standard_quartiles(scores)
        interval = _interval(means, scores, options.interval)
        rows.append(
            {
                "condition": condition,
                "test": test,
                "role": role_of(condition, options),
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
    kind = "bs1116 (object minus hidden reference)" if test == "bs1116" else test
    when = "before screening" if name.endswith("before_screening") else "as analysed"
    return ResultTable(
        name=name,
        title=f"Scores of {kind} per condition, {when}",
        columns=(
            ResultColumn(name="condition", label="Condition"),
            ResultColumn(name="test", label="Test", file_only=True),
            ResultColumn(name="role", label="Role", file_only=True),
            ResultColumn(name="mean", label="Mean", decimals=2),
            ResultColumn(name="low", label="Low", decimals=2),
            ResultColumn(name="high", label="High", decimals=2),
            ResultColumn(name="half_width", label="±", decimals=2),
            ResultColumn(name="median", label="Median", decimals=1),
            ResultColumn(name="q1", label="Q1", decimals=1),
            ResultColumn(name="q3", label="Q3", decimals=1),
            ResultColumn(name="sd", label="SD", decimals=1),
            ResultColumn(name="bimodality", label="Bimod.", decimals=2),
            ResultColumn(name="listeners", label="Listeners", decimals=0),
            ResultColumn(name="ratings", label="Ratings", decimals=0),
        ),
        rows=tuple(rows),
        notes=(MEANINGS[options.interval], *_doubts(test, rows)),
    )


def _interval(means: np.ndarray, scores: Sequence[float], kind: IntervalKind) -> Interval:
    if kind == "pooled":
        return mean_interval(np.asarray(scores, dtype=np.float64))
    return bootstrap_interval(means) if kind == "bootstrap" else mean_interval(means)


def _doubts(test: str, rows: list[dict[str, object]]) -> list[str]:
    doubts = []
    listeners = max(int(str(row["listeners"])) for row in rows)
    if listeners < FEW_LISTENERS:
        doubts.append(f"only {listeners} listeners: see also --interval bootstrap")
    two = [str(row["condition"]) for row in rows if float(str(row["bimodality"])) > SUSPICIOUS]
    if two:
        doubts.append(f"two groups of listeners? bimodality above 5/9: {', '.join(two)}")
    if test == "mushra":
        high = sum(float(str(row["mean"])) >= 80 for row in rows)
        if len(rows) > 3 and high * 2 > len(rows):
            doubts.append("most conditions lie between 80 and 100: MUSHRA is too coarse for them")
    return doubts


def _items(ratings: Sequence[Rating]) -> ResultTable:
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
    return ResultTable(
        name="items",
        title="Scores per item and condition",
        columns=(
            ResultColumn(name="item", label="Item"),
            ResultColumn(name="condition", label="Condition"),
            ResultColumn(name="mean", label="Mean", decimals=2),
            ResultColumn(name="low", label="Low", decimals=2),
            ResultColumn(name="high", label="High", decimals=2),
            ResultColumn(name="median", label="Median", decimals=1),
            ResultColumn(name="listeners", label="Listeners", decimals=0),
        ),
        rows=tuple(rows),
        detail=True,
    )


def compared_conditions(ratings: Sequence[Rating]) -> list[str]:
    """The systems, by falling mean: all conditions but those named like reference or anchor."""
    usual = {*REFERENCE_NAMES, *MID_ANCHOR_NAMES, *LOW_ANCHOR_NAMES}
    return [name for name in by_falling_mean(ratings) if name.strip().lower() not in usual]


def role_of(condition: str, options: Options) -> str:
    """``reference``, ``anchor`` (noise conditions too) or ``system``, by name and options."""
    name = condition.strip().lower()
    if condition == options.reference or name in REFERENCE_NAMES:
        return "reference"
    anchors = {*MID_ANCHOR_NAMES, *LOW_ANCHOR_NAMES}
    if condition == options.mid_anchor or name in anchors or name.startswith("mnru "):
        return "anchor"
    return "system"


def _mixed(
    ratings: Sequence[Rating], compared: Sequence[str], options: Options
) -> tuple[MixedModel | None, str]:
    if not options.mixed_model:
        return None, ""
    try:
        return fit_mixed_model(ratings, compared), ""
    except (ValueError, np.linalg.LinAlgError) as error:
        return None, f"no mixed model: {error}"


def _overall(
    ratings: Sequence[Rating], compared: Sequence[str], mixed: MixedModel | None, refusal: str
) -> ResultTable:
    table = listener_table(ratings, compared)
    complete = table.complete()
    notes = [refusal] if refusal else []
    left = len(table.listeners) - len(complete.listeners)
    if left:
        notes.append(f"{left} listeners did not rate every condition: not in the first two tests")
    rows: list[dict[str, object]] = []
    try:
        anova, ranks = repeated_measures(complete.values), friedman(complete.values)
    except ValueError as error:
        notes.append(f"no analysis of variance, no Friedman test: {error}")
    else:
        first, second = anova.df
        for name, epsilon, p in (
            ("sphericity assumed", 1.0, anova.p),
            ("Greenhouse-Geisser", anova.gg_epsilon, anova.p_gg),
            ("Huynh-Feldt", anova.hf_epsilon, anova.p_hf),
        ):
            rows.append(
                {
                    "test": f"repeated-measures ANOVA, {name}",
                    "statistic": anova.f,
                    "df": f"{epsilon * first:.4g}, {epsilon * second:.4g}",
                    "p": p,
                    "effect": f"ε {epsilon:.4f}, partial η² {anova.partial_eta2:.3f}",
                }
            )
        rows.append(
            {
                "test": "Friedman",
                "statistic": ranks.statistic,
                "df": str(ranks.df),
                "p": ranks.p,
                "effect": f"Kendall's W {ranks.kendall_w:.3f}",
            }
        )
        notes.append(
            f"Mauchly's test of sphericity: W {anova.mauchly_w:.4g}, p {anova.mauchly_p:.2g}"
        )
        skewness = abs(anova.residual_skewness)
        if skewness > 0.5:
            advice = "trust the Friedman test instead" if skewness > 1 else "read with care"
            notes.append(f"residuals are skewed by {anova.residual_skewness:.2f}: {advice}")
    if mixed is not None:
        spreads = ", ".join(f"{name} {value:.2f}" for name, value in mixed.deviations.items())
        rows.append(
            {
                "test": "mixed model, Kenward-Roger",
                "statistic": mixed.f,
                "df": f"{mixed.df[0]:.4g}, {mixed.df[1]:.4g}",
                "p": mixed.p,
                "effect": f"SD: {spreads}",
            }
        )
    return ResultTable(
        name="overall",
        title=f"Do the {len(compared)} systems differ at all? "
        f"({len(complete.listeners)} listeners; reference and anchors left out)",
        columns=(
            ResultColumn(name="test", label="Test"),
            ResultColumn(name="statistic", label="Statistic", decimals=3),
            ResultColumn(name="df", label="df"),
            ResultColumn(name="p", label="p", p=True),
            ResultColumn(name="effect", label="Size"),
        ),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _pairs(ratings: Sequence[Rating], compared: Sequence[str], options: Options) -> ResultTable:
    table = listener_table(ratings, compared)
    rows = []
    for pair in compare_pairs(table, correction=options.correction):
        row: dict[str, object] = {
            "first": pair.first,
            "second": pair.second,
            "difference": pair.difference,
            "low": pair.low,
            "high": pair.high,
            "t": pair.t,
            "p": pair.p,
            "p_corrected": pair.p_corrected,
            "effect": pair.effect,
            "p_wilcoxon": pair.p_wilcoxon,
            "p_wilcoxon_corrected": pair.p_wilcoxon_corrected,
            "p_sign_flip": pair.p_sign_flip,
            "ties": "yes" if pair.ties else "no",
            "listeners": pair.listeners,
        }
        if options.margin is not None and pair.listeners >= 2:
            columns = [compared.index(pair.first), compared.index(pair.second)]
            both = table.values[:, columns]
            found = both[np.isfinite(both).all(axis=1)]
            row["p_equivalence"] = equivalence(found[:, 0] - found[:, 1], margin=options.margin).p
        rows.append(row)
    notes = [
        "paired t-tests of listener means; a p above 0.05 does not show that two are equal",
        f"p corrected over all {len(rows)} pairs by {options.correction.capitalize()}",
    ]
    if any(row["ties"] == "yes" for row in rows):
        notes.append("where differences tie, read the sign-flip p rather than Wilcoxon's")
    columns_shown = [
        ResultColumn(name="first", label="First"),
        ResultColumn(name="second", label="Second"),
        ResultColumn(name="difference", label="Diff.", decimals=2),
        ResultColumn(name="low", label="Low", decimals=2),
        ResultColumn(name="high", label="High", decimals=2),
        ResultColumn(name="t", label="t", decimals=2),
        ResultColumn(name="p", label="p", p=True),
        ResultColumn(name="p_corrected", label="p corr.", p=True),
        ResultColumn(name="effect", label="d", decimals=2),
        ResultColumn(name="p_wilcoxon", label="Wilcoxon", p=True),
        ResultColumn(name="p_sign_flip", label="Sign flip", p=True),
        ResultColumn(name="listeners", label="n", decimals=0),
    ]
    if options.margin is not None:
        columns_shown.append(
            ResultColumn(name="p_equivalence", label=f"Equal ±{options.margin:g}", p=True)
        )
        notes.append(f"last column: p that the difference is not within ±{options.margin:g} points")
    return ResultTable(
        name="pairs",
        title="Systems in pairs",
        columns=tuple(columns_shown),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _median_test(ratings: Sequence[Rating], compared: Sequence[str]) -> ResultTable:
    pooled = {
        name: np.array([rating.score for rating in ratings if rating.condition == name])
        for name in compared
    }
    rows = []
    for first, second in combinations(compared, 2):
        difference, p = median_permutation(pooled[first], pooled[second])
        rows.append({"first": first, "second": second, "difference": difference, "p": p})
    return ResultTable(
        name="median_test",
        title="Medians in pairs by the permutation test of BS.1534-3, attachment 3",
        columns=(
            ResultColumn(name="first", label="First"),
            ResultColumn(name="second", label="Second"),
            ResultColumn(name="difference", label="|Diff.|", decimals=1),
            ResultColumn(name="p", label="p", p=True),
        ),
        rows=tuple(rows),
        notes=(
            "10 000 random re-splits of the pooled ratings, not corrected for the number of pairs",
            "it ignores that the same listeners gave both; the sign-flip test of pairs does not",
        ),
    )


def _mixed_pairs(mixed: MixedModel) -> ResultTable:
    return ResultTable(
        name="mixed_pairs",
        title="Systems in pairs by the mixed model",
        columns=(
            ResultColumn(name="first", label="First"),
            ResultColumn(name="second", label="Second"),
            ResultColumn(name="estimate", label="Diff.", decimals=2),
            ResultColumn(name="standard_error", label="SE", decimals=3),
            ResultColumn(name="df", label="df", decimals=1),
            ResultColumn(name="t", label="t", decimals=3),
            ResultColumn(name="p", label="p", p=True),
        ),
        rows=tuple(vars(pair) for pair in mixed.pairs),
        notes=("not corrected for the number of pairs",),
        detail=True,
    )


def _reliability(ratings: Sequence[Rating]) -> ResultTable:
    alpha = listener_alpha(ratings)
    found = repeats(ratings)
    notes = [f"agreement between listeners: Krippendorff's alpha (interval) {alpha:.3f}"]
    if not found:
        notes.append("nobody rated an item twice: agreement with oneself is unknown")
    return ResultTable(
        name="reliability",
        title="Reliability",
        columns=(
            ResultColumn(name="listener", label="Listener"),
            ResultColumn(name="pairs", label="Rated twice", decimals=0),
            ResultColumn(name="concordance", label="Lin's CCC", decimals=3),
            ResultColumn(name="spread", label="SD within", decimals=2),
        ),
        rows=tuple(vars(entry) for entry in found),
        notes=tuple(notes),
    )


def _outliers(ratings: Sequence[Rating]) -> list[ResultTable]:
    found = flag_outliers(ratings)
    if not found:
        return []
    return [
        ResultTable(
            name="outliers",
            title=f"{len(found)} ratings outside the whiskers (flags; nothing was removed)",
            columns=(
                ResultColumn(name="listener", label="Listener"),
                ResultColumn(name="item", label="Item"),
                ResultColumn(name="condition", label="Condition"),
                ResultColumn(name="score", label="Score", decimals=1),
                ResultColumn(name="low", label="Low", decimals=1),
                ResultColumn(name="high", label="High", decimals=1),
            ),
            rows=tuple(
                {
                    "listener": outlier.rating.listener,
                    "item": outlier.rating.item,
                    "condition": outlier.rating.condition,
                    "score": outlier.rating.score,
                    "low": outlier.low,
                    "high": outlier.high,
                }
                for outlier in found
            ),
            detail=True,
        )
    ]
