"""``synbench listen power``."""

from __future__ import annotations

from pathlib import Path

import click

from synbench.errors import UsageError

__all__ = ["power"]


@click.group()
def power() -> None:
    """Plan a test: how many listeners, items and trials show what you want to see."""


@power.command()
@click.option(
    "--difference",
    type=click.FloatRange(min=0, min_open=True),
    required=True,
    multiple=True,
    help="Difference between two systems in points; may be repeated.",
)
@click.option(
    "--sd",
    type=click.FloatRange(min=0, min_open=True),
    multiple=True,
    help="Spread of paired listener differences, in points [default: small, median and large of "
    "a real codec test with 8 items per listener].",
)
@click.option(
    "--pilot",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ratings to take the spread from, and how it falls with more items.",
)
@click.option(
    "--power", "wanted", type=click.FloatRange(0.01, 0.999), default=0.8, show_default=True
)
@click.option("--alpha", type=click.FloatRange(1e-6, 0.5), default=0.05, show_default=True)
def mushra(
    difference: tuple[float, ...],
    sd: tuple[float, ...],
    pilot: Path | None,
    wanted: float,
    alpha: float,
) -> None:
    """Listeners of a MUSHRA (or other rated) test, by the two-sided paired t-test.

    alpha is for one pair: divide it by the number of pairs for a family of them.
    """
    from synbench.statistics.power import units_needed
    from synbench_listening.statistics.power import TYPICAL_SD

    spreads = {f"SD {value:g}": value for value in sd}
    if pilot is not None:
        spreads |= _pilot(pilot)
    if not spreads:
        spreads = {f"SD {value:g} ({name})": value for name, value in TYPICAL_SD.items()}
    width = max(map(len, spreads))
    lines = [" " * width + "".join(f"{points:>9g}" for points in difference) + "  points"]
    for name, value in spreads.items():
        try:
            needed = [
                units_needed(points, value, power=wanted, alpha=alpha) for points in difference
            ]
        except ValueError as error:
            raise UsageError(str(error)) from error
        lines.append(f"{name:<{width}}" + "".join(f"{count:>9}" for count in needed))
    click.echo(f"listeners for {wanted:.0%} power, two-sided alpha {alpha:g}")
    click.echo("\n".join(lines))


@power.command()
@click.option(
    "--rate",
    type=click.FloatRange(0.5, 1, min_open=True),
    required=True,
    multiple=True,
    help="True share of correct answers; may be repeated.",
)
@click.option(
    "--trials",
    type=click.IntRange(1, 100_000),
    help="Compute the power of this many trials instead.",
)
@click.option(
    "--power", "wanted", type=click.FloatRange(0.01, 0.999), default=0.8, show_default=True
)
@click.option("--alpha", type=click.FloatRange(1e-6, 0.5), default=0.05, show_default=True)
def abx(rate: tuple[float, ...], trials: int | None, wanted: float, alpha: float) -> None:
    """Trials of an ABX test, by the exact one-sided binomial test."""
    from synbench_listening.statistics.identification import correct_needed
    from synbench_listening.statistics.power import trial_power, trials_needed

    for share in rate:
        n = trials or trials_needed(share, power=wanted, alpha=alpha)
        needed = correct_needed(n, alpha=alpha)
        reached = trial_power(n, share, alpha=alpha)
        limit = f"{needed} correct needed" if needed is not None else "no result is significant"
        click.echo(f"rate {share:g}: {n} trials, {limit}, power {reached:.4f}")


def _pilot(path: Path) -> dict[str, float]:
    """Largest spread of a pair of systems, as it was and with twice and four times the items."""
    from synbench_listening.analysis.pilot_spread import pilot_spread
    from synbench_listening.answers.repeats import read_distinct_ratings

    try:
        spread = pilot_spread(read_distinct_ratings(path).kept)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
    return {
        f"pilot, {items} items (SD {value:.1f})": value
        for items, value in spread.by_items().items()
    }
