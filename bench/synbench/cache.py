"""What is remembered about audio files in the user's cache folder.

Everything in it can be deleted at any time: a cache that is corrupt, locked or cannot be written
costs time, never a run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from synbench.errors import EnvironmentFault
from synbench_base.cache import cache_folder, locked
from synbench_base.files import temporary_beside

# A file changed so recently may change again within the same tick of the file system's clock.
SETTLED_SECONDS = 2.0
BUSY_SECONDS = 5.0
# SQLite takes 999 parameters in its older versions.
PATHS_AT_ONCE = 500
STAMP_COLUMNS = 5

__all__ = [
    "AudioFacts",
    "Measurements",
    "Stamp",
    "build_once",
    "cache_folder",
    "is_settled",
    "locked",
    "stamp",
]


class Stamp(NamedTuple):
    """What tells that a file is still the same one: absolute path, bytes, nanoseconds.

    A file that replaced another has another inode, and the system sets the time of the last change
    (ctime) whatever time of modification a program restores.
    """

    path: bytes
    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int


class AudioFacts(NamedTuple):
    """What reading a file told: digest, seconds, Hz, channels, and why it cannot be used."""

    sha256: str
    seconds: float
    sample_rate: int
    channels: int
    problem: str


def stamp(path: Path) -> Stamp | None:
    """The stamp of a file, or None where there is no such file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a large corpus has many files, and this is quicker
    except OSError:
        return None
    text = str(path)
    name = os.fsencode(text if text.startswith(os.sep) else path.absolute())
    return Stamp(name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)


def is_settled(one: Stamp, now_ns: int) -> bool:
    """Whether a stamp tells a file from any other; ``now_ns`` is the time by this machine's clock.

    Where a file system numbers no files, nothing but the content tells them apart.
    """
    return one.mtime_ns < now_ns - int(SETTLED_SECONDS * 1e9) and bool(one.inode)


def _row(one: Stamp) -> tuple[bytes | int | str, ...]:
    # SQLite's integers are signed, and some file systems use all 64 bits of an inode.
    path, size, mtime_ns, inode, ctime_ns = one
    return (path, size, mtime_ns, str(inode), ctime_ns)


class Measurements:
    """Stamps to measurements in a small SQLite file; use as a context manager.

    Another version of soundfile may decode MP3 and Opus differently, so it is part of the key.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = (folder or cache_folder()) / "measurements-2.sqlite3"
        self._decoder = version("soundfile")
        self._database = self._open()

    def __enter__(self) -> Measurements:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database is not None:
            self._database.close()

    def _open(self) -> sqlite3.Connection | None:
        database = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS measured (path BLOB PRIMARY KEY, size INTEGER,"
                " mtime_ns INTEGER, inode TEXT, ctime_ns INTEGER, decoder TEXT, sha256 TEXT,"
                " seconds REAL, sample_rate INTEGER, channels INTEGER, problem TEXT) WITHOUT ROWID"
            )
            database.execute(
                "CREATE TABLE IF NOT EXISTS contents (digest TEXT, id TEXT, sha256 TEXT,"
                " PRIMARY KEY (digest, id)) WITHOUT ROWID"
            )
        except (sqlite3.Error, OSError) as error:
            if database is not None:
                database.close()
            # A locked or read-only file raises a subclass: that one is left alone.
            return self._open_afresh() if type(error) is sqlite3.DatabaseError else None
        return database

    def _open_afresh(self) -> sqlite3.Connection | None:
        """Start over where the file is no database."""
        try:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except OSError:
            return None
        return self._open()

    def get(self, stamps: Iterable[Stamp]) -> dict[Stamp, AudioFacts]:
        """What is remembered about these files; the others are simply absent."""
        facts: dict[Stamp, AudioFacts] = {}
        if self._database is None:
            return facts
        wanted = iter(stamps)
        with contextlib.suppress(sqlite3.Error):
            while some := {_row(one): one for one in islice(wanted, PATHS_AT_ONCE)}:
                query = (
                    "SELECT path, size, mtime_ns, inode, ctime_ns,"
                    " sha256, seconds, sample_rate, channels, problem FROM measured"
                    f" WHERE decoder=? AND path IN ({','.join('?' * len(some))})"
                )
                paths = [one.path for one in some.values()]
                for row in self._database.execute(query, (self._decoder, *paths)):
                    known = some.get(row[:STAMP_COLUMNS])
                    if known is not None:
                        facts[known] = AudioFacts(*row[STAMP_COLUMNS:])
        return facts

    def put(self, measured: dict[Stamp, AudioFacts]) -> None:
        """Remember files, except those that changed a moment ago."""
        now_ns = time.time_ns()
        rows = [
            (*_row(one), self._decoder, *what)
            for one, what in measured.items()
            if is_settled(one, now_ns)
        ]
        self._write("INSERT OR REPLACE INTO measured VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)

    def contents(self, digest: str) -> dict[str, str]:
        """Item id to sha256 of a corpus seen before; empty when it never was."""
        if self._database is None:
            return {}
        with contextlib.suppress(sqlite3.Error):
            query = "SELECT id, sha256 FROM contents WHERE digest=?"
            return dict(self._database.execute(query, (digest,)).fetchall())
        return {}

    def knows(self, digest: str) -> bool:
        """Whether a corpus with this digest was seen before."""
        if self._database is None:
            return False
        with contextlib.suppress(sqlite3.Error):
            query = "SELECT 1 FROM contents WHERE digest=? LIMIT 1"
            return self._database.execute(query, (digest,)).fetchone() is not None
        return False

    def put_contents(self, digest: str, items: dict[str, str]) -> None:
        """Remember what a digest stood for, so that a later mismatch can be explained."""
        rows = [(digest, *pair) for pair in items.items()]
        self._write("INSERT OR IGNORE INTO contents VALUES (?,?,?)", rows)

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if self._database is None or not rows:
            return
        with contextlib.suppress(sqlite3.Error, UnicodeError):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.executemany(statement, rows)
            finally:
                self._database.execute("COMMIT")


def build_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Make ``folder`` with ``build``, once: half a folder never carries the final name.

    Raises:
        EnvironmentFault: the place cannot be written.
    """
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f".{folder.name}.lock")):
            if not folder.is_dir():
                _build_and_rename(folder, build)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot make {folder}: {error}; expected a folder that can be written, "
            f"choose one with SYNBENCH_CACHE=/some/folder"
        ) from error
    return folder


def _build_and_rename(folder: Path, build: Callable[[Path], None]) -> None:
    temporary = temporary_beside(folder)
    temporary.mkdir()
    try:
        build(temporary)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
