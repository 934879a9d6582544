"""What a score is against: the clean recording, or the damaged wave that the codec was given.

Against the clean recording a score says what a listener gets in the end, noise and codec together;
against the damaged input it says what the codec alone did to what it heard. Both are kept, as
columns of their own (``stoi`` and ``stoi@input``) with identities of their own, and are never
averaged, compared or drawn together.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from synbench_metrics import MetricInfo

Against = Literal["clean", "input"]
SUFFIX = "@input"

__all__ = ["SUFFIX", "Against", "against_input", "measure_of"]


def against_input(info: MetricInfo) -> MetricInfo | None:
    """The column of the same metric against the damaged input; nothing where it has no reference.

    >>> import synbench_metrics
    >>> info = against_input(synbench_metrics.load("stoi").info)
    >>> info.column, info.label
    ('stoi@input', 'STOI (input)')
    """
    if "reference" not in info.needs:
        return None
    return dataclasses.replace(
        info,
        column=f"{info.column}{SUFFIX}",
        label=f"{info.label} (input)",
        mode="; ".join(filter(None, (info.mode, "against the damaged input"))),
    )


def measure_of(column: str) -> str:
    """The metric that computes a column, ``stoi`` of ``stoi@input``."""
    return column.removesuffix(SUFFIX)
