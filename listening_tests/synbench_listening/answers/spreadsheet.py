"""A copy of a table that no spreadsheet takes for a program.

A text that begins with one of ``= + - @``, a tab or a line end may be run as a formula, and where
a spreadsheet parts cells at semicolons or tabs, so may what follows one inside a text. Such places
get an apostrophe in front. What decides is where a cell came from, not what its column is called:
numbers that synbench computed stay numbers, every text may have come from a listener, an address,
a file name or another tool. Column names are ours. The raw files stay as they are.

Reference
    OWASP, "CSV Injection".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from synbench_listening.answers.csv_text import csv_bytes

# The wide forms are taken for the narrow ones where Japanese is set.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_SIGN_AT_START = re.compile(rf"^([\s\ufeff\u200b\"']*)([{_SIGNS}])")
_LEADING_SPACE = ("\t", "\r", "\n")
_SIGN_INSIDE = re.compile(rf"([;,\t\r\n|][\s\ufeff\u200b\"]*)([{_SIGNS}])")

__all__ = ["harmless_csv", "harmless_text"]


def harmless_text(text: str) -> str:
    """The text, with an apostrophe in front wherever a spreadsheet would run it."""
    inside = _SIGN_INSIDE.sub(r"\1'\2", text)
    starts = text.startswith(_LEADING_SPACE) or _SIGN_AT_START.match(text)
    return "'" + inside if starts else inside


def harmless_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file whose texts are harmless; numbers and column names stay as they are."""
    safe = [
        [harmless_text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    ]
    # The mark makes spreadsheets read UTF-8.
    return b"\xef\xbb\xbf" + csv_bytes(header, safe)
