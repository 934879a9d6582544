"""The group ``synbench listen``: sub-commands are named here and imported when they are called."""

from __future__ import annotations

import importlib

import click

# name -> ("module:object", one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("synbench_listening.commands.init:init", "Write a study design to start from."),
    "build": ("synbench_listening.commands.build:build", "Build a listening test from a run."),
    "bundle": ("synbench_listening.commands.bundle:bundle", "Write a study as one HTML file."),
    "webmushra": (
        "synbench_listening.commands.webmushra:webmushra",
        "Export a study for webMUSHRA.",
    ),
    "serve": ("synbench_listening.commands.serve:serve", "Serve studies in the browser."),
    "progress": (
        "synbench_listening.commands.manage:progress",
        "Show how many listeners have finished.",
    ),
    "pause": ("synbench_listening.commands.manage:pause", "Stop new listeners from starting."),
    "export": ("synbench_listening.commands.export:export", "Export the answers of a study."),
    "purge": ("synbench_listening.commands.manage:purge", "Delete answers or identities."),
    "simulate": (
        "synbench_listening.commands.simulate:simulate",
        "Try a study with simulated listeners.",
    ),
    "import": (
        "synbench_listening.commands.import_results:import_results",
        "Import results from other tools.",
    ),
    "screen": ("synbench_listening.commands.analyse:screen", "Exclude listeners (BS.1534-3)."),
    "analyse": ("synbench_listening.commands.analyse:analyse", "Compute means, tests and tables."),
    "preference": (
        "synbench_listening.commands.analyse:preference",
        "Test preferences from counts.",
    ),
    "power": ("synbench_listening.commands.power:power", "Plan how many listeners you need."),
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
