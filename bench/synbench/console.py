"""Standard output, whole where nobody's terminal limits it."""

from __future__ import annotations

import errno
import os
from typing import NoReturn

from rich.console import Console

WIDTH_OF_FILES = 240

__all__ = ["OutputConsole", "output_console"]


class OutputConsole(Console):
    """A console whose reader may go, as ``head`` does, without turning into a failure."""

    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the command line, which ends without a word."""
        raise BrokenPipeError(errno.EPIPE, "nobody reads standard output")


def output_console() -> Console:
    """The console that tables are printed on.

    A terminal folds long names into its width. A pipe or a file has no width, and what reads it
    looks for whole names; COLUMNS sets one there too.
    """
    console = OutputConsole()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH_OF_FILES
    return console
