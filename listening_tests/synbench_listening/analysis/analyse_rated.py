"""Tables of a rated test (mushra, acr, dcr, likert, bs1116, ccr, transcription).

Screening, means, tests; by the condition of the items too, where a study has several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synbench.statistics.multiplicity import Correction
from synbench_listening.analysis.difference_grades import difference_grades, expertise_table
from synbench_listening.analysis.intelligibility import intelligibility_table
from synbench_listening.analysis.item_conditions import (
    by_item_condition,
    cost_table,
    factor_table,
    file_name,
    rows_by_item_condition,
)
from synbench_listening.analysis.rated_rows import (
    IntervalKind,
    Row,
    condition_rows,
    item_rows,
    median_rows,
    mixed_row,
    overall_rows,
    pair_rows,
    with_corrected,
)
from synbench_listening.analysis.result_table import ResultColumn, ResultTable
from synbench_listening.analysis.screen import (
    MID_ANCHOR_NAMES,
    REFERENCE_NAMES,
    Screening,
    flag_outliers,
    screen,
)
from synbench_listening.analysis.table_columns import make_table
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.distribution import BIMODAL_COEFFICIENT
from synbench_listening.statistics.intervals import FEW_LISTENERS
from synbench_listening.statistics.listener_table import by_falling_mean, listener_table
from synbench_listening.statistics.mixed_model import MixedModel, Structure, fit_mixed_model
from synbench_listening.statistics.reliability import listener_alpha, repeats
from synbench_listening.statistics.repeated_measures import repeated_measures

LOW_ANCHOR_NAMES = ("anchor35", "anchor_35", "anchor 3.5 khz", "low_anchor", "anchor")
MEANINGS: dict[IntervalKind, str] = {
    "listeners": "95 % interval: Student's t over listener means",
    "bootstrap": "95 % interval: BCa bootstrap over listener means",
    "pooled": "95 % interval over pooled ratings, as if each were another listener's: too narrow",
}
# Said beside everything that counts listeners alone.
ITEMS_GIVEN = "over listeners: items are taken as given, nothing is said of other items"

__all__ = ["IntervalKind", "Options", "analyse_rated", "compared_conditions", "screening_table"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to analyse.

    Attributes:
        random_effects: of the mixed model, see :func:`fit_mixed_model`.
        leave_out: conditions that no test compares, beside reference and anchors.
        margin: of equivalence, in points of the scale; no equivalence test if absent.
    """

    screening: bool = True
    reference: str | None = None
    mid_anchor: str | None = None
    interval: IntervalKind = "listeners"
    correction: Correction = "holm"
    mixed_model: bool = True
    random_effects: Structure = "maximal"
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
    groups = by_item_condition(kept)
    if len(groups) == 1:
        return tables + _analysed(test, kept, options)
    return tables + _by_item_condition(test, kept, groups, options)


def _by_item_condition(
    test: str, kept: Sequence[Rating], groups: dict[str, list[Rating]], options: Options
) -> list[ResultTable]:
    """Item conditions as a factor, then the tables of each by itself, under its name."""
    rows = [
        row | {"test": test, "role": role_of(row["condition"], options)}
        for row in rows_by_item_condition(groups, options.interval)
    ]
    tables = [
        make_table(
            "conditions_by_item_condition",
            f"Scores of {_shown(test)} per condition and item condition",
            rows,
            MEANINGS[options.interval],
            ITEMS_GIVEN,
        )
    ]
    compared = _compared(kept, options)
    if len(compared) >= 2:
        tables.append(factor_table(groups, compared))
    if (cost := cost_table(groups, correction=options.correction)) is not None:
        tables.append(cost)
    for name, group in groups.items():
        for table in _analysed(test, group, options):
            title = f"{name}: {table.title}"
            tables.append(replace(table, name=f"{file_name(name)}_{table.name}", title=title))
    return tables


def _analysed(test: str, kept: Sequence[Rating], options: Options) -> list[ResultTable]:
    """The tables of ratings that belong together."""
    tables = [_conditions(test, kept, options, name="conditions")]
    if (words := intelligibility_table(kept, by_falling_mean(kept))) is not None:
        tables.append(words)
    tables.append(
        make_table("items", "Scores per item and condition", item_rows(kept), detail=True)
    )
    compared = _compared(kept, options)
    if len(compared) >= 2:
        mixed, refusal = _mixed(kept, compared, options)
        tables.append(_overall(kept, compared, mixed, refusal))
        tables.append(_pairs(kept, compared, options))
        if options.median_test:
            tables.append(_median_test(kept, compared, options))
        if mixed is not None:
            tables.append(_mixed_pairs(mixed, options))
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
    rows = [
        {
            "listener": entry.listener,
            "rule": texts[entry.rule],
            "failed": entry.failed,
            "of": entry.of,
            "items": " ".join(entry.items),
        }
        for entry in screening.exclusions
    ]
    title = f"Screening by BS.1534-3: {out} of {screening.listeners} listeners excluded"
    return make_table("exclusions", title, rows, *notes)


