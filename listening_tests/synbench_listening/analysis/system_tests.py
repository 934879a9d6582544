"""Tests between the systems of a rated test: overall, in pairs, by medians, by the mixed model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synbench_listening.analysis.condition_table import ITEMS_GIVEN
from synbench_listening.analysis.rated_options import Options
from synbench_listening.analysis.rated_rows import (
    Row,
    median_rows,
    mixed_row,
    overall_rows,
    pair_rows,
    with_corrected,
)
from synbench_listening.analysis.result_table import ResultColumn, ResultTable
from synbench_listening.analysis.table_columns import make_table
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.listener_table import listener_table
from synbench_listening.statistics.mixed_model import MixedModel, fit_mixed_model
from synbench_listening.statistics.repeated_measures import repeated_measures

__all__ = ["system_tests"]


def system_tests(
    ratings: Sequence[Rating], compared: Sequence[str], options: Options
) -> list[ResultTable]:
    """Whether systems differ at all, and which; none where fewer than two are compared."""
    if len(compared) < 2:
        return []
    mixed, refusal = _mixed(ratings, compared, options)
    tables = [
        _overall(ratings, compared, mixed, refusal),
        _pairs(ratings, compared, options),
    ]
    if options.median_test:
        tables.append(_median_test(ratings, compared, options))
    if mixed is not None:
        tables.append(_mixed_pairs(mixed, options))
    return tables


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
