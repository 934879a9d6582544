"""Which listeners of a MUSHRA test were excluded, and why."""

from __future__ import annotations

from synbench_listening.analysis.result_table import ResultTable
from synbench_listening.analysis.screen import Screening
from synbench_listening.analysis.table_columns import make_table

__all__ = ["screening_table"]


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
