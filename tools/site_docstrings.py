"""Makes the docstrings of this project readable as Markdown, for the Python page of the site.

An extension of griffe, which reads the code for mkdocstrings. Roles such as ``:class:`` lose their
mark, and examples become blocks; everything else is Markdown already.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":\w+:`~?([^`]*)`")
_EXAMPLE = re.compile(r"(?:^ *>>> .*\n?(?:^ *\S.*\n?)*)+", re.MULTILINE)

__all__ = ["ReadableDocstrings", "readable"]


def readable(text: str) -> str:
    """The docstring with fenced examples and plain names."""
    text = _ROLE.sub(lambda match: f"`{match[1].rpartition('.')[2]}`", text)
    return _EXAMPLE.sub(lambda match: f"```pycon\n{match[0].rstrip()}\n```\n", text)


class ReadableDocstrings(griffe.Extension):
    """Applies :func:`readable` to every docstring."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Change the docstring in place."""
        if obj.docstring is not None:
            obj.docstring.value = readable(obj.docstring.value)
