"""The group ``synbench listen``: sub-commands are named here and imported when they are called."""

from __future__ import annotations

import importlib

import click

# name -> ("module:object", one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("synbench_listening.commands.init:init", "Write a design to begin with."),
    "build": ("synbench_listening.commands.build:build", "Make a listening test from a run."),
    "bundle": ("synbench_listening.commands.bundle:bundle", "Write a study as one HTML file."),
    "webmushra": (
        "synbench_listening.commands.webmushra:webmushra",
        "Write a study as a config of webMUSHRA.",
    ),
    "serve": ("synbench_listening.commands.serve:serve", "Serve studies to listeners."),
    "progress": ("synbench_listening.commands.manage:progress", "How many listeners are through."),
    "pause": ("synbench_listening.commands.manage:pause", "Let nobody begin any more."),
    "export": ("synbench_listening.commands.export:export", "Write what listeners answered."),
    "purge": ("synbench_listening.commands.manage:purge", "Delete answers or identities."),
    "simulate": ("synbench_listening.commands.simulate:simulate", "A panel of made-up listeners."),
    "import": (
        "synbench_listening.commands.import_results:import_results",
        "Read other tools' results.",
    ),
    "screen": ("synbench_listening.commands.analyse:screen", "Exclude listeners by BS.1534-3."),
    "analyse": ("synbench_listening.commands.analyse:analyse", "Means, tests and figures' tables."),
    "preference": ("synbench_listening.commands.analyse:preference", "A preference p from counts."),
    "power": ("synbench_listening.commands.power:power", "How many listeners, items and trials."),
}

__all__ = ["COMMANDS", "listen"]


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup)
def listen() -> None:
    """Build, serve, collect, screen and analyse listening tests."""
