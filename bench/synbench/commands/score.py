"""``synbench score``: two folders in, a table out; the quickest way to a number."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from synbench.errors import UsageError
from synbench.execution.executors import default_workers
from synbench.pairs import Pairing, Scored, load_metrics, match, score_pairs

__all__ = ["score"]


@click.command()
@click.option("--reference", required=True, type=click.Path(exists=True), help="Folder or file.")
@click.option("--degraded", required=True, type=click.Path(exists=True), help="Folder or file.")
@click.option("--metrics", required=True, help="Columns, comma-separated; see: synbench metrics.")
@click.option("--cut", is_flag=True, help="Cut the longer file of a pair to the shorter.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--workers", type=click.IntRange(min=0), default=None, help="Worker processes.")
def score(
    reference: str, degraded: str, metrics: str, cut: bool, as_json: bool, workers: int | None
) -> None:
    """Score every file of a folder against the file of the same name in another.

    Files are matched by name without suffix, whatever their format. Waves of another rate are
    resampled; lengths must agree unless --cut is given. Exit code 1 when a file failed or had no
    partner.
    """
    columns = [column.strip() for column in metrics.split(",") if column.strip()]
    load_metrics(columns)
    pairing = match(Path(reference), Path(degraded))
    if not pairing.pairs:
        raise UsageError(
            f"no file of {reference} has the name of a file of {degraded}; "
            f"{_unmatched(pairing) or 'both hold no audio'}"
        )
    count = default_workers() if workers is None else workers
    scored = score_pairs(pairing.pairs, columns, workers=count, cut=cut)
    if as_json:
        click.echo(json.dumps(_as_json(pairing, scored, columns), indent=2, ensure_ascii=False))
    else:
        _print(pairing, scored, columns)
    failed = any(outcome.status == "failed" for one in scored for outcome in one.outcomes.values())
    if failed or pairing.only_reference or pairing.only_degraded:
        sys.exit(1)


def _as_json(pairing: Pairing, scored: list[Scored], columns: list[str]) -> dict[str, object]:
    return {
        "metrics": {metric.info.column: metric.info.to_json() for metric in load_metrics(columns)},
        "summary": {column: _summary(scored, column) for column in columns},
        "files": [
            {
                "name": one.name,
                "scores": {
                    column: {"status": out.status, "value": out.value, "reason": out.reason}
                    for column, out in one.outcomes.items()
                },
            }
            for one in scored
        ],
        "only_reference": pairing.only_reference,
        "only_degraded": pairing.only_degraded,
    }


def _summary(scored: list[Scored], column: str) -> dict[str, object]:
    values = [one.outcomes[column].value for one in scored]
    present = [value for value in values if value is not None]
    return {
        "mean": sum(present) / len(present) if present else None,
        "scored": len(present),
        "failed": sum(one.outcomes[column].status == "failed" for one in scored),
        "not_applicable": sum(one.outcomes[column].status == "not_applicable" for one in scored),
    }


def _print(pairing: Pairing, scored: list[Scored], columns: list[str]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from synbench.console import output_console

    console = output_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("file")
    for column in columns:
        table.add_column(column, justify="right")
    for one in scored:
        cells = [one.outcomes[column] for column in columns]
        shown = ["-" if cell.value is None else f"{cell.value:.4f}" for cell in cells]
        table.add_row(escape(one.name), *shown)
    summaries = [_summary(scored, column) for column in columns]
    means = [item["mean"] for item in summaries]
    table.add_section()
    table.add_row("mean", *["-" if mean is None else f"{mean:.4f}" for mean in means], style="bold")
    table.add_row("scored", *[f"{item['scored']}/{len(scored)}" for item in summaries])
    console.print(table)
    for one in scored:
        for column, outcome in one.outcomes.items():
            if outcome.status != "ok":
                said = f"{one.name} {column}: {outcome.status}: {outcome.reason}"
                console.print(escape(said), style="yellow", highlight=False)
    if unmatched := _unmatched(pairing):
        console.print(escape(unmatched), style="yellow", highlight=False)


def _unmatched(pairing: Pairing) -> str:
    parts = []
    for side, names in (
        ("reference", pairing.only_reference),
        ("degraded", pairing.only_degraded),
    ):
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            parts.append(f"only in {side}: {', '.join(names[:5])}{more}")
    return "; ".join(parts)
