"""``synbench tokens``: how the codecs of a run use their codebooks, from its bitstreams."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from synbench.console import output_console
from synbench.results.store import RunFolder
from synbench.tokens import TokenReport, token_reports

RATES = ("entropy", "conditional_entropy", "coded")
PRINTED_RATES = ("corrected_entropy", "corrected_conditional", "coded")

__all__ = ["tokens"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--books", is_flag=True, help="Print one line per codebook.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def tokens(run: Path, books: bool, as_json: bool) -> None:
    """Read the bitstreams of RUN (a folder) and count tokens: usage, entropies, coded rate.

    "coded" is the rate of an entropy coder whose table comes from all other utterances. Entropies
    of the very tokens they describe are too low: order 0 has that bias added, order 1 is withheld
    where more than 5 % of all neighbours were seen once only. JSON has them as counted, too.
    """
    reports = token_reports(RunFolder(run))
    if as_json:
        click.echo(json.dumps([_facts(report) for report in reports], indent=2, ensure_ascii=False))
        return
    console = output_console()
    for corpus in dict.fromkeys(report.corpus for report in reports):
        console.print(_table([each for each in reports if each.corpus == corpus], corpus, books))
    if any(book.corrected_conditional is None for report in reports for book in report.books):
        console.print("order 1 -: too few tokens to know it", style="dim", highlight=False)
    for report in reports:
        reason = report.reason or (f"{report.without} streams left out" if report.without else "")
        if reason:
            console.print(f"{escape(report.label)}: {reason}", style="dim", highlight=False)


def _facts(report: TokenReport) -> dict[str, Any]:
    record = dataclasses.asdict(report)
    if report.books:
        record |= {f"{name}_bps": report.rate(name) for name in (*RATES, *PRINTED_RATES[:2])}
        record["tokens_per_second"] = report.frames_per_second * len(report.books)
    return record


def _table(reports: list[TokenReport], corpus: str, books: bool) -> Table:
    table = Table(title=escape(corpus), title_justify="left", box=None, header_style="bold")
    table.add_column("codec" if not books else "codec, codebook")
    for heading in ("tokens", "usage", "perplexity", "normalised entropy"):
        table.add_column(heading, justify="right")
    for heading in ("order 0", "order 1", "coded"):
        table.add_column(f"{heading}\nkbit/s", justify="right")
    for report in reports:
        if not report.books:
            continue
        parts = [(report.label, report)]
        if books:
            parts = [
                (f"{report.label}, {book_index}", dataclasses.replace(report, books=(book,)))
                for book_index, book in enumerate(report.books)
            ]
        for name, part in parts:
            table.add_row(escape(name), *_cells(part))
    return table


def _cells(report: TokenReport) -> list[str]:
    books = report.books
    mean = {
        name: sum(getattr(book, name) for book in books) / len(books)
        for name in ("usage", "perplexity", "normalised_entropy")
    }
    rates = [report.rate(name) for name in PRINTED_RATES]
    return [
        str(sum(book.tokens for book in books)),
        f"{mean['usage']:.1%}",
        f"{mean['perplexity']:.1f}",
        f"{mean['normalised_entropy']:.3f}",
        *("-" if rate is None else f"{rate / 1000:.3f}" for rate in rates),
    ]
