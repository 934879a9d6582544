"""``synbench diff``: what changed between two runs, and whether it matters."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from synbench_base.decimals import fixed

if TYPE_CHECKING:
    from synbench_reports.run_comparison.run_diff import Change, CorpusDiff

__all__ = ["diff"]


@click.command()
@click.argument("run_a")
@click.argument("run_b")
@click.option("--all", "everything", is_flag=True, help="Also list what is identical.")
def diff(run_a: str, run_b: str, everything: bool) -> None:
    """Compare RUN_A with RUN_B: settings, identities, and every codec and metric on common items.

    A change matters when scores differ on average by at least the last digit that a table prints
    (paired test, Holm), or are there in one run only. Exit code 1 means that something matters.
    """
    from synbench.results.find_run import find_run
    from synbench.results.planned import read_planned
    from synbench.results.run_identity import identity_differences, setting_differences
    from synbench.results.store import RunFolder
    from synbench_reports.run_comparison.run_diff import corpus_diffs

    folders = find_run(run_a), find_run(run_b)
    plans = tuple(map(read_planned, folders))
    manifests = [RunFolder(folder).manifest() for folder in folders]
    for letter, planned in zip("AB", plans, strict=True):
        click.echo(f"{letter}  {planned.folder}  started {planned.started}")
    _block("Settings that differ", setting_differences(*manifests))
    _block("Not the same in both", identity_differences(*manifests))
    diffs = list(corpus_diffs(*plans))
    for entry in diffs:
        click.echo("\n".join(_text(entry, everything)))
    matters = sum(change.matters for entry in diffs for change in entry.changes)
    swaps = sum(len(entry.swaps) for entry in diffs)
    if not diffs:
        click.echo("\nThe runs have no corpus in common.")
    else:
        click.echo(f"\n{matters} changes matter; {swaps} pairs of codecs changed places.")
    if matters:
        sys.exit(1)


def _block(title: str, lines: Iterator[str]) -> None:
    shown = list(lines)
    if shown:
        click.echo(f"\n{title}")
        for line in shown:
            click.echo(f"  {line}")


def _text(entry: CorpusDiff, everything: bool) -> Iterator[str]:
    counts = [
        f"{entry.common} items in common",
        f"{entry.only_a} only in A" if entry.only_a else "",
        f"{entry.only_b} only in B" if entry.only_b else "",
        f"{entry.altered} with other samples or transcript, left out" if entry.altered else "",
    ]
    yield f"\n{entry.corpus}: {', '.join(filter(None, counts))}"
    tally = Counter(change.verdict for change in entry.changes)
    yield "  " + (", ".join(f"{count} {name}" for name, count in tally.items()) or "no scores")
    shown = [change for change in entry.changes if everything or change.verdict != "identical"]
    if shown:
        names = max(len(change.codec) for change in shown)
        metrics = max(len(change.heading) for change in shown)
        yield (
            f"  {'codec':<{names}}  {'metric':<{metrics}}      n         A         B  "
            f"{'B - A [95 % interval]':<30} {'p (Holm)':>8}  verdict"
        )
        yield from (_line(change, names, metrics) for change in shown)
    yield from (f"  {swap}" for swap in entry.swaps)


def _line(change: Change, names: int, metrics: int) -> str:
    scale, decimals = change.scale, 4 if change.scale == 1 else 2
    gaps = (change.difference, change.low, change.high)
    mean, low, high = (fixed(scale * gap, decimals, sign=True) for gap in gaps)
    spread = f"{mean} [{low}, {high}]"
    p = "-" if change.p_holm != change.p_holm else fixed(change.p_holm, 4)
    verdict: str = change.verdict
    if verdict == "coverage":
        verdict = f"coverage: {change.only_a} only in A, {change.only_b} only in B"
    mark = "! " if change.matters else ""
    return (
        f"  {change.codec:<{names}}  {change.heading:<{metrics}}  {change.both:>5}  "
        f"{fixed(scale * change.mean_a, decimals):>8}  "
        f"{fixed(scale * change.mean_b, decimals):>8}  {spread:<30} {p:>8}  {mark}{verdict}"
    )
