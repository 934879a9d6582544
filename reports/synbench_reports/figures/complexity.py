"""What a forward pass of each codec costs: counted here, or read from a small table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synbench.errors import UsageError
from synbench_base.text_table import parse_number, read_table

COLUMNS = ("giga_macs", "mega_parameters")

__all__ = ["COLUMNS", "count_complexity", "read_complexity"]


def count_complexity(codecs: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """By label: what ``thop`` prints for 1 s of audio, which is what most papers print.

    Needs torch and no weights; a codec that cannot be counted here is left out.

    Args:
        codecs: label to spec.
    """
    import synbench_codecs
    from synbench.errors import SynbenchError

    counted = {}
    for label, spec in codecs.items():
        try:
            if not synbench_codecs.has_costs(spec.partition(":")[0]):
                continue
            costs = synbench_codecs.count_costs(spec)
        except SynbenchError:
            continue
        counted[label] = {
            "giga_macs": costs.thop_macs_per_second / 1e9,
            "mega_parameters": costs.thop_parameters / 1e6,
        }
    return counted


def read_complexity(path: Path) -> dict[str, dict[str, float]]:
    """By codec label: multiply-accumulates for 1 s in 10^9, parameters in 10^6.

    Args:
        path: CSV with the column ``codec`` (or ``label``) and any of :data:`COLUMNS`.

    Raises:
        UsageError: the file cannot be read, or lacks a column.
    """
    rows = [row.cells for row in read_table(path).whole()]
    fields = set(rows[0]) if rows else set()
    name = "codec" if "codec" in fields else "label"
    if name not in fields or not fields & set(COLUMNS):
        raise UsageError(
            f"{path}: expected the columns codec and {' or '.join(COLUMNS)}, "
            f"got {', '.join(sorted(fields)) or 'no rows'}"
        )
    try:
        return {
            row[name]: {column: parse_number(row[column]) for column in COLUMNS if row.get(column)}
            for row in rows
        }
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
