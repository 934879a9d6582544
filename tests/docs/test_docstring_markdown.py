"""Docstrings become Markdown: definitions, blocks, lists, tables and marks."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from docstring_markdown import as_markdown, first_line, without_first_line

TEXT = """What it is.

Prose with ``code`` and
:func:`~package.name`.

Conventions
    value   dB

``column``, 0 to 1
    Share of frames::

        a = b

Pitfalls
    - One that goes
      on.
    - Two.

====  =====
name  value
====  =====
``a``  1
====  =====
"""


def test_what_the_forms_become() -> None:
    assert first_line(TEXT) == "What it is."
    assert as_markdown(without_first_line(TEXT)).split("\n\n") == [
        "Prose with `code` and `name`.",
        "**Conventions**",
        "```text\nvalue   dB\n```",
        "**`column`, 0 to 1**",
        "Share of frames:",
        "```text\na = b\n```",
        "**Pitfalls**",
        "- One that goes on.\n- Two.",
        "| name | value |\n| --- | --- |\n| `a` | 1 |",
    ]
