"""Tables of a rated test (mushra, acr, dcr, likert, bs1116, ccr, transcription).

Screening, means, tests; by the condition of the items too, where a study has several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from synbench_listening.analysis.condition_roles import compared_systems, role_of
from synbench_listening.analysis.condition_table import (
    ITEMS_GIVEN,
    MEANINGS,
    condition_table,
    shown_test,
)
from synbench_listening.analysis.difference_grades import difference_grades, expertise_table
from synbench_listening.analysis.intelligibility import intelligibility_table
from synbench_listening.analysis.item_conditions import (
    by_item_condition,
    cost_table,
    factor_table,
    file_name,
    rows_by_item_condition,
)
from synbench_listening.analysis.rated_options import Options
from synbench_listening.analysis.rated_rows import item_rows
from synbench_listening.analysis.reliability_tables import outlier_tables, reliability_table
from synbench_listening.analysis.result_table import ResultTable
from synbench_listening.analysis.screen import screen
from synbench_listening.analysis.screening_table import screening_table
from synbench_listening.analysis.system_tests import system_tests
from synbench_listening.analysis.table_columns import make_table
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.listener_table import by_falling_mean

__all__ = ["analyse_rated"]


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
            before = condition_table(test, ratings, options, name="conditions_before_screening")
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
            f"Scores of {shown_test(test)} per condition and item condition",
            rows,
            MEANINGS[options.interval],
            ITEMS_GIVEN,
        )
    ]
    compared = compared_systems(kept, options)
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
    tables = [condition_table(test, kept, options, name="conditions")]
    if (words := intelligibility_table(kept, by_falling_mean(kept))) is not None:
        tables.append(words)
    tables.append(
        make_table("items", "Scores per item and condition", item_rows(kept), detail=True)
    )
    tables += system_tests(kept, compared_systems(kept, options), options)
    tables.append(reliability_table(kept))
    tables += outlier_tables(kept)
    return tables
