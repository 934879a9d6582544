"""``synbench codecs``, ``metrics`` and ``corpora``: what there is to choose from."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

import synbench_codecs
import synbench_metrics
from synbench.commands.codec_rows import (
    WHOLE,
    as_chosen,
    as_families,
    family_row,
    point_row,
    shortened,
)
from synbench.console import output_console
from synbench_base.errors import MissingWeights, SynbenchError
from synbench_codecs import Options

__all__ = ["codec_facts", "codecs", "corpora", "metric_facts", "metrics"]

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@as_json
def codecs(names: tuple[str, ...], as_json: bool) -> None:
    """List the codecs, one line each; with NAME, all its operating points and options.

    The delay is what a codec declares to wait for, frame and look-ahead; synbench latency measures
    it.
    """
    facts = [fact for name in as_chosen(names) for fact in codec_facts(name)]
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    elif names:
        _print_points(facts)
    else:
        _print_families(facts)


def _print_points(facts: list[dict[str, Any]]) -> None:
    table = _table("spec", "kbit/s", "kHz", "frame", "ahead", "delay", "")
    reasons = _reasons(facts)
    for fact in facts:
        reason = fact["unavailable"]
        cells = map(escape, point_row(fact))
        table.add_row(*cells, _mark(reason, reasons), style="dim" if reason else None)
    _print_with_reasons(table, reasons)
    click.echo(f"\nframe, look-ahead and delay in ms; {WHOLE}: the whole file is needed")
    for name, points in as_families(facts).items():
        click.echo(f"options of {name}: {points[0]['options'] or 'none'}")


def _print_families(facts: list[dict[str, Any]]) -> None:
    table = _table("codec", "kbit/s", "kHz", "delay ms", "points", "missing")
    reasons = [text for text in dict.fromkeys(map(shortened, _reasons(facts))) if text != "weights"]
    for name, points in as_families(facts).items():
        lacking = [fact["unavailable"] for fact in points if fact["unavailable"]]
        short = dict.fromkeys(shortened(reason) for reason in lacking)
        marks = ", ".join(text if text == "weights" else _mark(text, reasons) for text in short)
        some = " for some" if marks and len(lacking) < len(points) else ""
        dim = "dim" if len(lacking) == len(points) else None
        table.add_row(*map(escape, family_row(name, points)), marks + some, style=dim)
    _print_with_reasons(table, reasons)
    click.echo("\noperating points and options: synbench codecs NAME")
    click.echo("weights: synbench weights fetch NAME; sizes and licences: synbench weights list")


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


@click.command()
@as_json
def metrics(as_json: bool) -> None:
    """List the metrics: direction, unit, sample rates, implementation, and what is missing."""
    facts = [metric_facts(name) for name in synbench_metrics.names()]
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    table = _table("column", "better", "unit", "Hz", "missing", "implementation")
    reasons = _reasons(facts)
    for fact in facts:
        reason = fact["unavailable"]
        table.add_row(
            escape(fact["column"]),
            fact.get("direction", ""),
            fact.get("unit", ""),
            " ".join(map(str, fact.get("sample_rates", []))) or "any",
            _mark(reason, reasons),
            f"{fact.get('implementation', '')} {fact.get('version', '')}",
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
    click.echo("\n\n".join(map(_plain, described.values())))


def _plain(docstring: str) -> str:
    """The text without the marks of a docstring, which a terminal does not draw."""
    return re.sub(r":\w+:`~?([^`]*)`", r"\1", docstring).replace("``", "")


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:  # names are typed, so that none is broken; only the end may fold
        table.add_column(heading, overflow="fold", no_wrap=heading != headings[-1])
    return table
