"""``synbench codecs``, ``metrics`` and ``corpora``: what there is to choose from."""

from __future__ import annotations

import inspect
import json
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

import synbench_codecs
import synbench_metrics
from synbench.console import output_console
from synbench_base.errors import MissingWeights, SynbenchError
from synbench_codecs import Options

__all__ = ["codec_facts", "codecs", "corpora", "metric_facts", "metrics"]

DELAYS = ("frame ms", "look-ahead ms", "delay ms")
WHOLE_FILE = "whole file"

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@as_json
def codecs(as_json: bool) -> None:
    """List the codecs: an example of each operating point, its bit rate, and what is absent.

    delay is what a codec declares to wait for, frame and look-ahead; synbench latency measures it.
    """
    facts = [fact for name in synbench_codecs.names() for fact in codec_facts(name)]
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    table = _table("codec", "kbit/s", "Hz", *DELAYS, "options", "absent")
    reasons = _reasons(facts)
    for fact in facts:
        rate, reason = fact.get("nominal_bitrate_bps"), fact["unavailable"]
        table.add_row(
            escape(fact["spec"]),
            "-" if rate is None else f"{_fraction(rate) / 1000:g}",
            str(fact.get("sample_rate") or "any"),
            *_delays(fact),
            escape(fact["options"]),
            _mark(reason, reasons),
            style="dim" if reason else None,
        )
    _print_with_reasons(table, reasons)


def codec_facts(name: str) -> list[dict[str, Any]]:
    """One entry per operating point; one in all where none of them runs, for the same reason."""
    try:
        loaded = synbench_codecs.codec_class(name)
    except SynbenchError as error:
        return [{"spec": name, "options": "", "unavailable": str(error)}]
    options = ", ".join(
        parameter.name
        for parameter in inspect.signature(loaded).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    )
    facts = []
    points: tuple[Options, ...] = getattr(loaded, "points", ()) or ({},)
    for point in points:
        spec = synbench_codecs.format_spec(name, point)
        try:
            info = synbench_codecs.load(spec).info
        except MissingWeights as error:
            known = synbench_codecs.describe(spec)
            fact = _with_delays(known.to_json()) if known else {"spec": spec}
            facts.append(fact | {"options": options, "unavailable": str(error)})
            continue
        except SynbenchError as error:
            if "needs" in str(error) and not point:
                return [{"spec": name, "options": options, "unavailable": ""}]
            facts.append({"spec": spec, "options": options, "unavailable": str(error)})
            continue
        facts.append(_with_delays(info.to_json()) | {"options": options, "unavailable": ""})
    reasons = {fact["unavailable"] for fact in facts}
    nothing_known = not any("label" in fact for fact in facts)
    return facts[:1] if len(reasons) == 1 and nothing_known else facts


def _with_delays(fact: dict[str, Any]) -> dict[str, Any]:
    """In seconds: null where nothing is declared, or where the whole file is needed."""
    delays = synbench_codecs.delays_of(fact)
    return fact | {
        "frame_seconds": delays.frame,
        "lookahead_seconds": delays.lookahead,
        "delay_seconds": delays.total,
        "whole_file": delays.is_whole_file,
    }


def _reasons(facts: list[dict[str, Any]]) -> list[str]:
    """Why something cannot run: often the same for several, so it is said once, below the table."""
    return list(dict.fromkeys(fact["unavailable"] for fact in facts if fact["unavailable"]))


def _mark(reason: str, reasons: list[str]) -> str:
    return f"({reasons.index(reason) + 1})" if reason else ""


def _print_with_reasons(table: Table, reasons: list[str]) -> None:
    console = output_console()
    console.print(table)
    for number, reason in enumerate(reasons, start=1):
        console.print(f"({number}) {escape(reason)}", style="dim", highlight=False)


def _fraction(text: str) -> float:
    top, _, bottom = text.partition("/")
    return int(top) / int(bottom or 1)


def _delays(fact: dict[str, Any]) -> tuple[str, str, str]:
    """Frame, look-ahead and algorithmic delay, which is both together."""
    if "hop_length" not in fact:
        return "-", "-", "-"
    delays = synbench_codecs.delays_of(fact)
    if delays.is_whole_file:
        return _milliseconds(delays.frame), WHOLE_FILE, WHOLE_FILE
    return _milliseconds(delays.frame), _milliseconds(delays.lookahead), _milliseconds(delays.total)


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.1f}"


@click.command()
@as_json
def metrics(as_json: bool) -> None:
    """List the metrics: column, range, direction, rate, and what is absent."""
    facts = [metric_facts(name) for name in synbench_metrics.names()]
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    table = _table("column", "better", "unit", "Hz", "implementation", "absent")
    reasons = _reasons(facts)
    for fact in facts:
        reason = fact["unavailable"]
        table.add_row(
            escape(fact["column"]),
            fact.get("direction", ""),
            fact.get("unit", ""),
            " ".join(map(str, fact.get("sample_rates", []))) or "any",
            f"{fact.get('implementation', '')} {fact.get('version', '')}",
            _mark(reason, reasons),
            style="dim" if reason else None,
        )
    _print_with_reasons(table, reasons)


def metric_facts(name: str) -> dict[str, Any]:
    """What a column is, and under ``unavailable`` why it cannot run here."""
    try:
        metric = synbench_metrics.load(name)
    except SynbenchError as error:
        return {"column": name, "unavailable": str(error)}
    try:
        metric.check()
    except SynbenchError as error:
        return metric.info.to_json() | {"unavailable": str(error)}
    return metric.info.to_json() | {"unavailable": ""}


@click.command()
@as_json
def corpora(as_json: bool) -> None:
    """List the corpora and their options."""
    import synbench.corpora

    described = {name: synbench.corpora.describe(name) for name in synbench.corpora.names()}
    if as_json:
        click.echo(json.dumps(described, indent=2, ensure_ascii=False))
        return
    click.echo("\n\n".join(described.values()))


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
