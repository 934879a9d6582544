"""``synbench weights``: the checkpoints of codecs and metrics, listed, fetched and checked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from synbench.console import output_console
from synbench.weights import (
    Known,
    check_file,
    fetch_checkpoint,
    known_checkpoints,
    state,
)
from synbench.weights_needed import needed_checkpoints
from synbench.weights_pack import pack_weights
from synbench_base.errors import EnvironmentFault, SynbenchError
from synbench_base.weights import WeightsSource, first_seen, weights_path

__all__ = ["weights"]

# From so many characters on, the widest first.
COLUMNS_BY_WIDTH = (
    (200, ("checkpoint", "here", "MB", "sha256", "licence", "used by", "from")),
    (110, ("checkpoint", "here", "MB", "licence", "used by")),
    (0, ("checkpoint", "here", "MB", "licence")),
)
STYLES = {"present": "green", "missing": "dim", "wrong": "red"}

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def weights() -> None:
    """List, fetch and check the trained weights of codecs and metrics.

    They lie in $SYNBENCH_CACHE/weights/<sha256>/, by default below ~/.cache/synbench.
    """


@weights.command("list", short_help="List all checkpoints.")
@as_json
def list_(as_json: bool) -> None:
    """List all checkpoints: size, licence, what uses them, and whether they are here."""
    facts = [_facts(known) for known in known_checkpoints().values()]
    _print(facts, as_json=as_json)
    missing = [fact["name"] for fact in facts if fact["state"] != "present"]
    if missing and not as_json:
        click.echo(f"\nto fetch one: synbench weights fetch {missing[0]}")


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
    """Fetch checkpoints to this machine.

    NAME is a checkpoint, a codec, a metric, a codec point such as dac:model=16k, or a suite: then
    everything that its codecs and metrics load is brought. What the Hugging Face cache holds is
    used where it lies. A broken download is continued when the command is typed again; a file with
    another digest than the pinned one is refused.
    """
    wanted = _wanted(names, everything=everything)
    failures = _bring(wanted, own=own)
    _print([_facts(known) for known in wanted], as_json=as_json)
    if failures:
        raise failures[0] if len(failures) == 1 else EnvironmentFault(_listed(failures))


@weights.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the files.",
)
def pack(names: tuple[str, ...], out: Path) -> None:
    """Collect checkpoints in a folder, for a machine without a network.

    NAME is the same as for `synbench weights fetch`; what is not here is fetched first. On the
    other machine, type: synbench weights fetch NAME --from FOLDER
    """
    wanted = needed_checkpoints(names)
    failures = _bring(wanted, own=None)
    if failures:
        raise failures[0] if len(failures) == 1 else EnvironmentFault(_listed(failures))
    copies = pack_weights([known.checkpoint for known in wanted], out)
    megabytes = sum(path.stat().st_size for path in copies) / 1e6
    files = "1 file" if len(copies) == 1 else f"{len(copies)} files"
    click.echo(f"{out}: {files}, {megabytes:.1f} MB")
    licences = sorted({known.checkpoint.licence or "unstated" for known in wanted})
    if copies:
        click.echo(f"licences of the weights: {', '.join(licences)}")
        named = " ".join(names)
        click.echo(f"on the other machine: synbench weights fetch {named} --from {out.name}")
    else:
        click.echo("nothing to carry: all of it comes with synbench, or needs no weights")


def _wanted(names: tuple[str, ...], *, everything: bool) -> list[Known]:
    if bool(names) == everything:
        raise click.UsageError("expected names or --all; see: synbench weights list")
    return list(known_checkpoints().values()) if everything else needed_checkpoints(names)


def _bring(wanted: list[Known], *, own: Path | None) -> list[SynbenchError]:
    """Fetch every checkpoint; one that cannot be brought does not stop the others."""
    failures: list[SynbenchError] = []
    sources = [source for known in wanted for source in known.checkpoint.files]
    absent = {source for source in sources if state(source) != "present"}
    if absent:
        sizes = [source.bytes for source in absent]
        known_bytes = sum(size for size in sizes if size)
        about = "at least " if None in sizes else ""
        files = "1 file" if len(absent) == 1 else f"{len(absent)} files"
        click.echo(f"{files} to fetch, {about}{known_bytes / 1e6:.1f} MB", err=True)
    with _bars() as bars:
        whole = _Whole(bars, absent) if len(absent) > 1 else None
        for known in wanted:
            try:
                fetch_checkpoint(
                    known.checkpoint, own=own, progress=lambda source: _Bar(bars, source, whole)
                )
            except SynbenchError as error:
                failures.append(error)
    return failures


def _listed(failures: list[SynbenchError]) -> str:
    return f"{len(failures)} checkpoints could not be brought:\n" + "\n".join(map(str, failures))


@weights.command(short_help="Check the digests of what is here.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@as_json
def check(names: tuple[str, ...], as_json: bool) -> None:
    """Read the checkpoints on this machine and check their digests; exit code 1 if any is wrong.

    Without NAME, all of them are checked. A named checkpoint that is missing counts as wrong.
    """
    wanted = needed_checkpoints(names) if names else list(known_checkpoints().values())
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
    file_state, problem = check_file(source) if read else (state(source), "")
    path = weights_path(source)
    size = path.stat().st_size if path is not None and path.is_file() else source.bytes
    return {
        "repository": source.repository,
        "revision": source.revision,
        "file": source.file,
        "sha256": source.sha256 or first_seen(source),
        "pinned": bool(source.sha256),
        "bytes": size,
        "state": file_state,
        "problem": problem,
        "path": str(path) if file_state != "missing" else None,
    }


def _print(facts: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    console = output_console()
    headings = next(columns for width, columns in COLUMNS_BY_WIDTH if console.width >= width)
    # Names are typed, and an address is copied, so none of them is broken.
    for heading in headings:
        side: Literal["left", "right"] = "right" if heading == "MB" else "left"
        whole = heading in ("checkpoint", "used by", "from")
        table.add_column(heading, overflow="fold", no_wrap=whole, justify=side)
    for fact in facts:
        cells = {
            "checkpoint": escape(fact["name"]),
            "here": f"[{STYLES[fact['state']]}]{fact['state']}[/]{_pinned_here(fact, headings)}",
            "MB": _megabytes(fact["files"]),
            "sha256": _digests(fact["files"]),
            "licence": escape(fact["licence"] or "unstated"),
            "used by": escape(_families(fact["users"])),
            "from": escape("\n".join(dict.fromkeys(file["repository"] for file in fact["files"]))),
        }
        table.add_row(*(cells[heading] for heading in headings))
    console.print(table)
    for file in (file for fact in facts for file in fact["files"] if file["problem"]):
        console.print(f"[red]{escape(file['problem'])}[/]", highlight=False, soft_wrap=True)


def _pinned_here(fact: dict[str, Any], headings: Sequence[str]) -> str:
    """Where no digests are shown: that the first file pinned it, since nobody published one."""
    pinned_here = any(file["sha256"] and not file["pinned"] for file in fact["files"])
    return ", first seen" if pinned_here and "sha256" not in headings else ""


def _megabytes(files: list[dict[str, Any]]) -> str:
    sizes = [file["bytes"] for file in files]
    return "?" if None in sizes else f"{sum(sizes) / 1e6:.1f}"


def _digests(files: list[dict[str, Any]]) -> str:
    """The start of the first digest; ``first seen`` where none is published."""
    texts = dict.fromkeys(
        file["sha256"][:12] + ("" if file["pinned"] else " first seen")
        if file["sha256"]
        else "at first fetch"
        for file in files
    )
    first, *others = texts
    return f"{first} +{len(others)}" if others else first


def _families(users: list[str]) -> str:
    """Names of codecs and metrics; those that differ in their first or last word only are one."""
    by_rest: dict[str, list[str]] = {}
    for user in users:
        first, _, rest = user.partition("_")
        by_rest.setdefault(rest, []).append(first)
    by_first: dict[str, list[str]] = {}
    for rest, firsts in by_rest.items():
        by_first.setdefault("/".join(firsts), []).append(rest)
    return "; ".join(
        f"{firsts}_{'/'.join(rests)}" if any(rests) else firsts
        for firsts, rests in by_first.items()
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


class _Whole:
    """The progress of all files together."""

    def __init__(self, bars: Progress, sources: Iterable[WeightsSource]) -> None:
        self._bars = bars
        self._totals = {source: source.bytes or 0 for source in sources}
        self._done = dict.fromkeys(self._totals, 0)
        self._task = bars.add_task("in all", total=sum(self._totals.values()) or None)

    def update(self, source: WeightsSource, *, done: int, total: int) -> None:
        """Take note of the bytes of one file."""
        self._done[source] = done
        self._totals[source] = total or self._totals.get(source, 0)
        totals = sum(self._totals.values())
        self._bars.update(self._task, completed=sum(self._done.values()), total=totals or None)


class _Bar:
    """One file's progress, drawn from the first byte on."""

    def __init__(self, bars: Progress, source: WeightsSource, whole: _Whole | None) -> None:
        self._bars = bars
        self._source = source
        self._whole = whole
        self._task = bars.add_task(Path(source.file).name, total=source.bytes)

    def __call__(self, done: int, total: int) -> None:
        """Take note that ``done`` of ``total`` bytes have come."""
        self._bars.update(self._task, completed=done, total=total or None)
        if self._whole is not None:
            self._whole.update(self._source, done=done, total=total)
