"""The options of ``run`` and ``plan`` that take a part of a suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from synbench.narrowing import narrowed
from synbench.running import read_suite
from synbench.suite import Suite

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option(
        "--limit", type=click.IntRange(min=1), help="Use at most this many items per corpus."
    ),
    click.option(
        "--corpus",
        "corpora",
        multiple=True,
        metavar="NAME",
        help="Use only this corpus of the suite, or this folder or corpus instead.",
    ),
    click.option(
        "--codecs",
        multiple=True,
        metavar="A,B",
        help="Use only these codecs: names, specs or labels.",
    ),
    click.option("--metrics", multiple=True, metavar="A,B", help="Use only these metrics."),
)

__all__ = ["narrowing_options", "read_part"]


def narrowing_options(command: Command) -> Command:
    """Give a command ``--limit``, ``--corpus``, ``--codecs`` and ``--metrics``."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read_part(suite: str, part: dict[str, Any]) -> Suite:
    """The part of a suite that :func:`narrowing_options` ask for.

    Raises:
        UsageError: there is no such suite, or it has no such corpus, codec or metric.
    """
    return narrowed(read_suite(suite), **part)
