"""Standard output, whole where nobody's terminal limits it."""

from __future__ import annotations

import os

from rich.console import Console

WIDTH_OF_FILES = 240

__all__ = ["output_console"]


def output_console() -> Console:
    """The console that tables are printed on.

    A terminal folds long names into its width. A pipe or a file has no width, and what reads it
    looks for whole names; COLUMNS sets one there too.
    """
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH_OF_FILES
    return console
