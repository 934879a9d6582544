"""What is said where one name stands for several columns, as ``PESQ`` and ``wer`` do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from synbench_metrics import family

__all__ = ["notes_on_families"]


def notes_on_families(names: Iterable[str]) -> Iterator[str]:
    """Which column was taken for each name of a family, and which others there are.

    >>> list(notes_on_families(["PESQ", "UTMOS"]))
    ["'PESQ' is taken as pesq_wb; there are also pesq_nb, pesq_wb_c2, pesq_nb_c2"]
    """
    for name in dict.fromkeys(names):
        column, *others = family(name) or (name,)
        if others:
            yield f"{name!r} is taken as {column}; there are also {', '.join(others)}"
