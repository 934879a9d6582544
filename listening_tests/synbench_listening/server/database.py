"""The tables of the server, on SQLite (write-ahead log) or PostgreSQL, and its transactions.

Answers are only ever added: a correction is a further row with a higher revision. Identities of
crowd platforms lie in a table of their own, hashed with a salt, so that they can be deleted alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.types import BigInteger

from synbench.errors import EnvironmentFault, UsageError
from synbench_base.packages import install

SCHEMA = "2"
# A writer waits so long for its turn before it gives up.
BUSY_MS = 30_000

__all__ = ["Database", "answers", "audit", "checks", "clips", "collected", "events"]
__all__ += ["platform_ids", "sessions", "settings", "studies"]

metadata = MetaData()
# SQLite counts rows up by itself for this type alone.
_Id = BigInteger().with_variant(Integer, "sqlite")

settings = Table(
    "setting", metadata, Column("name", String(40), primary_key=True), Column("value", Text)
)
studies = Table(
    "study",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("paused", Boolean, nullable=False, default=False),
)
sessions = Table(
    "session",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("code", String(20), nullable=False, unique=True),
    Column("study", ForeignKey("study.name"), nullable=False),
    Column("version", String(64), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("request_hash", String(64), nullable=False, unique=True),
    Column("block", String(40), nullable=False),
    Column("language", String(10), nullable=False),
    Column("consent", String(64)),
    Column("state", String(12), nullable=False),
    Column("plan", Text, nullable=False),
    Column("simulated", Boolean, nullable=False, default=False),
    Column("listener", String(40)),
    Column("client", Text),
    Column("begun_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger),
    Index("session_study", "study", "state"),
)
platform_ids = Table(
    "platform_id",
    metadata,
    Column("session", ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("hash", String(64), nullable=False, index=True),
)
clips = Table(
    "clip",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("session", ForeignKey("session.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("stimulus", String(64), nullable=False),
    Column("fetched", Integer, nullable=False, default=0),
    Column("fetched_ms", BigInteger),
)
answers = Table(
    "answer",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("session", ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    Column("page", Integer, nullable=False),
    Column("uuid", String(36), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("payload", Text, nullable=False),
    Column("client_ms", BigInteger, nullable=False),
    Column("server_ms", BigInteger, nullable=False),
    UniqueConstraint("session", "page", "uuid"),
)
events = Table(
    "event",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("session", ForeignKey("session.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("n", Integer, nullable=False),
    Column("t_ms", BigInteger, nullable=False),
    Column("type", String(40), nullable=False),
    Column("data", Text, nullable=False),
    Column("server_ms", BigInteger, nullable=False),
)
checks = Table(
    "check_result",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("session", ForeignKey("session.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("page", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("server_ms", BigInteger, nullable=False),
)
collected = Table(
    "collected",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("study", ForeignKey("study.name"), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("server_ms", BigInteger, nullable=False),
    UniqueConstraint("study", "digest"),
)
audit = Table(
    "audit",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("server_ms", BigInteger, nullable=False),
    Column("what", String(40), nullable=False),
    Column("detail", Text, nullable=False),
)


class Database:
    """An engine with its tables made, and transactions that serialise writers."""

    def __init__(self, url: str) -> None:
        """Open, and make the tables where there are none.

        Args:
            url: of SQLAlchemy, such as ``sqlite:////path/file.sqlite`` or
                ``postgresql+psycopg://user@host/name``.

        Raises:
            UsageError: no such kind of database, or one of another version of synbench.
            EnvironmentFault: it cannot be reached or written.
        """
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() not in ("sqlite", "postgresql", "postgres"):
                raise ArgumentError(f"{parsed.get_backend_name()} is not supported")
            if parsed.drivername in ("postgresql", "postgres"):
                parsed = parsed.set(drivername="postgresql+psycopg")
            self.engine = _engine(parsed)
        except (ArgumentError, NoSuchModuleError) as error:
            raise UsageError(
                f"no database URL: {error}; expected sqlite:///FILE or postgresql://..."
            ) from error
        except ModuleNotFoundError as error:
            raise EnvironmentFault(
                f"{error.name} is missing; type: {install('listening')}"
            ) from error
        try:
            with self.writing() as connection:
                metadata.create_all(connection)
                _first_settings(connection)
                _migrate(connection)
                schema = _setting(connection, "schema")
                self.salt = _setting(connection, "salt")
        except IntegrityError:
            # Another process has just made the first settings.
            with self.reading() as connection:
                schema, self.salt = _setting(connection, "schema"), _setting(connection, "salt")
        except DBAPIError as error:
            url = self.engine.url.render_as_string(hide_password=True)
            raise EnvironmentFault(f"cannot use the database {url}: {error.orig}") from error
        if schema != SCHEMA:
            raise UsageError(f"the database has tables of version {schema}, expected {SCHEMA}")

    @classmethod
    def of_file(cls, path: Path) -> Database:
        """SQLite in a file."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(f"cannot make {path.parent}: {error.strerror}") from error
        return cls(f"sqlite:///{path}")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, on disk at the end; undone after an error."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view; nothing is written."""
        with self.engine.connect().execution_options(read_only=True) as connection:
            yield connection

    def forget(self) -> None:
        """Bring deletions into SQLite's file, where they overwrite, and empty its log."""
        if self.engine.dialect.name == "sqlite":
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _engine(url: Any) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # The driver's own idea of transactions is turned off: ``begin`` below is the only one.
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
            f"busy_timeout = {BUSY_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The write lock at once: a reader that turns writer would fail where another wrote.
        reads = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _first_settings(connection: Connection) -> None:
    if connection.scalar(select(settings.c.value).where(settings.c.name == "schema")) is None:
        rows = [
            {"name": "schema", "value": SCHEMA},
            {"name": "salt", "value": secrets.token_hex(32)},
        ]
        connection.execute(insert(settings), rows)


def _migrate(connection: Connection) -> None:
    """Bring the tables of an earlier version to this one; nothing is taken away.

    1 to 2: what the browser said of itself, the listener's number, when a clip was first fetched.
    """
    if _setting(connection, "schema") != "1":
        return
    for table, column in (
        (sessions, sessions.c.listener),
        (sessions, sessions.c.client),
        (clips, clips.c.fetched_ms),
    ):
        kind = column.type.compile(connection.dialect)
        preparer = connection.dialect.identifier_preparer
        column_name = f"{preparer.format_table(table)} ADD COLUMN {preparer.format_column(column)}"
        connection.exec_driver_sql(f"ALTER TABLE {column_name} {kind}")
    connection.execute(update(settings).where(settings.c.name == "schema").values(value=SCHEMA))


def _setting(connection: Connection, name: str) -> str:
    return str(connection.scalar(select(settings.c.value).where(settings.c.name == name)))
