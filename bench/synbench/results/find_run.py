"""A run by its folder, or by the name of its suite."""

from __future__ import annotations

from pathlib import Path

from synbench.errors import UsageError
from synbench.results.store import RunFolder
from synbench_base.close_names import close_names

RUNS = Path("runs")

__all__ = ["find_run"]


def find_run(path_or_name: str) -> Path:
    """The folder of a run.

    Args:
        path_or_name: a run folder, or NAME where ``runs/NAME`` is one.

    Raises:
        UsageError: neither is there; the message says what was looked for.
    """
    tried = [RunFolder(Path(path_or_name)), RunFolder(RUNS / path_or_name)]
    for folder in tried:
        if folder.exists():
            return folder.path
    looked = " nor ".join(str(folder.manifest_path) for folder in tried)
    raise UsageError(f"no run {path_or_name!r}: there is neither {looked}{_hint(path_or_name)}")


def _hint(name: str) -> str:
    known = sorted(path.parent.name for path in RUNS.glob("*/manifest.json"))
    close = close_names(Path(name).name, known)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; runs here: {', '.join(known)}" if known else "; start one with: synbench run SUITE"
