"""CSV that any reader reads back: UTF-8, lines end in a line feed, every cell as it was."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["csv_bytes"]


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A header and rows; no header gives an empty file."""
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator="\n")
    # The module does not quote a bare carriage return, and readers would end the line there.
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    if header:
        plain.writerow(header)
    for row in rows:
        returns = any(isinstance(cell, str) and "\r" in cell for cell in row)
        (quoted if returns else plain).writerow(row)
    return text.getvalue().encode()
