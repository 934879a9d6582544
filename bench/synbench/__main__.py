"""The ``synbench`` command: sub-commands are named here and imported when they are called.

Reports and listening tests add commands by name only, so nothing here imports them.
"""

from __future__ import annotations

import importlib
import sys

import click

from synbench.standard_streams import (
    ReaderHasGone,
    abandon_output,
    output_fault,
    prepare_streams,
    reader_has_gone,
)
from synbench_base.allocator import keep_freed_memory

# name -> ("module:object", one line of help). Keeps `synbench --help` free of heavy imports.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("synbench.commands.run:run", "Run a suite; the same command again resumes it."),
    "plan": ("synbench.commands.plan:plan", "Show what a run would do and how long it takes."),
    "show": ("synbench_reports.commands.show_and_export:show", "Print the table of a run."),
    "export": (
        "synbench_reports.commands.show_and_export:export",
        "Save the table or all scores of a run.",
    ),
    "report": (
        "synbench_reports.commands.report:report",
        "Write an HTML report with audio players.",
    ),
    "site": ("synbench_reports.commands.site:site", "Make a web site of many runs."),
    "pack": ("synbench_reports.commands.pack:pack", "Make a supplement of a run for others."),
    "compare": (
        "synbench_reports.commands.compare:compare",
        "Test which codecs differ significantly.",
    ),
    "power": (
        "synbench_reports.commands.power:power",
        "Say how many speakers it takes to tell codecs apart.",
    ),
    "robustness": (
        "synbench_reports.commands.robustness:robustness",
        "Show how noise and bad channels affect codecs.",
    ),
    "agree": (
        "synbench_reports.commands.agree:agree",
        "Measure how well metrics agree with listeners.",
    ),
    "diff": ("synbench_reports.commands.diff:diff", "Show what changed between two runs."),
    "merge": ("synbench_reports.commands.merge:merge", "Combine several runs into one."),
    "figures": ("synbench_reports.commands.figures:figures", "Draw a run's figures for a paper."),
    "reproduce": (
        "synbench_reports.commands.reproduce:reproduce",
        "Reproduce a paper's tables and figures.",
    ),
    "listen": ("synbench_listening.commands.group:listen", "Run and analyse listening tests."),
    "verify": (
        "synbench_reports.commands.verify:verify",
        "Check a checkpoint against published scores.",
    ),
    "tokens": ("synbench.commands.tokens:tokens", "Show how codecs use their codebooks."),
    "score": ("synbench.commands.score:score", "Score one folder of files against another."),
    "train": ("synbench.commands.train:train", "Train MDCTCodec and P2PSynCodec."),
    "encode": ("synbench.commands.code:encode", "Encode an audio file to a .syn bitstream."),
    "decode": ("synbench.commands.code:decode", "Decode a .syn bitstream to an audio file."),
    "info": ("synbench.commands.code:info", "Describe a .syn bitstream."),
    "codecs": ("synbench.commands.listing:codecs", "List the codecs and their options."),
    "complexity": (
        "synbench.commands.complexity:complexity",
        "Count a codec's parameters and operations.",
    ),
    "latency": ("synbench.commands.latency:latency", "Measure the algorithmic delay of codecs."),
    "metrics": ("synbench.commands.listing:metrics", "List the metrics."),
    "weights": ("synbench.commands.weights:weights", "List, fetch and check trained weights."),
    "doctor": ("synbench.commands.doctor:doctor", "Check what works on this machine."),
    "init": ("synbench.commands.init:init", "Start a suite from a folder of decoded systems."),
    "check": ("synbench.commands.check:check", "Check that a codec keeps the contract."),
    "new": ("synbench.commands.new:new", "Start a codec, metric, corpus or suite."),
    "corpora": ("synbench.commands.listing:corpora", "List the corpora."),
    "suites": ("synbench.commands.suites:suites", "List, show and copy the built-in suites."),
}


def load_command(name: str) -> click.Command:
    """Import the command behind a name of :data:`COMMANDS`."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    return command


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from synbench_base.close_names import suggestion

            ctx.fail(f"no command {args[0]!r}; {suggestion(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            result: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            # click would make exit code 1 of it; and a pipe to a worker may break as well.
            if reader_has_gone():
                raise ReaderHasGone from error
            raise RuntimeError("a pipe to another process broke") from error
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="synbench")
def cli() -> None:
    """Compare speech codecs over corpora by metrics, with counted bits and visible failures.

    Start with: synbench run demo

    \b
    Completion in bash, and likewise in zsh and fish:
      eval "$(_SYNBENCH_COMPLETE=bash_source synbench)"
    """


def main() -> None:
    """Run the command line; every expected error becomes one message and an exit code."""
    prepare_streams()
    keep_freed_memory()
    try:
        try:
            code = cli.main(standalone_mode=False) or 0
        finally:
            # While an error can still be told.
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo("interrupted; the same command resumes", err=True)
        # click makes an Abort of what stopped it.
        code = 128 + getattr(error.__cause__ or error, "number", 2)
    except Exception as error:  # noqa: BLE001 - a bug is raised again
        code = _said(error)
    sys.exit(code)


def _said(error: Exception) -> int:
    """Print one message; the exit code. A bug is raised again."""
    fault = output_fault(error)
    if fault is not None:
        abandon_output()
        code, message = fault
    else:
        code_or_none = exit_code(error)
        if code_or_none is None:
            raise error
        code, message = code_or_none, _message(error)
    if message:
        click.echo(f"Error: {message}", err=True)
    return code


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


def exit_code(error: Exception) -> int | None:
    """The exit code of an expected error, ``None`` for a bug."""
    from synbench.errors import SynbenchError

    if isinstance(error, SynbenchError):
        return error.exit_code
    if isinstance(error, OSError) and error.filename is not None:
        return 3
    return None


if __name__ == "__main__":
    main()
