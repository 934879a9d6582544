"""What a condition of a rated test is: a system that is compared, the reference, an anchor."""

from __future__ import annotations

from collections.abc import Sequence

from synbench_listening.analysis.rated_options import Options
from synbench_listening.analysis.screen import MID_ANCHOR_NAMES, REFERENCE_NAMES
from synbench_listening.answers.ratings import Rating
from synbench_listening.statistics.listener_table import by_falling_mean

LOW_ANCHOR_NAMES = ("anchor35", "anchor_35", "anchor 3.5 khz", "low_anchor", "anchor")

__all__ = ["compared_conditions", "compared_systems", "role_of"]


def compared_conditions(ratings: Sequence[Rating]) -> list[str]:
    """The systems, by falling mean: all conditions but those named like reference or anchor."""
    usual = {*REFERENCE_NAMES, *MID_ANCHOR_NAMES, *LOW_ANCHOR_NAMES}
    return [name for name in by_falling_mean(ratings) if name.strip().lower() not in usual]


def compared_systems(ratings: Sequence[Rating], options: Options) -> list[str]:
    """The systems that are tested: no reference, no anchor, nothing that was left out."""
    skipped = {*options.leave_out, options.reference, options.mid_anchor}
    return [name for name in compared_conditions(ratings) if name not in skipped]


def role_of(condition: str, options: Options) -> str:
    """``reference``, ``anchor`` (noise conditions too) or ``system``, by name and options."""
    name = condition.strip().lower()
    if condition == options.reference or name in REFERENCE_NAMES:
        return "reference"
    anchors = {*MID_ANCHOR_NAMES, *LOW_ANCHOR_NAMES}
    if condition == options.mid_anchor or name in anchors or name.startswith("mnru "):
        return "anchor"
    return "system"
