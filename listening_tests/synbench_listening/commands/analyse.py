"""``synbench listen screen``, ``analyse`` and ``preference``."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synbench.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from synbench_listening.analysis.rated_options import Options
    from synbench_listening.analysis.result_table import ResultTable
    from synbench_listening.analysis.screen_sessions import SessionScreening
    from synbench_listening.answers.ratings import Rating

FORMS = ("terminal", "csv", "markdown", "latex", "json")
FILE_WIDTH = 140
RATINGS = click.Path(exists=True, dir_okay=False, path_type=Path)

reference_option = click.option(
    "--reference", metavar="NAME", help="Condition that is the hidden reference."
)
mid_anchor_option = click.option(
    "--mid-anchor", metavar="NAME", help="Condition that is the mid (7 kHz) anchor."
)
waived_option = click.option(
    "--waived-items-count",
    is_flag=True,
    help="Count items that the mid-anchor rule waives.",
)
sessions_option = click.option(
    "--sessions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The sessions.csv that export wrote [default: the one beside RATINGS, if any].",
)
form_option = click.option(
    "--format", "form", type=click.Choice(FORMS), default="terminal", show_default=True
)

__all__ = ["analyse", "preference", "screen"]


@click.command()
@click.argument("ratings", type=RATINGS)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the ratings of the remaining listeners here.",
)
@reference_option
@mid_anchor_option
@waived_option
@sessions_option
@form_option
def screen(
    ratings: Path,
    out: Path | None,
    reference: str | None,
    mid_anchor: str | None,
    waived_items_count: bool,
    sessions: Path | None,
    form: str,
) -> None:
    """Exclude listeners by their checks and, of MUSHRA, by both rules of BS.1534-3.

    Checks are those of sessions.csv, as export writes it: headphones, surroundings, attention,
    both ears, bandwidth, gold and trap trials, and the span of the answers, for every test. The
    evidence is shown.
    """
    from synbench_listening.analysis.screen import screen as apply
    from synbench_listening.analysis.screen_sessions import sessions_table
    from synbench_listening.analysis.screening_table import screening_table
    from synbench_listening.answers.ratings import write_ratings
    from synbench_listening.answers.repeats import read_distinct_ratings

    distinct = read_distinct_ratings(ratings)
    kept: Sequence[Rating] = distinct.kept
    simulated = any(rating.simulated for rating in kept)
    tables: list[ResultTable] = []
    if (screened := _by_sessions(kept, ratings, sessions)) is not None:
        tables.append(sessions_table(screened))
        kept = screened.kept
    if not tables or any(rating.test == "mushra" for rating in kept):
        screening = apply(
            kept,
            reference=reference,
            mid_anchor=mid_anchor,
            waived_items_count=waived_items_count,
        )
        tables.append(screening_table(screening))
        kept = screening.kept
    _noted(tables, distinct.notes())
    if out is not None:
        # First the file: whoever reads what is printed may stop in the middle.
        write_ratings(out, kept)
    _show([replace(table, simulated=simulated) for table in tables], form)
    if out is not None:
        click.echo(f"{out}: {len(kept)} ratings kept", err=True)


@click.command()
@click.argument("ratings", type=RATINGS)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for all tables (CSV) and report.md, report.tex, report.json.",
)
@click.option(
    "--screen/--no-screen",
    "screening",
    default=True,
    help="Apply the rules of BS.1534-3 [default: yes].",
)
@reference_option
@mid_anchor_option
@waived_option
@click.option(
    "--interval",
    type=click.Choice(["listeners", "bootstrap", "pooled"]),
    default="listeners",
    show_default=True,
    help="How intervals of means are computed.",
)
@click.option(
    "--correction",
    type=click.Choice(["holm", "hochberg"]),
    default="holm",
    show_default=True,
    help="Correction for the number of pairs; the standard names hochberg.",
)
@click.option(
    "--mixed-model/--no-mixed-model",
    default=True,
    help="Fit listeners and items, crossed [default: yes].",
)
@click.option(
    "--random-effects",
    type=click.Choice(["maximal", "intercepts"]),
    default="maximal",
    show_default=True,
    help="Structure of the mixed model; intercepts has no listener:condition or item:condition.",
)
@click.option(
    "--margin",
    type=click.FloatRange(min=0, min_open=True),
    help="Test for equivalence within this margin.",
)
@click.option(
    "--median-test", is_flag=True, help="Also run the standard's permutation test of medians."
)
@click.option(
    "--leave-out", multiple=True, metavar="NAME", help="Leave this condition out of comparisons."
)
@click.option(
    "--by",
    type=click.Choice(["condition", "item"]),
    default="condition",
    show_default=True,
    help="What is tested in an ABX test.",
)
@sessions_option
@click.option(
    "--spreadsheet", is_flag=True, help="Also write copies that are safe to open in a spreadsheet."
)
@form_option
def analyse(
    ratings: Path,
    out: Path | None,
    by: str,
    form: str,
    sessions: Path | None,
    spreadsheet: bool,
    **options: Any,
) -> None:
    """Analyse RATINGS, a long table. The sample size is the number of listeners, not of ratings."""
    from synbench_listening.analysis.rated_options import Options
    from synbench_listening.analysis.screen_sessions import sessions_table
    from synbench_listening.answers.repeats import read_distinct_ratings

    distinct = read_distinct_ratings(ratings)
    kept: Sequence[Rating] = distinct.kept
    if not kept:
        raise UsageError(f"{ratings} holds no ratings")
    tables: list[ResultTable] = []
    if options["screening"] and (screened := _by_sessions(kept, ratings, sessions)) is not None:
        tables.append(sessions_table(screened))
        kept = screened.kept
    tables += _tables(kept, Options(**options), by)
    _noted(tables, distinct.notes())
    simulated = sum(rating.simulated for rating in kept)
    if simulated:
        _warn(f"{simulated} of {len(kept)} answers are SIMULATED: no human gave them")
        tables = [replace(table, simulated=True) for table in tables]
    if out is not None:
        # First the files: whoever reads what is printed may stop in the middle.
        _write(tables, out, spreadsheet=spreadsheet)
    _show(tables, form)
    if out is not None:
        click.echo(f"{out}: {len(tables)} tables", err=True)


@click.command()
@click.argument("answers", nargs=3, type=float, metavar="A NONE B")
@click.option(
    "--percent-of",
    type=click.IntRange(min=2),
    help="The numbers are percentages of this many judgements.",
)
@click.option("--names", default="A,B", show_default=True, help="Names of both sides.")
@form_option
def preference(
    answers: tuple[float, float, float], percent_of: int | None, names: str, form: str
) -> None:
    """Recompute the p-value of a published preference test from its counts or percentages."""
    from synbench_listening.analysis.analyse_choices import preference_from_counts
    from synbench_listening.statistics.preference import Counts, counts_from_percentages

    first, sign, second = names.partition(",")
    if not sign:
        raise UsageError(f"--names takes two names with a comma, got {names!r}")
    try:
        if percent_of is not None:
            counts = counts_from_percentages(*answers, n=percent_of)
        elif any(value != int(value) or value < 0 for value in answers):
            raise ValueError("counts are whole numbers; for percentages say --percent-of N")
        else:
            counts = Counts(a=int(answers[0]), none=int(answers[1]), b=int(answers[2]))
            if counts.n < 2:
                raise ValueError("expected at least two judgements")
    except ValueError as error:
        raise UsageError(str(error)) from error
    _show([preference_from_counts([(first.strip(), second.strip(), counts)])], form)


def _by_sessions(
    ratings: Sequence[Rating], table: Path, sessions: Path | None
) -> SessionScreening | None:
    """Screened by their checks, where a table of sessions is given or lies beside the ratings."""
    from synbench_listening.analysis.screen_sessions import read_sessions, screen_sessions

    beside = table.with_name("sessions.csv")
    if sessions is None and not beside.is_file():
        return None
    return screen_sessions(ratings, read_sessions(sessions or beside))


def _tables(ratings: Sequence[Rating], options: Options, by: Any) -> list[ResultTable]:
    from synbench_listening.analysis.analyse_choices import analyse_abx, analyse_preference
    from synbench_listening.analysis.analyse_rated import analyse_rated
    from synbench_listening.analysis.comparisons import comparison_table

    tables: list[ResultTable] = []
    rated = {rating.test for rating in ratings} - {"abx", "ab"}
    for test in sorted({rating.test for rating in ratings}):
        mine = [rating for rating in ratings if rating.test == test]
        if test == "abx":
            tables += _each(mine, partial(analyse_abx, by=by, correction=options.correction))
        elif test == "ab":
            tables += _each(mine, partial(analyse_preference, correction=options.correction))
        elif test == "ccr" and not _with_reference(mine):
            tables += _each(
                mine, lambda part: [comparison_table(part, correction=options.correction)]
            )
        else:
            of_test = analyse_rated(test, mine, options)
            # Each table has a file of its own name.
            several = len(rated) > 1
            tables += [replace(t, name=f"{test}_{t.name}") if several else t for t in of_test]
    return tables


def _each(
    ratings: Sequence[Rating], analysed: Callable[[Sequence[Rating]], list[ResultTable]]
) -> list[ResultTable]:
    """The tables of the choices; where items were heard under several conditions, of each."""
    from synbench_listening.analysis.item_conditions import by_item_condition, file_name

    groups = by_item_condition(ratings)
    if len(groups) == 1:
        return analysed(ratings)
    return [
        replace(table, name=f"{file_name(name)}_{table.name}", title=f"{name}: {table.title}")
        for name, group in groups.items()
        for table in analysed(group)
    ]


def _noted(tables: list[ResultTable], notes: Sequence[str]) -> None:
    """Say below the first table that is shown what stood twice among the ratings."""
    first = next((index for index, table in enumerate(tables) if not table.detail), 0)
    if notes:
        tables[first] = replace(tables[first], notes=(*tables[first].notes, *notes))


def _with_reference(ratings: Sequence[Rating]) -> bool:
    """Whether all comparisons are with one and the same condition, as P.800 has them."""
    return len({rating.versus for rating in ratings}) == 1


def _show(tables: Sequence[ResultTable], form: Any) -> None:
    from synbench_listening.analysis.result_table import print_tables, render

    if form != "terminal":
        shown = [table for table in tables if not table.detail] if form != "json" else tables
        click.echo(render(shown, form), nl=False)
        return
    from synbench.console import OutputConsole

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    console = OutputConsole(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    print_tables(tables, console)


def _write(tables: Sequence[ResultTable], folder: Path, *, spreadsheet: bool) -> None:
    from synbench_base.files import write_bytes
    from synbench_listening.analysis.result_table import render, table_cells
    from synbench_listening.answers.spreadsheet import harmless_csv

    try:
        for table in tables if spreadsheet else ():
            copy = folder / "spreadsheet" / f"{table.name}.csv"
            write_bytes(copy, harmless_csv(*table_cells(table)))
        for table in tables:
            write_bytes(folder / f"{table.name}.csv", render([table], "csv").encode())
        shown = [table for table in tables if not table.detail]
        write_bytes(folder / "report.md", render(shown, "markdown").encode())
        write_bytes(folder / "report.tex", render(shown, "latex").encode())
        write_bytes(folder / "report.json", render(tables, "json").encode())
    except OSError as error:
        raise EnvironmentFault(f"cannot write to {folder}: {error.strerror}") from error


def _warn(text: str) -> None:
    click.secho(f"! {text}", fg="yellow", err=True)
