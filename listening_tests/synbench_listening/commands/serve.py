"""``synbench listen serve``, and what the experimenter does to a served study."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synbench.errors import EnvironmentFault, UsageError
from synbench_listening.answers.csv_text import csv_bytes

if TYPE_CHECKING:
    from synbench_listening.server.database import Database
    from synbench_listening.server.sessions import ServedStudy

PASSWORD_VARIABLE = "SYNBENCH_LISTEN_PASSWORD"
DATABASE_VARIABLE = "SYNBENCH_LISTEN_DATABASE"
STUDY = click.Path(exists=True, file_okay=False, path_type=Path)
# Columns that a listener can write into.
FREE_TEXT = ("comment", "value", "data")

database_option = click.option(
    "--database",
    envvar=DATABASE_VARIABLE,
    metavar="URL",
    help="SQLAlchemy URL, such as postgresql://host/name [default: STUDY/answers.sqlite].",
)

__all__ = ["export", "pause", "progress", "purge", "serve"]


@click.command()
@click.argument("studies", nargs=-1, required=True, type=STUDY)
@database_option
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
def serve(studies: tuple[Path, ...], database: str | None, host: str, port: int) -> None:
    """Serve STUDIES, built folders, until interrupted. Every answer is on disk once it is accepted.

    For listeners outside this machine put a proxy with TLS in front. The progress page asks for a
    password: $SYNBENCH_LISTEN_PASSWORD, or one that is made up and printed.
    """
    try:
        import uvicorn

        from synbench_listening.server.app import make_app
        from synbench_listening.server.sessions import Service
    except ModuleNotFoundError as error:
        raise EnvironmentFault(
            f"{error.name} is missing; pip install 'synbench[listening]'"
        ) from error
    served = [_study(folder) for folder in studies]
    names = [study.public.name for study in served]
    if len(set(names)) < len(names):
        raise UsageError(f"two studies of one name: {', '.join(names)}")
    if len(studies) > 1 and not database:
        raise UsageError("several studies need a database of their own: say --database URL")
    for study in served:
        check_clips(study)
    given = os.environ.get(PASSWORD_VARIABLE)
    password = given or secrets.token_urlsafe(12)
    with _database(database, studies[0]) as opened, _socket(host, port) as bound:
        app = make_app(Service(opened, served), admin_password=password)
        shown = f"http://{host}:{bound.getsockname()[1]}"
        for name in names:
            click.echo(f"Listeners  {shown}/s/{name}")
        how = f"from ${PASSWORD_VARIABLE}" if given else password
        click.echo(f"Progress   {shown}/admin   (any name, password {how})")
        click.echo(f"Answers    {opened.engine.url.render_as_string(hide_password=True)}")
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            h11_max_incomplete_event_size=16_384,
        )
        uvicorn.Server(config).run(sockets=[bound])


@click.command()
@click.argument("study", type=STUDY)
@database_option
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder."
)
@click.option("--unfinished", is_flag=True, help="Also sessions that were not finished.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet", "json"]),
    default="csv",
    show_default=True,
    help="Of the ratings; the other tables are CSV.",
)
@click.option("--spreadsheet", is_flag=True, help="Also copies that are safe in a spreadsheet.")
def export(
    study: Path, database: str | None, out: Path, unfinished: bool, form: str, spreadsheet: bool
) -> None:
    """Write ratings, sessions, questionnaire and events of STUDY. Blindness ends here."""
    from synbench.files import write_bytes
    from synbench_listening.answers.ratings import encode_ratings
    from synbench_listening.server.export import export_study

    with _database(database, study) as opened:
        found = export_study(opened, _study(study), unfinished=unfinished)
    ratings = [*found.ratings, *found.collected.ratings]
    files = {
        f"ratings.{form}": encode_ratings(ratings, f".{form}"),
        "sessions.csv": _csv(found.sessions),
        "questionnaire.csv": _csv(found.questionnaire),
        "events.csv": _csv(found.events),
    }
    try:
        for name, data in files.items():
            write_bytes(out / name, data)
        if spreadsheet:
            _write_harmless(
                out / "spreadsheet", files | {"ratings.csv": encode_ratings(ratings, ".csv")}
            )
    except OSError as error:
        raise EnvironmentFault(f"cannot write to {out}: {error.strerror}") from error
    listeners = len({rating.listener for rating in ratings})
    click.echo(f"{out}: {len(ratings)} ratings of {listeners} listeners")
    for count, text in (
        (found.left_out, "sessions left out, not finished (or withdrawn)"),
        (found.other_version, "sessions of another version of the study left out"),
        (sum(rating.simulated for rating in ratings), "ratings are SIMULATED"),
        (len(found.collected.refusals), "answers from webMUSHRA refused"),
    ):
        if count:
            click.echo(f"! {count} {text}", err=True)
    click.echo(f"Next: synbench listen analyse {out / f'ratings.{form}'}")


@click.command()
@click.argument("study", type=STUDY)
@database_option
def progress(study: Path, database: str | None) -> None:
    """Say how many listeners are through, per block; no scores are shown."""
    from synbench_listening.server import progress as counted

    with _database(database, study) as opened:
        found = counted.progress(opened, _study(study))
    click.echo(f"{found.name}{' (paused)' if found.paused else ''}")
    click.echo("  ".join(f"{count} {state}" for state, count in found.states.items()))
    for kind, count in found.failed_checks.items():
        click.echo(f"{count} {kind} checks failed")
    if found.simulated:
        click.echo(f"! {found.simulated} of these sessions are SIMULATED")
    click.echo(f"{'block':<10}{'finished':>10}{'running':>10}")
    for block, (finished, running) in found.blocks.items():
        click.echo(f"{block:<10}{finished:>10}{running:>10}")


@click.command()
@click.argument("study", type=STUDY)
@database_option
@click.option("--resume", is_flag=True, help="Let listeners begin again.")
def pause(study: Path, database: str | None, resume: bool) -> None:
    """Let nobody begin any more; who has begun can finish."""
    from synbench_listening.server.purge import set_paused

    served = _study(study)
    with _database(database, study) as opened:
        set_paused(opened, served.public.name, not resume)
    click.echo(f"{served.public.name} is {'open' if resume else 'paused'}")


@click.command()
@click.argument("study", type=STUDY)
@database_option
@click.option("--session", "code", metavar="CODE", help="One listener's code, such as L-ABCDEFGH.")
@click.option("--platform-ids", is_flag=True, help="The hashed identities of crowd platforms.")
@click.option("--everything", is_flag=True, help="All sessions and answers of the study.")
@click.option("--simulated", is_flag=True, help="All simulated sessions.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(
    study: Path,
    database: str | None,
    code: str | None,
    platform_ids: bool,
    everything: bool,
    simulated: bool,
    yes: bool,
) -> None:
    """Delete answers or identities from the database for good."""
    from synbench_listening.server import purge as purging

    name = _study(study).public.name
    chosen: list[Callable[[Database], str]] = []
    if code:
        chosen.append(lambda opened: f"{purging.purge_session(opened, name, code)} session")
    if platform_ids:
        chosen.append(lambda opened: f"{purging.purge_platform_ids(opened, name)} identities")
    if simulated:
        chosen.append(lambda opened: f"{purging.purge_simulated(opened, name)} simulated sessions")
    if everything:
        chosen.append(lambda opened: f"{purging.purge_study(opened, name)} sessions")
    if len(chosen) != 1:
        raise UsageError("say one of --session CODE, --platform-ids, --simulated, --everything")
    if not yes:
        click.confirm(f"Delete from {name} for good?", abort=True)
    with _database(database, study) as opened:
        click.echo(f"deleted {chosen[0](opened)}")
        opened.forget()


def check_clips(study: ServedStudy) -> None:
    """Compare every file with the digest in the key, before any listener gets it.

    Raises:
        UsageError: a file is missing or altered.
    """
    import hashlib

    for stimulus in study.key.stimuli.values():
        path = study.folder.clip_path(stimulus)
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise UsageError(
                f"a clip of the study cannot be read: {error}; build it again"
            ) from error
        if digest != stimulus.sha256:
            raise UsageError(f"{path} was altered after the build: build the study again")


def _study(folder: Path) -> ServedStudy:
    from synbench_listening.design.study_folder import StudyFolder
    from synbench_listening.server.sessions import ServedStudy

    return ServedStudy.of(StudyFolder(folder))


@contextmanager
def _database(url: str | None, study: Path) -> Iterator[Database]:
    try:
        from synbench_listening.server.database import Database
    except ModuleNotFoundError as error:
        raise EnvironmentFault(
            f"{error.name} is missing; pip install 'synbench[listening]'"
        ) from error
    opened = Database(url) if url else Database.of_file((study / "answers.sqlite").absolute())
    try:
        yield opened
    finally:
        opened.close()


def _socket(host: str, port: int) -> Any:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}; try --port 0"
        ) from error
    return bound


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    return csv_bytes(list(rows[0]) if rows else [], [list(row.values()) for row in rows])


def _write_harmless(folder: Path, files: dict[str, bytes]) -> None:
    from synbench.files import write_bytes
    from synbench_listening.answers.spreadsheet import harmless_csv

    for name, data in files.items():
        if name.endswith(".csv"):
            write_bytes(folder / name, harmless_csv(data, free_text=FREE_TEXT))
