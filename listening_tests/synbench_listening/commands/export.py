"""``synbench listen export``: what listeners answered, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from synbench.errors import EnvironmentFault
from synbench_listening.answers.csv_text import csv_bytes
from synbench_listening.commands.served_study import (
    STUDY,
    database_option,
    open_database,
    open_study,
)

WEBMUSHRA = "webmushra_ratings"
Table = tuple[list[str], list[list[Any]]]

__all__ = ["export"]


@click.command()
@click.argument("study", type=STUDY)
@database_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder to write to.",
)
@click.option("--unfinished", is_flag=True, help="Include unfinished sessions.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet", "json"]),
    default="csv",
    show_default=True,
    help="Format of the ratings; the other tables are CSV.",
)
@click.option(
    "--spreadsheet", is_flag=True, help="Also write copies that are safe to open in a spreadsheet."
)
def export(
    study: Path, database: str | None, out: Path, unfinished: bool, form: str, spreadsheet: bool
) -> None:
    """Write ratings, sessions, questionnaire and events of STUDY. Blindness ends here.

    sessions.csv says who is to be paid and whose answers are to be used; `screen` and `analyse`
    read it where it lies beside the ratings. What came from webMUSHRA's page, which anybody can
    send, is written apart.
    """
    from synbench_base.files import write_bytes
    from synbench_listening.answers.ratings import COLUMNS, encode_ratings, rating_cells
    from synbench_listening.answers.spreadsheet import harmless_csv
    from synbench_listening.server.export import export_study

    served = open_study(study)
    with open_database(database, study) as opened:
        exported = export_study(opened, served, unfinished=unfinished)
    rated = {"ratings": exported.ratings}
    if exported.collected.read:
        rated[WEBMUSHRA] = exported.collected.ratings
    tables = {
        "sessions": _table(exported.sessions),
        "questionnaire": _table(exported.questionnaire),
        "events": _table(exported.events),
    }
    try:
        for name, ratings in rated.items():
            write_bytes(out / f"{name}.{form}", encode_ratings(ratings, f".{form}"))
        for name, (header, rows) in tables.items():
            write_bytes(out / f"{name}.csv", csv_bytes(header, rows))
        if spreadsheet:
            tables |= {name: (list(COLUMNS), rating_cells(r)) for name, r in rated.items()}
            for name, (header, rows) in tables.items():
                write_bytes(out / "spreadsheet" / f"{name}.csv", harmless_csv(header, rows))
    except OSError as error:
        raise EnvironmentFault(f"cannot write to {out}: {error.strerror}") from error
    listeners = len({rating.listener for rating in exported.ratings})
    click.echo(f"{out}: {len(exported.ratings)} ratings of {listeners} listeners")
    unused = sum(row["state"] == "finished" and row["use"] == "no" for row in exported.sessions)
    for count, text in (
        (exported.left_out, "sessions left out, not finished (or withdrawn)"),
        (exported.other_version, "sessions of another version of the study left out"),
        (unused, "finished sessions failed a check: see the column reasons of sessions.csv"),
        (sum(rating.simulated for rating in exported.ratings), "ratings are SIMULATED"),
        (
            len(exported.collected.ratings),
            f"ratings from webMUSHRA's page, which has no token: apart, in {WEBMUSHRA}.{form}",
        ),
        (len(exported.collected.refusals), "answers from webMUSHRA refused"),
    ):
        if count:
            click.echo(f"! {count} {text}", err=True)
    wanted = served.key.design.get("minimum_listeners") or 0
    if listeners < wanted:
        click.echo(f"! the design asks for at least {wanted} listeners", err=True)
    click.echo(f"Next: synbench listen analyse {out / f'ratings.{form}'}")


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    return list(rows[0]) if rows else [], [list(row.values()) for row in rows]
