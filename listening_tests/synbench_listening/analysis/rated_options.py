"""How a rated test is to be analysed."""

from __future__ import annotations

from dataclasses import dataclass

from synbench.statistics.multiplicity import Correction
from synbench_listening.analysis.rated_rows import IntervalKind
from synbench_listening.statistics.mixed_model import Structure

__all__ = ["Options"]


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
