"""What the commands around a served study have in common: its argument and its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synbench.errors import EnvironmentFault
from synbench_base.packages import install

if TYPE_CHECKING:
    from synbench_listening.server.database import Database
    from synbench_listening.server.sessions import ServedStudy

DATABASE_VARIABLE = "SYNBENCH_LISTEN_DATABASE"
STUDY = click.Path(exists=True, file_okay=False, path_type=Path)

database_option = click.option(
    "--database",
    envvar=DATABASE_VARIABLE,
    metavar="URL",
    help="SQLAlchemy URL, such as postgresql://host/name [default: STUDY/answers.sqlite].",
)

__all__ = ["STUDY", "database_option", "open_database", "open_study"]


def open_study(folder: Path) -> ServedStudy:
    """Read a built study, key and all."""
    from synbench_listening.design.study_folder import StudyFolder
    from synbench_listening.server.sessions import ServedStudy

    return ServedStudy.of(StudyFolder(folder))


@contextmanager
def open_database(url: str | None, study: Path) -> Iterator[Database]:
    """The database of that URL, or the file in the study's folder; closed at the end."""
    try:
        from synbench_listening.server.database import Database
    except ModuleNotFoundError as error:
        raise EnvironmentFault(f"{error.name} is missing; type: {install('listening')}") from error
    opened = Database(url) if url else Database.of_file((study / "answers.sqlite").absolute())
    try:
        yield opened
    finally:
        opened.close()
