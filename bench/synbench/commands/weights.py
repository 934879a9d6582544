"""``synbench weights``: the checkpoints of codecs and metrics, listed, fetched and checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from synbench.console import output_console
from synbench.weights import (
    Known,
    check_file,
    chosen,
    fetch_checkpoint,
    known_checkpoints,
    state,
)
from synbench_base.weights import WeightsSource, first_seen, weights_path

__all__ = ["weights"]

STYLES = {"present": "green", "missing": "dim", "wrong": "red"}

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def weights() -> None:
    """List, fetch and check the trained weights of codecs and metrics.

    They lie in $SYNBENCH_CACHE/weights/<sha256>/, by default below ~/.cache/synbench.
    """


@weights.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List every checkpoint: who loads it, its size and licence, and whether it is here."""
    facts = [_facts(known) for known in known_checkpoints().values()]
    _print(facts, as_json=as_json)
    missing = [fact["name"] for fact in facts if fact["state"] != "present"]
    if missing and not as_json:
        click.echo(f"\nto bring one: synbench weights fetch {missing[0]}")


@weights.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Fetch every checkpoint.")
@click.option(
    "--from",
    "own",
    type=click.Path(exists=True, path_type=Path),
    help="Take the files from this file or folder, not from the network.",
)
@as_json
def fetch(names: tuple[str, ...], everything: bool, own: Path | None, as_json: bool) -> None:
    """Bring checkpoints here, by their name or the name of a codec or metric.

    A broken download goes on when the command is typed again; a file with another digest than the
    pinned one is refused.
    """
    if bool(names) == everything:
        raise click.UsageError("expected names or --all; see: synbench weights list")
    wanted = list(known_checkpoints().values()) if everything else chosen(names)
    with _bars() as bars:
        for known in wanted:
            fetch_checkpoint(known.checkpoint, own=own, progress=lambda source: _Bar(bars, source))
    _print([_facts(known) for known in wanted], as_json=as_json)


@weights.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@as_json
def check(names: tuple[str, ...], as_json: bool) -> None:
    """Read the checkpoints that are here and compare their digests; exit code 1 if one is wrong.

    Without names, all of them. A named checkpoint that is missing is wrong too.
    """
    wanted = chosen(names) if names else list(known_checkpoints().values())
    facts = [_facts(known, read=True) for known in wanted]
    _print(facts if names else [f for f in facts if f["state"] != "missing"], as_json=as_json)
    bad = ("wrong", "missing") if names else ("wrong",)
    sys.exit(int(any(fact["state"] in bad for fact in facts)))


def _facts(known: Known, *, read: bool = False) -> dict[str, Any]:
    files = [_file_facts(source, read=read) for source in known.checkpoint.files]
    states = [file["state"] for file in files]
    return {
        "name": known.checkpoint.name,
        "users": list(known.users),
        "state": next((bad for bad in ("wrong", "missing") if bad in states), "present"),
        "licence": known.checkpoint.licence,
        "note": known.checkpoint.note,
        "files": files,
    }


def _file_facts(source: WeightsSource, *, read: bool) -> dict[str, Any]:
    found, problem = check_file(source) if read else (state(source), "")
    path = weights_path(source)
    size = path.stat().st_size if path is not None and path.is_file() else source.bytes
    return {
        "repository": source.repository,
        "revision": source.revision,
        "file": source.file,
        "sha256": source.sha256 or first_seen(source),
        "pinned": bool(source.sha256),
        "bytes": size,
        "state": found,
        "problem": problem,
        "path": str(path) if found != "missing" else None,
    }


def _print(facts: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("checkpoint", "here", "MB", "sha256", "licence", "of", "from"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "MB" else "left")
    for fact in facts:
        table.add_row(
            escape(fact["name"]),
            f"[{STYLES[fact['state']]}]{fact['state']}[/]",
            _megabytes(fact["files"]),
            _digests(fact["files"]),
            escape(fact["licence"] or "unstated"),
            escape(" ".join(fact["users"])),
            escape("\n".join(dict.fromkeys(file["repository"] for file in fact["files"]))),
        )
    console = output_console()
    console.print(table)
    for file in (file for fact in facts for file in fact["files"] if file["problem"]):
        console.print(f"[red]{escape(file['problem'])}[/]", highlight=False, soft_wrap=True)


def _megabytes(files: list[dict[str, Any]]) -> str:
    sizes = [file["bytes"] for file in files]
    return "?" if None in sizes else f"{sum(sizes) / 1e6:.1f}"


def _digests(files: list[dict[str, Any]]) -> str:
    """The start of each digest; ``first seen`` where none is published."""
    return "\n".join(
        file["sha256"][:12] + ("" if file["pinned"] else " first seen")
        if file["sha256"]
        else "at first fetch"
        for file in files
    )


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


class _Bar:
    """One file's progress, drawn from the first byte on."""

    def __init__(self, bars: Progress, source: WeightsSource) -> None:
        self._bars = bars
        self._task = bars.add_task(Path(source.file).name, total=source.bytes)

    def __call__(self, done: int, total: int) -> None:
        """Take note that ``done`` of ``total`` bytes have come."""
        self._bars.update(self._task, completed=done, total=total or None)
