"""``synbench init``: a suite from a folder of decoded systems, one sub-folder for each."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click
import yaml

from synbench.suite import load_suite
from synbench_base.errors import UsageError
from synbench_base.folders import AudioFiles, audio_files, is_hidden

# What people call the recordings that all others are compared with.
REFERENCES = (
    "reference",
    "references",
    "ref",
    "original",
    "originals",
    "clean",
    "ground_truth",
    "ground-truth",
    "groundtruth",
    "gt",
    "target",
    "source",
)
RATE = re.compile(r"(?P<number>\d+(?:[._]\d+)?)[ _-]?(?P<kilo>k?)(?:bps|bit)", re.IGNORECASE)
METRICS = ("pesq_wb", "stoi", "visqol_speech_exp", "dnsmos_ovrl")

__all__ = ["init"]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--reference", help="Sub-folder of the originals [default: reference, original...].")
def init(folder: Path, file: Path | None, reference: str | None) -> None:
    """Start a suite from FOLDER, which holds the files of one system in each sub-folder.

    One sub-folder is the originals; files belong together by their names. The suite is written to
    FILE [default: FOLDER.yaml], for you to change labels, bit rates and metrics. Nothing that is
    there is overwritten.
    """
    target = file or Path(f"{folder.resolve().name}.yaml")
    systems = _systems(folder)
    original = _original(folder, systems, reference)
    others = [name for name in systems if name != original]
    if not others:
        raise UsageError(f"{folder} holds {original} alone: expected a sub-folder for each system")
    items = [_key(path, folder / original) for path in audio_files(folder / original)]
    lines = [
        f"# Decoded files, one sub-folder for each system. See: synbench plan {target.name}",
        f"name: {_quoted(target.stem)}",
        f"description: {_quoted(f'{len(others)} systems as decoded files.')}",
        "corpora:",
        # The transcripts and speakers of a folder: synbench corpora folder
        f"  - corpus: folder  # {len(items)} items",
        f"    options: {_flow({'path': _relative(folder / original, target)})}",
        "codecs:",
    ]
    for name in others:
        files = AudioFiles(folder / name)
        count = sum(len(files.matching(item)) == 1 for item in items)
        rate = _rate(name)
        options = {"folder": _relative(folder / name, target), "label": name, "bitrate_bps": rate}
        lines += [
            f"  - codec: recordings  # {count} of {len(items)} items"
            + ("" if rate else "; its bit/s in place of the 0"),
            f"    options: {_flow(options)}",
        ]
        click.echo(f"{name}: {count} of {len(items)} items" + (f", {rate:g} bit/s" * bool(rate)))
    lines += [f"metrics: [{', '.join(METRICS)}]", "unavailable: skip", ""]
    try:
        with target.open("x", encoding="utf-8") as written:
            written.write("\n".join(lines))
    except FileExistsError:
        raise UsageError(f"{target} is there already; name another file") from None
    load_suite(target)
    click.echo(f"{target}: look at it, then: synbench run {target}")


def _systems(folder: Path) -> list[str]:
    systems = [
        path.name
        for path in sorted(folder.iterdir())
        if path.is_dir() and not is_hidden(path.name) and next(audio_files(path), None) is not None
    ]
    if not systems:
        raise UsageError(
            f"{folder} has no sub-folder with sound files: expected one for each system, and one "
            "for the originals"
        )
    return systems


def _original(folder: Path, systems: list[str], wanted: str | None) -> str:
    named = [wanted] if wanted else REFERENCES
    by_name = {name.casefold(): name for name in systems}
    matching = [by_name[name.casefold()] for name in named if name.casefold() in by_name]
    if not matching:
        what = (
            f"no sub-folder {wanted} with sound files" if wanted else "no sub-folder of originals"
        )
        raise UsageError(
            f"{folder} has {what}; it holds {', '.join(systems)}: say which one with "
            "--reference NAME"
        )
    return matching[0]


def _key(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _rate(name: str) -> float:
    """The bit rate that a name such as ``opus_6kbps`` states, bit/s; 0 where it states none."""
    match = RATE.search(name)
    if match is None:
        return 0
    rate = float(match["number"].replace("_", ".")) * (1000 if match["kilo"] else 1)
    return int(rate) if rate == int(rate) else rate


def _relative(path: Path, suite: Path) -> str:
    """As the suite writes it: paths in a suite count from its own folder."""
    below = Path(os.path.relpath(path.resolve(), suite.resolve().parent))
    return (path.resolve() if below.parts[:2] == ("..", "..") else below).as_posix()


def _flow(options: dict[str, object]) -> str:
    return str(
        yaml.safe_dump(options, default_flow_style=True, sort_keys=False, width=10_000)
    ).strip()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
