"""A server process of its own for tests, which can be killed and started again."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import uvicorn

from synbench_listening.design.study_folder import StudyFolder

PASSWORD = "known to the test"


@dataclass
class Reply:
    status: int
    body: bytes
    headers: Message

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Asker:
    """Sends requests to a port of the loopback."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str = "",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if token:
            request.add_header("X-Session-Token", token)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return Reply(reply.status, reply.read(), reply.headers)
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.read(), error.headers)


class ServerThread(Asker):
    """The same application in this process: starts at once, and cannot be killed."""

    def __init__(self, *folders: StudyFolder, lab: bool = False, **options: Any) -> None:
        from synbench_listening.server.app import make_app
        from synbench_listening.server.database import Database
        from synbench_listening.server.sessions import ServedStudy, Service

        self.databases = [Database.of_file(f.path / "answers.sqlite") for f in folders]
        self.database = self.databases[0]
        services = [
            Service(database, [ServedStudy.of(folder)], lab=lab)
            for database, folder in zip(self.databases, folders, strict=True)
        ]
        app = make_app(services, admin_password=PASSWORD, **options)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        )
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True
        )
        self.thread.start()
        while not self.server.started:
            time.sleep(0.005)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(30)
        self.socket.close()
        for database in self.databases:
            database.close()


class ServerProcess(Asker):
    """``synbench listen serve`` on a port of the loopback."""

    def __init__(self, study: Path, *, database: str | None = None, port: int = 0) -> None:
        self.study, self.database, self.port = study, database, port
        self.process: subprocess.Popen[str] | None = None
        self.printed = ""
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "synbench", "listen", "serve", str(self.study)]
        command += ["--port", str(self.port)]
        command += ["--database", self.database] if self.database else []
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"SYNBENCH_LISTEN_PASSWORD": PASSWORD, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        if "/s/" not in first:
            raise AssertionError(first + self.process.stdout.read())
        self.printed = first
        self.port = int(first.split("/s/")[0].rsplit(":", 1)[1])
        deadline = time.monotonic() + 30
        while True:
            try:
                assert self.ask("GET", "/healthz").status == 200
                return
            except OSError:
                assert time.monotonic() < deadline, "the server did not come up"
                time.sleep(0.05)

    def kill(self) -> None:
        """As a crash would: nothing can be written on the way out."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@dataclass
class PostgresServer:
    """A PostgreSQL server with an empty database, run by another user than root."""

    folder: Path
    process: subprocess.Popen[bytes]
    url: str

    @classmethod
    def start(cls) -> PostgresServer | None:
        """``None`` where PostgreSQL is not installed."""
        initdb = _postgres_program("initdb")
        postgres = _postgres_program("postgres")
        if initdb is None or postgres is None:
            return None
        user = _other_user()
        folder = Path(tempfile.mkdtemp(prefix="synbench-postgres-"))
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        rest: dict[str, Any] = {"cwd": folder, "user": user, "stdout": subprocess.DEVNULL}
        rest |= {"stderr": subprocess.DEVNULL}
        command = [initdb, "-D", str(data), "-A", "trust", "-U", "tester", "--no-sync"]
        subprocess.run(command, check=True, **rest)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
        process = subprocess.Popen([postgres, "-D", str(data), *options], **rest)
        url = f"postgresql://tester@127.0.0.1:{port}/postgres"
        _wait_for(url)
        return cls(folder, process, url)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def _postgres_program(name: str) -> str | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    candidates = (shutil.which(name, path=str(folder)) for folder in folders)
    return next((path for path in candidates if path), None) or shutil.which(name)


def _other_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _wait_for(url: str) -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "PostgreSQL did not come up"
            time.sleep(0.2)
