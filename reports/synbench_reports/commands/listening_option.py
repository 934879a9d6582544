"""The option ``--listening`` of the commands that show listening tests beside scores."""

from __future__ import annotations

import click

__all__ = ["listening_option"]

listening_option = click.option(
    "--listening",
    multiple=True,
    metavar="[NAME=]FOLDER",
    help="Show this listening test too: the folder of listen analyse --out. May be repeated.",
)
