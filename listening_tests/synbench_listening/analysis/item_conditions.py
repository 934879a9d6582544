"""Studies whose items were heard under several conditions, such as noise: these as a factor.

Three questions: how each system does under each condition, what a condition costs it against the
same listeners' clean scores, and whether the systems keep their distances. Clean comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

import numpy as np

from synbench.statistics.multiplicity import Correction, correct
from synbench.statistics.paired_tests import paired_t
from synbench_listening.analysis.rated_rows import IntervalKind, Row, condition_rows
from synbench_listening.analysis.result_table import ResultTable
from synbench_listening.analysis.table_columns import make_table
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.intervals import mean_interval
from synbench_listening.statistics.listener_table import Floats, listener_table
from synbench_listening.statistics.two_factors import two_factors

CLEAN = "clean"

__all__ = ["by_item_condition", "cost_table", "factor_table", "file_name", "rows_by_item_condition"]


def by_item_condition(ratings: Sequence[Rating]) -> dict[str, list[Rating]]:
    """Ratings by the condition of their items; the recordings as they are under ``clean``, first.

    The others follow by name, numbers by their size: ``babble 0 dB``, ``babble 5 dB``, ``white``.
    """
    groups: dict[str, list[Rating]] = {}
    for rating in ratings:
        groups.setdefault(rating.item_condition or CLEAN, []).append(rating)
    return {name: groups[name] for name in sorted(groups, key=_order)}


def _order(name: str) -> tuple[bool, list[tuple[bool, float, str]]]:
    parts = re.split(r"(-?\d+(?:\.\d+)?)", name)
    numbered = [(k % 2 == 1, float(part) if k % 2 else 0.0, part) for k, part in enumerate(parts)]
    return name != CLEAN, numbered


def file_name(condition: str) -> str:
    """The condition as a part of a file's name: ``babble-5-db``."""
    return re.sub(r"[^a-z0-9.]+", "-", condition.lower()).strip("-") or "condition"


def rows_by_item_condition(groups: dict[str, list[Rating]], interval: IntervalKind) -> list[Row]:
    """Mean with interval of every condition under every item condition."""
    return [
        {"item_condition": name} | row
        for name, group in groups.items()
        for row in condition_rows(group, interval)
    ]


def cost_table(
    groups: dict[str, list[Rating]], *, correction: Correction = "holm"
) -> ResultTable | None:
    """What each item condition costs each system, against clean by the same listeners."""
    if CLEAN not in groups:
        return None
    tables = {name: _means(group) for name, group in groups.items()}
    clean = tables[CLEAN]
    rows: list[Row] = []
    for name, means in tables.items():
        if name == CLEAN:
            continue
        for system in sorted(clean.keys() & means.keys()):
            both = sorted(clean[system].keys() & means[system].keys())
            gaps = np.array([means[system][who] - clean[system][who] for who in both])
            if not len(gaps):
                continue
            interval = mean_interval(gaps)
            t, p = paired_t(gaps)
            rows.append(
                {"item_condition": name, "condition": system, "difference": interval.mean}
                | {
                    "low": interval.low,
                    "high": interval.high,
                    "t": t,
                    "p": p,
                    "listeners": len(gaps),
                }
            )
    corrected = correct([row["p"] for row in rows], correction)
    rows = [row | {"p_corrected": p} for row, p in zip(rows, corrected, strict=True)]
    return make_table(
        "cost_of_conditions",
        "What each item condition costs, against clean",
        rows,
        "differences of listener means, paired t-tests, 95 % intervals over listeners (items are "
        f"taken as given); p corr.: over all rows by {correction.capitalize()}",
    )


def factor_table(groups: dict[str, list[Rating]], compared: Sequence[str]) -> ResultTable:
    """Do systems differ, do item conditions, and do the systems keep their distances?"""
    title = f"{len(compared)} systems under {len(groups)} item conditions"
    notes = ["two-way repeated measures over listener means, Greenhouse-Geisser; items as given"]
    rows: list[Row] = []
    try:
        values, left = _cells(groups, compared)
        if left:
            notes.append(f"{left} listeners without a rating of every cell are left out")
        effects = two_factors(values)
    except ValueError as error:
        notes.append(f"no analysis of variance: {error}")
    else:
        names = ("systems", "item conditions", "systems by item conditions")
        for name, effect in zip(names, effects, strict=True):
            first, second = (effect.gg_epsilon * df for df in effect.df)
            rows.append(
                {"test": name, "statistic": effect.f, "df": f"{first:.4g}, {second:.4g}"}
                | {"p": effect.p, "effect": f"partial η² {effect.partial_eta2:.3f}"}
            )
        notes.append("a small p of the last row: the systems do not keep their distances")
    return make_table("factors", title, rows, *notes, columns_of="overall")


def _means(ratings: Sequence[Rating]) -> dict[str, dict[str, float]]:
    """Mean score by condition and listener."""
    table = listener_table(ratings)
    return {
        condition: {
            who: float(table.values[row, column])
            for row, who in enumerate(table.listeners)
            if np.isfinite(table.values[row, column])
        }
        for column, condition in enumerate(table.conditions)
    }


def _cells(groups: dict[str, list[Rating]], compared: Sequence[str]) -> tuple[Floats, int]:
    """Means of complete listeners, shape ``(listener, system, item condition)``, and others."""
    tables = [_means(group) for group in groups.values()]
    everybody = sorted({who for table in tables for people in table.values() for who in people})
    cells = list(product(compared, tables))
    complete = [
        who for who in everybody if all(who in table.get(name, {}) for name, table in cells)
    ]
    values = np.array([[[table[name][who] for table in tables] for name in compared]
                       for who in complete])  # fmt: skip
    if not complete:
        raise ValueError("no listener rated every system under every item condition")
    return values, len(everybody) - len(complete)
