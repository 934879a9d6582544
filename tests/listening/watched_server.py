"""A real server, and what it has in its database so far, for tests that drive a browser."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from served import ServerProcess, ServerThread

from synbench_listening.answers.submission import Submission
from synbench_listening.design.session_plan import SessionPlan
from synbench_listening.design.study_folder import StudyFolder

LATEST = "FROM session WHERE id = (SELECT max(id) FROM session)"


@dataclass(frozen=True)
class StoredEvent:
    type: str
    data: dict[str, Any]


class WatchedServer:
    """Looks into the database of a server without asking it; at the latest session of all."""

    def __init__(self, folder: StudyFolder, *, process: bool = False, lab: bool = False) -> None:
        self.folder, self.key, self.public = folder, folder.key(), folder.public()
        self.server = ServerProcess(folder.path) if process else ServerThread(folder, lab=lab)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def sessions(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT code FROM session WHERE state != 'withdrawn'")]

    @property
    def listeners(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT listener FROM session ORDER BY id")]

    @property
    def session(self) -> WatchedServer:
        return self

    @property
    def state(self) -> str:
        return str(self._one(f"SELECT state {LATEST}"))

    @property
    def block(self) -> str:
        return str(self._one(f"SELECT block {LATEST}"))

    @property
    def plan(self) -> SessionPlan:
        return SessionPlan.model_validate_json(self._one(f"SELECT plan {LATEST}"))

    @property
    def answers(self) -> dict[int, Submission]:
        """The last accepted answer of every page."""
        rows = self._rows(
            "SELECT page, uuid, revision, client_ms, payload FROM answer "
            "WHERE session = (SELECT max(id) FROM session) ORDER BY id"
        )
        submissions = {}
        for page, uuid, revision, client_ms, payload in rows:
            values = {"uuid": uuid, "revision": revision, "client_ms": client_ms}
            values["answer"] = json.loads(payload)
            submissions[page] = TypeAdapter(Submission).validate_python(values)
        return submissions

    @property
    def events(self) -> list[StoredEvent]:
        rows = self._rows(
            "SELECT type, data FROM event "
            "WHERE session = (SELECT max(id) FROM session) ORDER BY t_ms, id"
        )
        return [StoredEvent(kind, json.loads(data)) for kind, data in rows]

    def count(self, table: str) -> int:
        return int(self._one(f"SELECT count(*) FROM {table}"))

    def stop(self) -> None:
        if isinstance(self.server, ServerProcess):
            self.server.kill()
        else:
            self.server.stop()

    def _one(self, query: str) -> Any:
        ((value,),) = self._rows(query)
        return value

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        path = self.folder.path / "answers.sqlite"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
