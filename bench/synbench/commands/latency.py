"""``synbench latency``: how long codecs keep speech back, as declared and as measured."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

import synbench_codecs
from synbench.commands.codec_rows import WHOLE_FILE
from synbench.console import output_console
from synbench.errors import SynbenchError, UsageError

__all__ = ["latency"]


@click.command()
@click.argument("codecs", nargs=-1, required=True, metavar="CODEC...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def latency(codecs: tuple[str, ...], as_json: bool) -> None:
    """Measure the algorithmic delay of CODECs: how much later input an output sample needs.

    The input is changed at single samples, and the first output and the first frame that change are
    found. Networks are measured with narrow layers and random weights, since the delay depends on
    neither. Computing time comes on top: synbench complexity --time.
    """
    measured = [_facts(spec) for spec in codecs]
    if as_json:
        click.echo(json.dumps(measured, indent=2))
    else:
        _print(measured)
    if all("problem" in facts for facts in measured):
        raise UsageError("nothing could be measured; the reasons are above")


def _facts(spec: str) -> dict[str, Any]:
    try:
        codec = _loaded(spec)
        if not hasattr(codec, "decode"):
            return {"spec": spec, "problem": "it has decoded files only, so nothing can be timed"}
        return synbench_codecs.measure_latency(codec).to_json()
    except SynbenchError as error:
        return {"spec": spec, "problem": str(error)}


def _loaded(spec: str) -> Any:
    """A network narrower than the published one reaches as far, and is measured in seconds."""
    name, _ = synbench_codecs.parse_spec(spec)
    if synbench_codecs.has_costs(name):
        from synbench_codecs.support.random_weights import calibrate

        codec = synbench_codecs.untrained(spec, reduced=True)
        calibrate(codec)
        return codec
    return synbench_codecs.load(spec)


def _print(measured: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", caption_justify="left")
    table.add_column("codec", overflow="fold")
    for heading in ("frame", "declared", "measured", "encoder", "decoder"):
        table.add_column(f"{heading} ms", justify="right")
    for facts in measured:
        if "problem" not in facts:
            table.add_row(escape(facts["spec"]), *_cells(facts))
    console = output_console()
    console.print(table)
    for facts in measured:
        if "problem" in facts:
            console.print(f"{escape(facts['spec'])}: {escape(facts['problem'])}", style="yellow")
    console.print(
        "declared: frame and look-ahead; measured: the longest wait of an output sample for its "
        "input; a codec whose windows fade out shows a little less than it declares",
        style="dim",
    )


def _cells(facts: dict[str, Any]) -> list[str]:
    declared = facts["declared_seconds"]
    cells = [
        _milliseconds(facts["frame_seconds"]),
        WHOLE_FILE if declared is None else _milliseconds(declared),
    ]
    if facts["whole_file"]:
        return [*cells, WHOLE_FILE, "-", "-"]
    measured = ("measured_seconds", "encoder_seconds", "decoder_seconds")
    return cells + ["-" if facts[name] is None else _milliseconds(facts[name]) for name in measured]


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f}"