def compared_conditions(ratings: Sequence[Rating]) -> list[str]:
    """The systems, by falling mean: all conditions but those named like reference or anchor."""
    usual = {*REFERENCE_NAMES, *MID_ANCHOR_NAMES, *LOW_ANCHOR_NAMES}
    return [name for name in by_falling_mean(ratings) if name.strip().lower() not in usual]


def _compared(ratings: Sequence[Rating], options: Options) -> list[str]:
    skipped = {*options.leave_out, options.reference, options.mid_anchor}
    return [name for name in compared_conditions(ratings) if name not in skipped]


def _shown(test: str) -> str:
    shown = {
        "bs1116": "bs1116 (object minus hidden reference)",
        "transcription": "transcription (words understood, %)",
    }
    return shown.get(test, test)


def role_of(condition: str, options: Options) -> str:
    """``reference``, ``anchor`` (noise conditions too) or ``system``, by name and options."""
    name = condition.strip().lower()
    if condition == options.reference or name in REFERENCE_NAMES:
        return "reference"
    anchors = {*MID_ANCHOR_NAMES, *LOW_ANCHOR_NAMES}
    if condition == options.mid_anchor or name in anchors or name.startswith("mnru "):
        return "anchor"
    return "system"


def _conditions(
    test: str, ratings: Sequence[Rating], options: Options, *, name: str
) -> ResultTable:
    rows = [
        row | {"test": test, "role": role_of(row["condition"], options)}
        for row in condition_rows(ratings, options.interval)
    ]
    when = "before screening" if name.endswith("before_screening") else "as analysed"
    return make_table(
        name,
        f"Scores of {_shown(test)} per condition, {when}",
        rows,
        MEANINGS[options.interval],
        ITEMS_GIVEN,
        *_doubts(test, rows),
        columns_of="conditions",
    )


def _doubts(test: str, rows: list[Row]) -> list[str]:
    doubts = []
    listeners = max(row["listeners"] for row in rows)
    if listeners < FEW_LISTENERS:
        doubts.append(f"only {listeners} listeners: see also --interval bootstrap")
    two = [row["condition"] for row in rows if row["bimodality"] > BIMODAL_COEFFICIENT]
    if two:
        doubts.append(f"two groups of listeners? bimodality above 5/9: {', '.join(two)}")
    if test == "mushra":
        high = sum(row["mean"] >= 80 for row in rows)
        if len(rows) > 3 and high * 2 > len(rows):
            doubts.append("most conditions lie between 80 and 100: MUSHRA is too coarse for them")
    return doubts


def _mixed(
    ratings: Sequence[Rating], compared: Sequence[str], options: Options
) -> tuple[MixedModel | None, str]:
    if not options.mixed_model:
        return None, ""
    try:
        return fit_mixed_model(ratings, compared, structure=options.random_effects), ""
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
        noun = "listener" if left == 1 else "listeners"
        notes.append(f"{left} {noun} did not rate every condition: not in the first two tests")
    rows: list[Row] = []
    try:
        anova = repeated_measures(complete.values)
        rows += overall_rows(complete, anova)
    except ValueError as error:
        notes.append(f"no analysis of variance, no Friedman test: {error}")
    else:
        notes.append(f"analysis of variance and Friedman's test are {ITEMS_GIVEN}")
        notes.append(
            "of the analyses of variance read Huynh-Feldt's: without sphericity the first is wrong "
            "too often, and Greenhouse-Geisser's is too careful with few listeners"
        )
        notes.append(
            f"Mauchly's test of sphericity: W {anova.mauchly_w:.4g}, p {anova.mauchly_p:.2g}"
        )
        skewness = abs(anova.residual_skewness)
        if skewness > 0.5:
            advice = "trust the Friedman test instead" if skewness > 1 else "read with care"
            notes.append(f"residuals are skewed by {anova.residual_skewness:.2f}: {advice}")
    if mixed is not None:
        rows.append(mixed_row(mixed))
        notes += _mixed_notes(mixed)
    return make_table(
        "overall",
        f"Do the {len(compared)} systems differ at all? "
        f"({len(complete.listeners)} listeners; reference and anchors left out)",
        rows,
        *notes,
    )


