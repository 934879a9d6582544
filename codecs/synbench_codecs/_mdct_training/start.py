"""The model that a run starts from: its record, and that a resumed run started from the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synbench_base.weights import file_sha256
from synbench_codecs.errors import UsageError

__all__ = ["refuse_other_start", "start_record"]


def start_record(path: Path, *, steps: int) -> dict[str, Any]:
    """What a run's model says of the one it started from: digest, and steps until then."""
    return {"sha256": file_sha256(path), "steps": steps}


def refuse_other_start(state: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Of a saved state, where ``start`` is the record; empty for random weights.

    Raises:
        UsageError: the run started from another model than this one.
    """
    before = state.get("start", {})
    if before != own:
        raise UsageError(
            f"this run started from {before.get('sha256', 'random weights')}, expected "
            f"{own or 'random weights'}; give the same --start-from, or another folder with --out"
        )
