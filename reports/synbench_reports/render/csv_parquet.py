"""Lines of named columns as CSV or Parquet. The same lines give the same bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

# A spreadsheet takes a cell that starts so for a formula, and runs it. See OWASP, "CSV Injection".
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Batch = Sequence[Sequence[Any]]

__all__ = ["write_csv", "write_parquet"]


def write_csv(target: IO[bytes], columns: Mapping[str, str], batches: Iterable[Batch]) -> None:
    """Write a header and all lines in UTF-8.

    Numbers have full precision, nothing is an empty field, and a text that a spreadsheet would take
    for a formula gets an apostrophe in front.
    """
    text = io.TextIOWrapper(target, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    kinds = list(columns.values())
    for batch in batches:
        fields = zip(*batch, strict=True)
        safe = [
            _neutralised(field) if kind == "string" else field
            for kind, field in zip(kinds, fields, strict=bool(batch))
        ]
        writer.writerows(zip(*safe, strict=True))
    text.detach()


def write_parquet(target: IO[bytes], columns: Mapping[str, str], batches: Iterable[Batch]) -> None:
    """Write all lines as one Parquet file; texts are left as they are.

    Args:
        columns: name to the name of an Arrow type.
    """
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in columns.items()])
    with pyarrow.parquet.ParquetWriter(target, schema) as writer:
        for batch in batches:
            fields = zip(*batch, strict=True) if batch else [()] * len(columns)
            arrays = [
                pyarrow.array(list(values), type=field.type)
                for values, field in zip(fields, schema, strict=True)
            ]
            writer.write_batch(pyarrow.record_batch(arrays, schema=schema))


def _neutralised(texts: Sequence[str | None]) -> Sequence[str | None]:
    """One column made harmless; each distinct text is looked at once, since most come often."""
    safe = {text: _harmless(text) for text in set(texts)}
    return [safe[text] for text in texts]


def _harmless(text: str | None) -> str | None:
    if text is None:
        return None
    if text.startswith(FORMULA_STARTS):
        text = "'" + text
    # The csv module leaves a bare carriage return unquoted, and readers end the line there.
    return text.replace("\r\n", "\n").replace("\r", "\n")
