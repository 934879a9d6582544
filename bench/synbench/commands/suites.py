"""``synbench suites``: the packaged suites, listed, shown and copied to start one's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from synbench.console import output_console
from synbench.suite import Suite, find_suite, load_suite, packaged_suites
from synbench_base.close_names import suggestion
from synbench_base.errors import UsageError

# Both stand at the beginning of a line: the suite's own name, and what only editors read.
NAME = re.compile(r"^name:.*$", flags=re.MULTILINE)
EDITOR = re.compile(r"^# yaml-language-server:.*\n", flags=re.MULTILINE)

__all__ = ["suites"]

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(invoke_without_command=True)
@click.option("--schema", is_flag=True, help="Print the JSON schema of a suite, for editors.")
@as_json
@click.pass_context
def suites(context: click.Context, schema: bool, as_json: bool) -> None:
    """List the packaged suites, show one, or copy one to change it."""
    if context.invoked_subcommand is not None:
        if schema or as_json:
            raise click.UsageError(
                f"--schema and --json stand alone or after {context.invoked_subcommand}"
            )
        return
    if schema:
        click.echo(json.dumps(Suite.model_json_schema(), indent=2))
        return
    facts = {
        name: {"path": str(path), "description": load_suite(path).description}
        for name, path in packaged_suites().items()
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("suite", "description", "file"):
        table.add_column(heading, overflow="fold")
    for name, fact in facts.items():
        table.add_row(name, escape(fact["description"]), fact["path"])
    output_console().print(table)


@suites.command()
@click.argument("name")
@as_json
def show(name: str, as_json: bool) -> None:
    """Print the packaged suite NAME, or check and print a file."""
    path = find_suite(name)
    suite = load_suite(path)
    if as_json:
        click.echo(json.dumps(suite.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        click.echo(path.read_text(encoding="utf-8"), nl=False)


@suites.command(short_help="Copy a packaged suite, to change it.")
@click.argument("name")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def copy(name: str, file: Path | None) -> None:
    """Copy the packaged suite NAME to FILE [default: NAME.yaml], named after the file.

    An existing file is never overwritten.
    """
    source = packaged_suites().get(name)
    if source is None:  # paths in a file of one's own count from where it lies
        hint = suggestion(name, packaged_suites())
        raise UsageError(f"no packaged suite {name!r}; {hint}")
    target = file or Path(f"{source.stem}.yaml")
    text = EDITOR.sub("", source.read_text(encoding="utf-8"))
    try:
        with target.open("x", encoding="utf-8") as written:
            written.write(NAME.sub(f"name: '{target.stem}'", text, count=1))
    except FileExistsError:
        raise UsageError(f"{target} is there already; name another file") from None
    try:
        load_suite(target)
    except UsageError:
        target.unlink()
        raise
    click.echo(f"{target}: change it, then: synbench run {target}")
