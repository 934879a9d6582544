"""The protocol of the page in memory, for browser tests: all checks, no database."""

from __future__ import annotations

import json
import secrets
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import ValidationError

from synbench_listening.answers import Submission, find_problems, is_right
from synbench_listening.folder import StudyFolder
from synbench_listening.page import (
    CONTENT_SECURITY_POLICY,
    STATIC_FILES,
    render_page,
    static_file,
)
from synbench_listening.plan import Plan, SessionState, plan_session
from synbench_listening.protocol import TOKEN_HEADER, EventBatch, SaveReply, SessionRequest


@dataclass
class StubSession:
    block: str
    plan: Plan
    stimulus_of: dict[str, str]
    language: str
    platform: dict[str, str]
    state: Any = "running"
    answers: dict[int, Submission] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)


class StubServer(ThreadingHTTPServer):
    """Serves one study on a free port of the loopback."""

    daemon_threads = True

    def __init__(self, folder: StudyFolder) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.key, self.public = folder, folder.key(), folder.public()
        self.sessions: dict[str, StubSession] = {}
        self.log: list[tuple[str, str, int, bytes]] = []
        self.fail_saves = 0
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def session(self) -> StubSession:
        (session,) = self.sessions.values()
        return session


class _Handler(BaseHTTPRequestHandler):
    server: StubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/s/"):
            return self._send(200, render_page(self.server.public).encode(), "text/html")
        name = path.removeprefix("/static/")
        if name in STATIC_FILES:
            return self._send(200, static_file(name), STATIC_FILES[name])
        session = self._session()
        if session is None:
            return None
        if path == "/api/session":
            return self._model(200, self._state(session))
        stimulus = session.stimulus_of.get(path.removeprefix("/api/clip/"))
        if stimulus is None:
            return self._problem(404, "no_clip")
        data = self.server.folder.clip_path(self.server.key.stimuli[stimulus]).read_bytes()
        return self._send(200, data, "audio/wav")

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/api/sessions":
            request = SessionRequest.model_validate_json(body)
            block = self.server.key.blocks[len(self.server.sessions) % len(self.server.key.blocks)]
            plan, stimulus_of = plan_session(self.server.key, block)
            token = secrets.token_hex(32)
            session = StubSession(block.name, plan, stimulus_of, request.language, request.platform)
            self.server.sessions[token] = session
            return self._model(201, self._state(session, token))
        session = self._session()
        if session is None:
            return None
        if self.path == "/api/events":
            session.events += EventBatch.model_validate_json(body).events
            return self._send(204, b"", "text/plain")
        if len(session.answers) < len(session.plan.pages) - 1:
            return self._problem(409, "unfinished")
        session.state = "finished"
        return self._model(200, self._state(session))

    def do_PUT(self) -> None:
        body = self._body()
        if self.server.fail_saves > 0:
            self.server.fail_saves -= 1
            return self._problem(503, "down")
        session = self._session()
        if session is None:
            return None
        try:
            sent = Submission.model_validate_json(body)
        except ValidationError:
            return self._problem(422, "schema")
        page = session.plan.pages[int(self.path.rsplit("/", 1)[1])]
        problems = find_problems(page, sent.answer, self.server.public)
        if problems:
            return self._problem(422, *problems)
        session.answers[page.n] = sent
        public = self.server.public.headphones
        block = self.server.key.block(session.block)
        passed = is_right(self.server.key, block.pages[page.n], sent.answer, needed=public.needed)
        reply = SaveReply()
        if sent.answer.kind == "headphones":
            over = passed is False and public.required
            over = over and sent.answer.attempt >= public.attempts
            session.state = "ended" if over else "running"
            reply = SaveReply(passed=passed, state=session.state)
        return self._model(200, reply)

    def do_DELETE(self) -> None:
        if self._session() is not None:
            del self.server.sessions[self.headers[TOKEN_HEADER]]
            self._send(204, b"", "text/plain")

    def _session(self) -> StubSession | None:
        session = self.server.sessions.get(self.headers.get(TOKEN_HEADER, ""))
        if session is None:
            self._problem(401, "unknown_token")
        return session

    def _state(self, session: StubSession, token: str | None = None) -> SessionState:
        done = session.answers
        open_pages = [page.n for page in session.plan.pages[:-1] if page.n not in done]
        finished = session.state == "finished"
        return SessionState(
            session="L-0001",
            token=token,
            state=session.state,
            language=session.language,
            plan=session.plan,
            next=open_pages[0] if open_pages else len(session.plan.pages) - 1,
            answers={str(n): sent.answer.model_dump() for n, sent in done.items()},
            completion_url=self.server.key.completion_url if finished else "",
            completion_code=self.server.key.completion_code if finished else "",
        )

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _model(self, status: int, model: Any) -> None:
        self._send(status, model.model_dump_json().encode(), "application/json")

    def _problem(self, status: int, *codes: str) -> None:
        self._send(status, json.dumps({"problems": codes}).encode(), "application/json")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.server.log.append((self.command, self.path, status, data))
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(data)
