"""Docstrings become Markdown: definitions, blocks, lists, tables and marks."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import pytest

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


def test_examples_and_roles_on_the_python_page() -> None:
    pytest.importorskip("griffe", reason="no griffe")
    from site_docstrings import readable

    text = "Adds, see :func:`~a.b`.\n\n>>> 1 + 1\n2\n\nMore."
    assert readable(text) == "Adds, see `b`.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nMore."