def _mixed_notes(mixed: MixedModel) -> list[str]:
    """What the model assumes, and whether its fit can be trusted."""
    if mixed.structure == "maximal":
        notes = [
            "mixed model: listeners and items both as drawn, each with its own view of every "
            "condition"
        ]
    else:
        notes = [
            "mixed model without listener:condition and item:condition: where listeners or items "
            "differ in how they take a condition, its p is far too small"
        ]
    if mixed.left_out:
        notes.append(f"mixed model: these ratings cannot tell {', '.join(mixed.left_out)} apart")
    if mixed.at_zero:
        notes.append(f"mixed model: variance estimated as zero: {', '.join(mixed.at_zero)}")
    state = "converged" if mixed.converged else "DID NOT CONVERGE: do not use it"
    notes.append(
        f"mixed model: REML deviance {mixed.deviance:.4f}, best of {mixed.searches} searches, "
        f"{state}"
    )
    return notes


def _pairs(ratings: Sequence[Rating], compared: Sequence[str], options: Options) -> ResultTable:
    table = listener_table(ratings, compared)
    rows = pair_rows(table, correction=options.correction, margin=options.margin)
    by = options.correction.capitalize()
    notes = [
        "paired t-tests of listener means; a p above 0.05 does not show that two are equal",
        ITEMS_GIVEN,
        f"corr.: corrected over all {len(rows)} pairs by {by}, each test by itself; decide by these"
        ", the others are for single pairs chosen beforehand",
    ]
    if any(row["ties"] == "yes" for row in rows):
        notes.append("where differences tie, Wilcoxon is approximate: sign flip corr. is exact")
    more: list[ResultColumn] = []
    if options.margin is not None:
        margin = f"±{options.margin:g}"
        more = [
            ResultColumn(name="p_equivalence", label=f"Equal {margin}", p=True),
            ResultColumn(name="p_equivalence_corrected", label=f"Equal {margin} corr.", p=True),
        ]
        notes.append(
            f"Equal {margin}: two one-sided t-tests of a difference of {options.margin:g} points "
            f"or more; below 0.05 (corr.: by {by} over all pairs) shows that it is smaller"
        )
    return make_table("pairs", "Systems in pairs", rows, *notes, more=more)


def _median_test(
    ratings: Sequence[Rating], compared: Sequence[str], options: Options
) -> ResultTable:
    return make_table(
        "median_test",
        "Medians in pairs by the permutation test of BS.1534-3, attachment 3",
        median_rows(ratings, compared, options.correction),
        "10 000 random re-splits of the pooled ratings; p corr.: over all pairs by "
        f"{options.correction.capitalize()}",
        "it ignores that the same listeners gave both; the sign-flip test of pairs does not",
    )


def _mixed_pairs(mixed: MixedModel, options: Options) -> ResultTable:
    rows = with_corrected([vars(pair) for pair in mixed.pairs], "p", options.correction)
    return make_table(
        "mixed_pairs",
        "Systems in pairs by the mixed model",
        rows,
        f"p corr.: over all pairs by {options.correction.capitalize()}",
        *_mixed_notes(mixed),
        detail=True,
    )


def _reliability(ratings: Sequence[Rating]) -> ResultTable:
    alpha = listener_alpha(ratings)
    twice = repeats(ratings)
    notes = [f"agreement between listeners: Krippendorff's alpha (interval) {alpha:.3f}"]
    if not twice:
        notes.append("nobody rated an item twice: agreement with oneself is unknown")
    return make_table("reliability", "Reliability", [vars(entry) for entry in twice], *notes)


def _outliers(ratings: Sequence[Rating]) -> list[ResultTable]:
    flagged = flag_outliers(ratings)
    if not flagged:
        return []
    title = f"{len(flagged)} ratings outside the whiskers (flags; nothing was removed)"
    rows = [
        {
            "listener": outlier.rating.listener,
            "item": outlier.rating.item,
            "condition": outlier.rating.condition,
            "score": outlier.rating.score,
            "low": outlier.low,
            "high": outlier.high,
        }
        for outlier in flagged
    ]
    return [make_table("outliers", title, rows, detail=True)]
