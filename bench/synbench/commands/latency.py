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

TIMES = {
    "start_seconds": "start-up",
    "encode_frame_seconds": "encode a frame",
    "decode_frame_seconds": "decode a frame",
}

__all__ = ["latency"]


@click.command()
@click.argument("codecs", nargs=-1, required=True, metavar="CODEC...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--time", "with_time", is_flag=True, help="Also time start-up and frames.")
def latency(codecs: tuple[str, ...], as_json: bool, with_time: bool) -> None:
    """Measure the algorithmic delay of CODECs: how much later input an output sample needs.

    The input is changed at single samples, and the first output and the first frame that change are
    found; networks of convolutions and recurrences are traced instead, which is exact. Networks are
    measured with narrow layers and random weights, since the delay depends on neither. Computing
    time comes on top: with --time, that of start-up and of each frame, on one thread.
    """
    measured = [_facts(spec, with_time=with_time) for spec in codecs]
    if as_json:
        click.echo(json.dumps(measured, indent=2))
    else:
        _print(measured)
    if all("problem" in facts for facts in measured):
        raise UsageError("nothing could be measured; the reasons are above")


def _facts(spec: str, *, with_time: bool) -> dict[str, Any]:
    try:
        codec = _loaded(spec)
        if not hasattr(codec, "decode"):
            return {"spec": spec, "problem": "it has decoded files only, so nothing can be timed"}
        facts = synbench_codecs.measure_latency(codec).to_json()
        # No adapter codes chunk after chunk so far, so there is nothing to compare with the whole.
        facts["streams"] = hasattr(codec, "stream")
        return facts | (synbench_codecs.time_frames(spec) if with_time else {})
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
    table.add_column("by")
    timed = [name for name in TIMES if any(name in facts for facts in measured)]
    for name in timed:
        table.add_column(f"{TIMES[name]} ms", justify="right")
    for facts in measured:
        if "problem" not in facts:
            times = ["-" if facts[name] is None else _milliseconds(facts[name]) for name in timed]
            table.add_row(escape(facts["spec"]), *_cells(facts), facts["by"], *times)
    console = output_console()
    console.print(table)
    for facts in measured:
        if "problem" in facts:
            console.print(f"{escape(facts['spec'])}: {escape(facts['problem'])}", style="yellow")
    console.print(
        "declared: frame and look-ahead; measured: the longest wait of an output for its input, by "
        "a trace of the network's connections, or by changes of the input, where a codec whose "
        "windows fade out shows a little less than it declares",
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
