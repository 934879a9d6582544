"""Grades of BS.1116 trials: of the object minus those of the hidden reference beside it.

Who cannot tell the two apart gives differences around zero. A one-sided t-test of a listener's
differences says whether they heard anything at all; who did not is flagged here, not removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synbench.statistics.multiplicity import SIGNIFICANCE
from synbench.statistics.paired_tests import paired_t
from synbench_listening.analysis.result_table import ResultColumn, ResultTable
from synbench_listening.analysis.screen import REFERENCE_NAMES
from synbench_listening.answers.ratings import Rating

__all__ = ["difference_grades", "expertise_table"]


def difference_grades(ratings: Sequence[Rating], *, reference: str | None = None) -> list[Rating]:
    """One rating per trial, of the object; negative where the reference was found.

    Trials of which one of the two grades is missing are left out.

    Args:
        reference: name of the hidden reference, if it is not a usual one.
    """
    usual = (reference,) if reference is not None else REFERENCE_NAMES

    def is_reference(name: str) -> bool:
        return name in usual or (reference is None and name.strip().lower() in usual)

    def trial(rating: Rating) -> tuple[str, str, int, frozenset[str]]:
        pair = frozenset((rating.condition, rating.versus))
        return rating.session, rating.item, rating.replicate, pair

    references = {trial(rating): rating for rating in ratings if is_reference(rating.condition)}
    return [
        replace(rating, score=rating.score - references[trial(rating)].score)
        for rating in ratings
        if not is_reference(rating.condition) and trial(rating) in references
    ]


def expertise_table(differences: Sequence[Rating]) -> ResultTable:
    """Each listener's mean difference, and whether it is below zero by more than chance."""
    rows = []
    for listener in sorted({rating.listener for rating in differences}):
        mine = np.array([r.score for r in differences if r.listener == listener])
        t, both = paired_t(mine)
        p = both / 2 if t < 0 else 1 - both / 2
        rows.append(
            {
                "listener": listener,
                "trials": len(mine),
                "mean": float(mine.mean()),
                "t": t,
                "p": p,
                "heard": "yes" if p < SIGNIFICANCE else "not shown",
            }
        )
    return ResultTable(
        name="expertise",
        title="Who told objects from the hidden reference? (flags; nobody was removed)",
        columns=(
            ResultColumn(name="listener", label="Listener"),
            ResultColumn(name="trials", label="Trials", decimals=0),
            ResultColumn(name="mean", label="Mean diff.", decimals=2),
            ResultColumn(name="t", label="t", decimals=2),
            ResultColumn(name="p", label="p one-sided", p=True),
            ResultColumn(name="heard", label="Heard"),
        ),
        rows=tuple(rows),
    )
