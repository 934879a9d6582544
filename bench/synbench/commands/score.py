"""``synbench score``: two folders in, a table out; the quickest way to a number."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from synbench.doubt import OTHER_SCRIPTS, script_warning
from synbench.errors import UsageError
from synbench.execution.cores import default_workers
from synbench.metric_names import notes_on_families
from synbench.pairs import Pairing, ScoredPair, doubts_of, load_metrics, match, score_pairs
from synbench_base.decimals import is_share
from synbench_metrics import Metric, Outcome

SHOWN_ITEMS = 5
SHOWN_REASONS = 10

__all__ = ["score"]


@click.command()
@click.option(
    "--reference", required=True, type=click.Path(exists=True), help="Folder or file of originals."
)
@click.option(
    "--degraded", required=True, type=click.Path(exists=True), help="Decoded folder or file."
)
@click.option(
    "--metrics", required=True, help="Metrics, separated by commas; see: synbench metrics."
)
@click.option("--cut", is_flag=True, hidden=True, help="What is done anyway.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option(
    "--workers", type=click.IntRange(min=0), default=None, help="Number of worker processes."
)
def score(
    reference: str, degraded: str, metrics: str, cut: bool, as_json: bool, workers: int | None
) -> None:
    """Score every file of a folder against the file of the same name in another.

    The rules are those of a run: files belong together by path, end of path or name, whatever
    their format; the degraded wave is resampled, cut or filled to its reference and clipped at full
    scale, and the lines below the table say so. Transcripts are NAME.txt beside the references.
    Exit code 1 when a file failed or had no partner.
    """
    names = list(dict.fromkeys(filter(None, map(str.strip, metrics.split(",")))))
    loaded = load_metrics(names)
    for line in notes_on_families(names):
        click.echo(f"! {line}", err=True)
    columns = list(dict.fromkeys(metric.info.column for metric in loaded))
    pairing = match(Path(reference), Path(degraded))
    if not pairing.pairs:
        raise UsageError(
            f"no file of {reference} has the name of a file of {degraded}; "
            f"{_unmatched(pairing) or 'both hold no audio'}"
        )
    count = default_workers() if workers is None else workers
    scored = score_pairs(pairing.pairs, columns, workers=count)
    absent = Outcome.failed(f"no file for it below {degraded}")
    scored += [ScoredPair(name, dict.fromkeys(columns, absent)) for name in pairing.only_reference]
    scored.sort(key=lambda one: one.name)
    if as_json:
        click.echo(json.dumps(_as_json(pairing, scored, loaded), indent=2, ensure_ascii=False))
    else:
        _print(pairing, scored, loaded)
    failed = any(outcome.status == "failed" for one in scored for outcome in one.outcomes.values())
    if failed or pairing.only_degraded:
        sys.exit(1)


def _as_json(
    pairing: Pairing, scored: list[ScoredPair], metrics: list[Metric]
) -> dict[str, object]:
    return {
        "metrics": {metric.info.column: metric.info.to_json() for metric in metrics},
        "summary": {metric.info.column: _summary(scored, metric) for metric in metrics},
        "files": [
            {
                "name": one.name,
                "scores": {
                    column: {"status": out.status, "value": out.value, "reason": out.reason}
                    for column, out in one.outcomes.items()
                },
                "measures": dict(one.measures),
            }
            for one in scored
        ],
        "only_reference": pairing.only_reference,
        "only_degraded": pairing.only_degraded,
        "warnings": list(_lines(pairing, scored, metrics)),
    }


def _summary(scored: list[ScoredPair], metric: Metric) -> dict[str, object]:
    outcomes = [one.outcomes[metric.info.column] for one in scored]
    return {
        "mean": _mean(outcomes, metric),
        "scored": sum(out.status == "ok" for out in outcomes),
        "failed": sum(out.status == "failed" for out in outcomes),
        "not_applicable": sum(out.status == "not_applicable" for out in outcomes),
    }


def _mean(outcomes: list[Outcome], metric: Metric) -> float | None:
    """The number of all files together, as a table of a run has it."""
    present = [(out.value, out) for out in outcomes if out.value is not None]
    if not present:
        return None
    if metric.info.pooling == "frechet":
        import numpy as np

        from synbench_metrics.frechet import pooled

        return float(pooled(np.array([out.vector for _, out in present])))
    weighted = metric.info.pooling == "weighted_mean"
    weights = [out.weight if weighted else 1.0 for _, out in present]
    total = sum(weights)
    if not total:
        return None
    return sum(value * weight for (value, _), weight in zip(present, weights, strict=True)) / total


def _print(pairing: Pairing, scored: list[ScoredPair], metrics: list[Metric]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from synbench.console import output_console

    console = output_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("file")
    for metric in metrics:
        unit = "%" if is_share(metric.info.pooling, metric.info.unit) else metric.info.unit
        heading = f"{metric.info.column}\n({unit})" if unit else metric.info.column
        table.add_column(escape(heading), justify="right")
    for one in scored:
        cells = [_shown(one.outcomes[metric.info.column].value, metric) for metric in metrics]
        table.add_row(escape(one.name), *cells)
    summaries = [_summary(scored, metric) for metric in metrics]
    table.add_section()
    means = [_mean([one.outcomes[m.info.column] for one in scored], m) for m in metrics]
    shown = [_shown(mean, metric) for mean, metric in zip(means, metrics, strict=True)]
    table.add_row("mean", *shown, style="bold")
    table.add_row("scored", *[f"{item['scored']}/{len(scored)}" for item in summaries])
    console.print(table)
    for line in _lines(pairing, scored, metrics):
        console.print(escape(line), style="yellow", highlight=False, soft_wrap=True)


def _shown(value: float | None, metric: Metric) -> str:
    if value is None:
        return "-"
    if is_share(metric.info.pooling, metric.info.unit):
        return f"{100 * value:.2f}"
    return f"{value:.4f}"


def _lines(pairing: Pairing, scored: list[ScoredPair], metrics: list[Metric]) -> Iterator[str]:
    """What stands below the table: doubts, then scores that are absent, then files without one."""
    yield from _script_warnings(scored, metrics)
    for doubt in doubts_of(scored):
        yield f"! {doubt.text}" if doubt.serious else f"  {doubt.text}"
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    partners = set(pairing.only_reference)
    for one in scored:
        for column, outcome in one.outcomes.items():
            if outcome.status != "ok" and one.name not in partners:
                files = groups.setdefault((outcome.status, outcome.reason), {})
                files.setdefault(one.name, []).append(column)
    for (status, reason), files in list(groups.items())[:SHOWN_REASONS]:
        concerned = {column for columns in files.values() for column in columns}
        columns = [m.info.column for m in metrics if m.info.column in concerned]
        yield (
            f"! {len(files)} of {len(scored)} {status.replace('_', ' ')} "
            f"({', '.join(columns)}): {reason}{_unless_all(list(files), scored)}"
        )
    if len(groups) > SHOWN_REASONS:
        yield f"! and {len(groups) - SHOWN_REASONS} other reasons: --json has them all"
    if unmatched := _unmatched(pairing):
        yield f"! {unmatched}"


def _script_warnings(scored: list[ScoredPair], metrics: list[Metric]) -> Iterator[str]:
    for metric in metrics:
        details = [one.outcomes[metric.info.column].details for one in scored]
        scripts = {str(each[OTHER_SCRIPTS]) for each in details if OTHER_SCRIPTS in each}
        if scripts:
            yield f"! {metric.info.column}: {script_warning(sorted(scripts))}"


def _unless_all(names: list[str], scored: list[ScoredPair]) -> str:
    return "" if len(names) == len(scored) else f": {_named(names)}"


def _unmatched(pairing: Pairing) -> str:
    sides = (("reference", pairing.only_reference), ("degraded", pairing.only_degraded))
    return "; ".join(f"only in {side}: {_named(names)}" for side, names in sides if names)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN_ITEMS} more" if len(names) > SHOWN_ITEMS else ""
    return ", ".join(names[:SHOWN_ITEMS]) + more
