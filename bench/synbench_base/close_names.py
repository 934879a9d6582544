"""The name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["close_names", "suggestion"]


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """At most three of the known names that look like ``name``, the closest first.

    >>> close_names("pesq_bw", ["pesq_wb", "pesq_nb", "stoi"])
    ['pesq_wb', 'pesq_nb']
    """
    return difflib.get_close_matches(name, list(known))


def suggestion(name: str, known: Iterable[str], otherwise: str = "", *, at_most: int = 1) -> str:
    """The second half of a message about an unknown name.

    Args:
        name: what was typed.
        known: what there is.
        otherwise: said where nothing looks like it; without it all known names are listed.
        at_most: how many close names are offered.

    >>> suggestion("opsu", ["opus", "g722"])
    'did you mean opus?'
    >>> suggestion("mp3", ["opus", "g722"])
    'there are: opus, g722'
    """
    known = list(known)
    close = close_names(name, known)[:at_most]
    if close:
        return f"did you mean {' or '.join(close)}?"
    return otherwise or f"there are: {', '.join(known) or 'none'}"
