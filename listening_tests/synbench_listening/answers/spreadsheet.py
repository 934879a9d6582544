"""A copy of a table that no spreadsheet takes for a program.

A cell that begins with one of ``= + - @``, a tab or a carriage return may be run as a formula; such
text gets an apostrophe in front. That is done by position, to text columns: names of columns and
codes that tables are joined by stay as they are, and so does the raw export.

Reference
    OWASP, "CSV Injection".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection

from synbench_listening.answers.csv_text import csv_bytes

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

__all__ = ["harmless_csv", "harmless_text"]


def harmless_text(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would run it."""
    return "'" + text if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def harmless_csv(data: bytes, *, free_text: Collection[str]) -> bytes:
    """A CSV file with its columns of free text made harmless.

    Args:
        free_text: names of the columns that listeners can write into.
    """
    rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
    places = [place for place, name in enumerate(rows[0]) if name in free_text] if rows else []
    for row in rows[1:]:
        for place in places:
            row[place] = harmless_text(row[place])
    # The mark makes spreadsheets read UTF-8.
    return b"\xef\xbb\xbf" + csv_bytes(rows[0] if rows else [], rows[1:])
