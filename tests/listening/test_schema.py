"""A study and its database as an earlier version left them: opened, gone on with, exported."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from test_server import exported

from synbench_listening.answers.ratings import read_ratings
from synbench_listening.design.study_folder import StudyFolder

pytest.importorskip("starlette")
pytest.importorskip("sqlalchemy")
from served import PostgresServer, ServerThread

OLD = Path(__file__).parent / "study_of_schema_1"


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    """One finished session, one of a Prolific listener in its second trial, one webMUSHRA body."""
    path = tmp_path / "study"
    path.mkdir()
    for name in ("study.json", "key.json"):
        shutil.copy(OLD / name, path / name)
    connection = sqlite3.connect(path / "answers.sqlite")
    connection.executescript((OLD / "answers.sql").read_text())
    connection.close()
    return StudyFolder(path)


@pytest.fixture
def running() -> Any:
    return json.loads((OLD / "running.json").read_text())


def test_sessions_go_on_where_they_were(folder: StudyFolder, running: Any, tmp_path: Path) -> None:
    server = ServerThread(folder)
    try:
        state = server.ask("GET", "/api/session", token=running["token"]).json
        assert (state["session"], state["next"]) == (running["session"], 3)
        # The repeat of a lost reply is still the same answer.
        reply = server.ask("PUT", "/api/trials/2", running["page_2"], token=running["token"])
        assert reply.status == 200
        (row,) = server.database.engine.raw_connection().cursor().execute(
            "SELECT value FROM setting WHERE name = 'schema'"
        )  # fmt: skip
        assert row == ("2",)
    finally:
        server.stop()
    sessions = exported(folder, tmp_path / "out", "--unfinished")
    assert [(s["state"], s["pages_answered"]) for s in sessions] == [
        ("finished", "4"), ("running", "3"), ("running", "0")
    ]  # fmt: skip
    ratings = read_ratings(tmp_path / "out" / "ratings.csv")
    assert len(ratings) == 12
    with sqlite3.connect(folder.path / "answers.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM collected").fetchone() == (1,)


def test_opening_twice_changes_nothing_more(folder: StudyFolder) -> None:
    from synbench_listening.server.database import Database

    dumps = []
    for _ in range(2):
        Database.of_file(folder.path / "answers.sqlite").close()
        with sqlite3.connect(folder.path / "answers.sqlite") as connection:
            dumps.append("\n".join(connection.iterdump()))
    assert dumps[0] == dumps[1]


@pytest.mark.slow
def test_postgresql_too() -> None:
    pytest.importorskip("psycopg", reason="no psycopg")
    import sqlalchemy

    from synbench_listening.server.database import Database

    started = PostgresServer.start()
    if started is None:
        pytest.skip("no PostgreSQL server on this machine: apt-get install postgresql")
    try:
        opened = Database(started.url)
        with opened.writing() as connection:
            for table, column in (("session", "listener"), ("session", "client")):
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
            connection.exec_driver_sql("ALTER TABLE clip DROP COLUMN fetched_ms")
            connection.exec_driver_sql("UPDATE setting SET value = '1' WHERE name = 'schema'")
        opened.close()
        Database(started.url).close()
        again = Database(started.url)
        names = {c["name"] for c in sqlalchemy.inspect(again.engine).get_columns("session")}
        assert {"listener", "client"} <= names
        again.close()
    finally:
        started.stop()
