"""``synbench new``: the one file of a codec, metric, corpus or suite, and its test."""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Collection
from pathlib import Path

import click

import synbench_codecs
import synbench_metrics
from synbench import corpora
from synbench.skeletons import NEXT_STEPS, SKELETONS
from synbench.suite import packaged_suites
from synbench_base.errors import UsageError

NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")

__all__ = ["new"]


@click.command()
@click.argument("kind", type=click.Choice(list(SKELETONS)))
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to write the files [default: the current folder].",
)
def new(kind: str, name: str, folder: Path) -> None:
    """Write a working codec, metric, corpus or suite NAME, with a test, for you to change.

    Existing files are never overwritten.
    """
    module = _module(kind, name)
    ending, text, test = SKELETONS[kind]
    stem = name if kind == "suite" else module
    contents = {folder / f"{stem}{ending}": text, folder / f"test_{module}.py": test}
    for path in contents:
        if path.exists():
            raise UsageError(f"{path} is there already; choose another name or --folder")
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(_named(content, name, module))
        click.echo(f"wrote {path}")
    first, tested = contents
    click.echo(f"test it: python -m pytest {tested}")
    if kind == "codec":
        click.echo(f"check it: synbench check {first}")
    if kind == "suite":
        click.echo(f"run it: synbench run {first}")
    else:
        click.echo(
            "for suites, in the pyproject.toml of its package:\n"
            f"{_named(NEXT_STEPS[kind], name, module)}"
        )


def _module(kind: str, name: str) -> str:
    """The module's name, after a look whether both names are free."""
    module = name.replace("-", "_")
    if not NAME.fullmatch(name) or keyword.iskeyword(module):
        raise UsageError(
            f"{name!r} cannot be a name: expected small letters, digits, - and _, a letter first"
        )
    if name in _taken(kind):
        raise UsageError(f"there is a {kind} {name!r} already; see: synbench {_plural(kind)}")
    if kind != "suite" and importlib.util.find_spec(module) is not None:
        raise UsageError(f"{module}.py would hide the Python module {module}; choose another name")
    return module


def _taken(kind: str) -> Collection[str]:
    if kind == "suite":
        return packaged_suites()
    registries = {"codec": synbench_codecs, "metric": synbench_metrics, "corpus": corpora}
    names: Collection[str] = registries[kind].names()
    return names


def _plural(kind: str) -> str:
    return "corpora" if kind == "corpus" else f"{kind}s"


def _named(text: str, name: str, module: str) -> str:
    title = "".join(part.capitalize() for part in re.split(r"[-_]", name))
    return text.replace("MODULE", module).replace("CLASS", title).replace("NAME", name)
