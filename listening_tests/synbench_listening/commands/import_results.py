"""``synbench listen import``."""

from __future__ import annotations

from pathlib import Path

import click

from synbench.errors import UsageError

SHOWN_LINES = 10

__all__ = ["assignments", "import_results"]


def assignments(
    context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """``A=B`` options as a dictionary."""
    assigned = {}
    for value in values:
        name, sign, rest = value.partition("=")
        if not sign or not name or not rest:
            raise click.BadParameter(f"expected NAME=VALUE, got {value!r}")
        assigned[name] = rest
    return assigned


@click.command("import")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Table to write: .csv, .parquet or .json.",
)
@click.option("--listener", metavar="COLUMN", help="Questionnaire column that names the listener.")
@click.option(
    "--item",
    "pattern",
    metavar="REGEX",
    help="Regular expression over the whole name; its first group is the item.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    callback=assignments,
    metavar="WHAT=NAME",
    help="Plain tables: the column that holds listener, item, condition, score or study.",
)
@click.option(
    "--test",
    default="mushra",
    show_default=True,
    type=click.Choice(["mushra", "bs1116", "acr", "dcr", "ccr", "likert"]),
    help="Plain tables: the kind of test.",
)
@click.option(
    "--study",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The study that offline or webMUSHRA results belong to.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    callback=assignments,
    metavar="OLD=NEW",
    help="XML sessions: rename a condition.",
)
def import_results(
    sources: tuple[Path, ...],
    out: Path,
    listener: str | None,
    pattern: str | None,
    columns: dict[str, str],
    test: str,
    names: dict[str, str],
    study: Path | None,
) -> None:
    """Import results into one table with one row per answer, and report how rows were read.

    SOURCES are files or folders of webMUSHRA (CSV, session JSON, raw bodies), pymushra (CSV,
    TinyDB), the MUSHRA application of Netflix (XML), plain tables, tables with lists, or synbench.
    """
    from synbench_base.outputs import is_standard_output
    from synbench_listening.answers.ratings import write_ratings
    from synbench_listening.design.study_folder import StudyFolder
    from synbench_listening.importers.offline_session import is_result_file, read_offline_sessions
    from synbench_listening.importers.read_any import item_from_pattern, once, read_any
    from synbench_listening.importers.report import Imported
    from synbench_listening.importers.webmushra_key import unblind_webmushra

    done = Imported()
    if study is not None:
        files = [source for source in sources if is_result_file(source)]
        done = read_offline_sessions(files, StudyFolder(study))
        sources = tuple(source for source in sources if source not in files)
    for source in sources:
        imported = read_any(source, listener=listener, columns=columns, test=test, names=names)
        done.extend(imported if study is None else unblind_webmushra(imported, StudyFolder(study)))
    # The same session may stand in several sources.
    done = once(done)
    if pattern is not None:
        done.ratings = item_from_pattern(done.ratings, pattern)
    own = not is_standard_output(out)
    click.echo(
        f"read {done.read} rows, kept {len(done.ratings)} ratings, refused {len(done.refusals)}",
        err=not own,
    )
    for note in done.notes:
        click.echo(f"  note: {note}", err=True)
    for refusal in done.refusals[:SHOWN_LINES]:
        row = f", row {refusal.row}" if refusal.row else ""
        click.echo(f"  refused: {refusal.source}{row}: {refusal.reason}", err=True)
    if len(done.refusals) > SHOWN_LINES:
        click.echo(f"  refused: and {len(done.refusals) - SHOWN_LINES} more", err=True)
    if not done.ratings:
        raise UsageError("nothing could be read as a rating; nothing was written")
    write_ratings(out, done.ratings)
    listeners = len({rating.listener for rating in done.ratings})
    if own:
        click.echo(f"{out}: {listeners} listeners. Next: synbench listen analyse {out}")
