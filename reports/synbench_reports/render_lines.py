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
    text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    texts = [place for place, kind in enumerate(columns.values()) if kind == "string"]
    for batch in batches:
        writer.writerows(_neutralised(line, texts) for line in batch)
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


def _neutralised(line: Sequence[Any], texts: Sequence[int]) -> list[Any]:
    cells = list(line)
    for place in texts:
        text = cells[place]
        if text is None:
            continue
        if text.startswith(FORMULA_STARTS):
            text = "'" + text
        # The csv module leaves a bare carriage return unquoted, and readers end the line there.
        cells[place] = text.replace("\r\n", "\n").replace("\r", "\n")
    return cells
