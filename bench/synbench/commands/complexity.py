"""``synbench complexity``: parameters and operations of torch codecs; their speed on request."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

import synbench_codecs
from synbench.console import output_console
from synbench.errors import SynbenchError, UsageError

__all__ = ["complexity"]


@click.command()
@click.argument("codecs", nargs=-1, metavar="[CODEC]...")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.01),
    default=1.0,
    show_default=True,
    help="Length of the test signal in seconds.",
)
@click.option("--time", "timed", is_flag=True, help="Also measure CPU time and peak memory.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def complexity(codecs: tuple[str, ...], seconds: float, timed: bool, as_json: bool) -> None:
    """Count parameters and multiply-accumulates of CODECs (all torch codecs when none is named).

    Needs no weights. MACs are for each second of audio; "thop" is what most papers print. With
    --time every codec runs with random weights on one thread: CPU seconds per second of audio.
    """
    facts = [_facts(spec, seconds, timed) for spec in codecs or _all_specs()]
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        _print(facts, timed)
    if codecs and all("problem" in fact for fact in facts):
        raise UsageError("nothing could be counted; the reasons are above")


def _all_specs() -> list[str]:
    specs = []
    for name in synbench_codecs.names():
        try:
            points = synbench_codecs.codec_class(name).points
            countable = synbench_codecs.has_costs(name)
        except SynbenchError:
            continue
        specs += [synbench_codecs.format_spec(name, point) for point in points if countable]
    return specs


def _facts(spec: str, seconds: float, timed: bool) -> dict[str, Any]:
    try:
        facts = synbench_codecs.count_costs(spec, seconds=seconds).to_json()
        if timed:
            facts |= {"speed": synbench_codecs.measure_speed(spec).to_json()}
    except SynbenchError as error:
        return {"spec": spec, "problem": str(error)}
    return facts


def _print(facts: list[dict[str, Any]], timed: bool) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("codec", overflow="fold")
    headings = ["params M", "encoder G", "decoder G", "MACs G/s", "thop M", "thop G/s"]
    for heading in headings + ["CPU enc", "CPU dec", "peak MB"] * timed:
        table.add_column(heading, justify="right")
    for fact in facts:
        if "problem" not in fact:
            table.add_row(escape(fact["spec"]), *_numbers(fact))
    console = output_console()
    console.print(table)
    for fact in facts:
        if "problem" in fact:
            console.print(f"{escape(fact['spec'])}: {escape(fact['problem'])}", style="yellow")


def _numbers(fact: dict[str, Any]) -> list[str]:
    encoder, decoder = fact["encoder_macs_per_second"], fact["decoder_macs_per_second"]
    numbers = [
        f"{fact['parameters'] / 1e6:.2f}",
        f"{encoder / 1e9:.2f}",
        f"{decoder / 1e9:.2f}",
        f"{(encoder + decoder) / 1e9:.2f}",
        f"{fact['thop_parameters'] / 1e6:.2f}",
        f"{fact['thop_macs_per_second'] / 1e9:.2f}",
    ]
    if "speed" in fact:
        speed = fact["speed"]
        numbers += [
            f"{speed['encoder_cpu_per_second']:.3f}",
            f"{speed['decoder_cpu_per_second']:.3f}",
            f"{speed['peak_memory_bytes'] / 1e6:.0f}",
        ]
    return numbers
