"""The server over real HTTP: saving, resume, crashes, crowds, and hostile input."""

from __future__ import annotations

import base64
import csv
import hashlib
import itertools
import json
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench.errors import EnvironmentFault, UsageError
from synbench_listening.answers.ratings import read_ratings
from synbench_listening.commands.group import listen
from synbench_listening.commands.simulate import HttpListener, submission
from synbench_listening.design.session_plan import Clip, SessionPlan
from synbench_listening.design.study_folder import StudyFolder
from synbench_listening.server.simulated_listener import SimulatedListener

pytest.importorskip("starlette")
pytest.importorskip("sqlalchemy")
sys.path.insert(0, str(Path(__file__).parent))
from served import PASSWORD, Asker, PostgresServer, Reply, ServerProcess, ServerThread

LISTENERS = 30
SECRETS = ("SecretCodec", "item-a", "item-b", "anchor35", "anchor70", "hidden", "system")
NASTY = 'a & b + c % <script>alert(1)</script> \'; DROP TABLE answer; -- \n=HYPERLINK("x") 🎧'


class Visitor(HttpListener):
    """A listener who goes on one page at a time, and keeps all traffic."""

    def __init__(self, server: Asker, folder: StudyFolder, seed: int = 1) -> None:
        super().__init__(server.url, folder, seed)
        self.server = server
        self.traffic: list[bytes] = []
        self.state = self.begin()
        self.plan = SessionPlan.model_validate(self.state["plan"])
        self.mind = SimulatedListener(seed, self.public, self.hear, sample_rate=16000)

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        self.traffic += [path.encode(), json.dumps(body).encode()]
        content = super().ask(method, path, body)
        self.traffic.append(content)
        return content

    def hear(self, clip: Clip) -> bytes:
        return self.ask("GET", f"/api/clip/{clip.id}")

    def answer(self, n: int) -> dict[str, Any]:
        page = self.plan.pages[n]
        return {"kind": page.kind} | self.mind.answer(page)

    def put(self, n: int, body: object) -> Reply:
        return self.server.ask("PUT", f"/api/trials/{n}", body, token=self.token)

    def save(self, n: int) -> dict[str, Any]:
        body = submission(self.answer(n))
        reply = self.put(n, body)
        assert reply.status == 200, reply.body
        return body

    def ask_status(self, method: str, path: str) -> int:
        return self.server.ask(method, path, {}, token=self.token).status

    def resumed(self) -> dict[str, Any]:
        session: dict[str, Any] = json.loads(self.ask("GET", "/api/session"))
        return session


@pytest.fixture
def folder(study_by_hand: Callable[..., StudyFolder]) -> StudyFolder:
    return study_by_hand()


@pytest.fixture
def server(folder: StudyFolder) -> Iterator[ServerThread]:
    running = ServerThread(folder)
    yield running
    running.stop()


@pytest.fixture
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL of our own on the loopback."""
    pytest.importorskip("psycopg", reason="no psycopg")
    started = PostgresServer.start()
    if started is None:
        pytest.skip("no PostgreSQL server on this machine: apt-get install postgresql")
    yield started.url
    started.stop()


def run(*arguments: object) -> str:
    done = CliRunner().invoke(listen, [str(a) for a in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def slow_clock() -> Callable[[], int]:
    """A server's clock on which a minute goes by between one look and the next."""
    start, minutes = time.time_ns() // 1_000_000, itertools.count()
    return lambda: start + 60_000 * next(minutes)


def exported(folder: StudyFolder, out: Path, *options: str) -> list[dict[str, str]]:
    run("export", folder.path, "--out", out, *options)
    with (out / "sessions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestASession:
    def test_from_consent_to_a_rating_of_the_right_condition(
        self, server: Asker, folder: StudyFolder, tmp_path: Path
    ) -> None:
        visitor = Visitor(server, folder)
        sent = [visitor.save(n)["answer"] for n in range(len(visitor.plan.pages) - 1)]
        done = json.loads(visitor.ask("POST", "/api/finish", {}))
        assert (done["state"], done["completion_code"]) == ("finished", "C0DE")
        exported(folder, tmp_path / "out")
        ratings = read_ratings(tmp_path / "out" / "ratings.csv")
        assert len(ratings) == 8
        assert all(r.simulated and r.session == visitor.state["session"] for r in ratings)
        key = folder.key()
        for rating in ratings:
            page = key.block(rating.block).pages[rating.page or 0]
            stimulus = key.stimuli[page.stimuli[rating.position or 0]]
            assert (stimulus.condition, page.item) == (rating.condition, rating.item)
            given = sent[rating.page or 0]["ratings"][rating.position or 0]
            assert (rating.score, rating.first_touch_ms) == (
                given["score"],
                given["first_touch_ms"],
            )
            assert (rating.n_plays, rating.heard_s) == (1, 1)
        assert {r.trial for r in ratings} == {1, 2}

    def test_resume_has_the_same_order_and_all_answers(
        self, server: Asker, folder: StudyFolder
    ) -> None:
        visitor = Visitor(server, folder)
        for n in range(len(visitor.plan.pages) - 1):
            body = visitor.save(n)
            again = visitor.resumed()
            assert again["plan"] == visitor.state["plan"]
            assert again["next"] == n + 1
            assert again["token"] is None
            assert again["answers"][str(n)]["kind"] == body["answer"]["kind"]

    def test_a_save_is_idempotent_and_a_higher_revision_replaces(
        self, server: Asker, folder: StudyFolder, tmp_path: Path
    ) -> None:
        visitor = Visitor(server, folder)
        visitor.save(0)
        first = submission({"kind": "questionnaire", "values": {"age": 30.0}})
        second = submission({"kind": "questionnaire", "values": {"age": 31.0}}, revision=2)
        assert [visitor.put(1, body).status for body in (first, first, second)] == [200] * 3
        # The lost reply's repeat comes late: it must not undo the correction.
        assert visitor.put(1, first).status == 200
        assert visitor.resumed()["answers"]["1"]["values"]["age"] == 31
        stale = submission({"kind": "questionnaire", "values": {"age": 99.0}}, revision=2)
        assert visitor.put(1, stale).json == {"problems": ["older_revision"]}
        forged = first | {"answer": second["answer"]}
        assert visitor.put(1, forged).json == {"problems": ["other_answer_under_the_same_uuid"]}

    def test_killed_in_mid_trial_and_started_again_nothing_is_lost(
        self, folder: StudyFolder, tmp_path: Path
    ) -> None:
        server = ServerProcess(folder.path)
        visitor = Visitor(server, folder)
        visitor.save(0)
        visitor.save(1)
        body = submission(visitor.answer(2))
        server.kill()
        with pytest.raises(OSError):
            visitor.put(2, body)
        server.start()
        try:
            assert visitor.resumed()["next"] == 2
            assert visitor.put(2, body).status == 200
            server.kill()
            server.start()
            assert visitor.put(2, body).status == 200
            visitor.save(3)
            assert json.loads(visitor.ask("POST", "/api/finish", {}))["state"] == "finished"
        finally:
            server.kill()
        (session,) = exported(folder, tmp_path / "out")
        assert (session["state"], session["pages_answered"]) == ("finished", "4")
        assert len(read_ratings(tmp_path / "out" / "ratings.csv")) == 8

    def test_a_lost_reply_to_the_beginning_makes_no_second_session(
        self, server: Asker, folder: StudyFolder, tmp_path: Path
    ) -> None:
        public = folder.public()
        request = {
            "uuid": secrets.token_hex(16), "study": public.name, "version": public.version,
            "language": "en", "consent": public.consent_version,
        }  # fmt: skip
        first, second = (server.ask("POST", "/api/sessions", request).json for _ in range(2))
        assert first["session"] == second["session"]
        assert first["plan"] == second["plan"]
        assert server.ask("GET", "/api/session", token=first["token"]).status == 401
        assert server.ask("GET", "/api/session", token=second["token"]).status == 200
        answer = submission({"kind": "consent"})
        assert server.ask("PUT", "/api/trials/0", answer, token=second["token"]).status == 200
        assert server.ask("POST", "/api/sessions", request).json == {"problems": ["already_begun"]}

    def test_unheard_unrated_and_out_of_order_are_refused(
        self, server: Asker, folder: StudyFolder
    ) -> None:
        visitor = Visitor(server, folder)
        assert visitor.put(1, submission({"kind": "consent"})).json["problems"] == ["out_of_order"]
        visitor.save(0)
        visitor.save(1)
        heard = [{"position": p, "plays": 1, "seconds": 1.0} for p in range(-1, 4)]
        ratings = [{"position": p, "score": 100, "first_touch_ms": 1} for p in range(4)]
        answer = {"kind": "mushra", "ratings": ratings, "heard": heard}
        # It says that all was heard, but no clip was ever fetched.
        assert visitor.put(2, submission(answer)).json == {"problems": ["unheard"]}
        visitor.answer(2)
        for change, code in (
            ({"heard": heard[1:]}, "unheard"),
            ({"ratings": ratings[1:]}, "unrated"),
            ({"ratings": [*ratings, ratings[0]]}, "wrong_positions"),
            ({"ratings": [r | {"score": 101} for r in ratings]}, "out_of_range"),
            ({"ratings": [r | {"score": 50.5} for r in ratings]}, "between_steps"),
        ):
            assert visitor.put(2, submission(answer | change)).json == {"problems": [code]}
        wrong = submission({"kind": "abx", "choice": 0, "heard": []})
        assert visitor.put(2, wrong).json == {"problems": ["wrong_kind"]}
        finish = server.ask("POST", "/api/finish", {}, token=visitor.token)
        assert (finish.status, finish.json) == (409, {"problems": ["unfinished"]})

    def test_withdrawal_deletes_everything(
        self, server: Asker, folder: StudyFolder, tmp_path: Path
    ) -> None:
        visitor = Visitor(server, folder)
        visitor.save(0)
        said = {"kind": "questionnaire", "values": {"age": 30.0, "remark": "unforgettable"}}
        assert visitor.put(1, submission(said)).status == 200
        assert b"unforgettable" in self.stored(folder)
        for _ in range(2):
            assert server.ask("DELETE", "/api/session", token=visitor.token).status == 204
        assert server.ask("GET", "/api/session", token=visitor.token).status == 401
        assert visitor.put(1, submission({"kind": "consent"})).status == 401
        assert b"unforgettable" not in self.stored(folder)
        (session,) = exported(folder, tmp_path / "out", "--unfinished")
        assert (session["state"], session["pages_answered"]) == ("withdrawn", "0")
        assert read_ratings(tmp_path / "out" / "ratings.csv") == []

    def stored(self, folder: StudyFolder) -> bytes:
        return b"".join(path.read_bytes() for path in folder.path.glob("answers.sqlite*"))

    def test_after_the_end_nothing_more_is_taken(self, server: Asker, folder: StudyFolder) -> None:
        visitor = Visitor(server, folder)
        bodies = [visitor.save(n) for n in range(4)]
        visitor.ask("POST", "/api/finish", {})
        assert json.loads(visitor.ask("POST", "/api/finish", {}))["completion_code"] == "C0DE"
        assert visitor.put(3, bodies[3]).status == 200  # the repeat of a stored one
        assert visitor.put(3, bodies[3] | {"uuid": "f" * 32, "revision": 9}).status == 409
        assert visitor.resumed()["completion_code"] == ""

    def test_events_are_kept(self, server: Asker, folder: StudyFolder, tmp_path: Path) -> None:
        visitor = Visitor(server, folder)
        events = [{"n": n, "t_ms": n, "type": "loop", "data": {"text": NASTY}} for n in range(3)]
        visitor.ask("POST", "/api/events", {"events": events})
        exported(folder, tmp_path / "out", "--unfinished")
        with (tmp_path / "out" / "events.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [json.loads(row["data"])["text"] for row in rows] == [NASTY] * 3


class TestHeadphones:
    def test_a_required_check_ends_the_session_whatever_attempt_it_claims(
        self, study_by_hand: Callable[..., StudyFolder]
    ) -> None:
        from synbench_listening.design.study import Headphones
        from synbench_listening.design.study_folder import BlockPage

        folder = study_by_hand(headphones=Headphones(trials=3, needed=3, required=True))
        key, public = folder.key(), folder.public()
        names = [s.id for s in list(key.stimuli.values())[:3]]
        tests = {
            name: key.stimuli[name].model_copy(update={"role": "headphones", "answer": 1})
            for name in names
        }
        page = BlockPage(kind="headphones", stimuli=tuple(names))
        blocks = [b.model_copy(update={"pages": (b.pages[0], page, *b.pages[2:])})
                  for b in key.blocks]  # fmt: skip
        key = key.model_copy(update={"stimuli": key.stimuli | tests, "blocks": tuple(blocks)})
        version = hashlib.sha256(key.encode()).hexdigest()
        folder.write(key, public.model_copy(update={"version": version}))
        server = ServerThread(folder)
        try:
            visitor = Visitor(server, folder)
            visitor.save(0)
            wrong = {"kind": "headphones", "choices": [1, 1, 0], "attempt": 1}
            first = visitor.put(1, submission(wrong))
            assert first.json == {"passed": False, "state": "running"}
            second = visitor.put(1, submission(wrong, revision=2))
            assert second.json == {"passed": False, "state": "ended"}
            assert visitor.put(2, submission({"kind": "consent"})).json == {"problems": ["ended"]}
            assert "1 ended" in run("progress", folder.path)
        finally:
            server.stop()


class TestBlindness:
    def test_no_name_in_page_addresses_or_traffic(self, server: Asker, folder: StudyFolder) -> None:
        visitor = Visitor(server, folder)
        for n in range(4):
            visitor.save(n)
        visitor.ask("POST", "/api/finish", {})
        page = server.ask("GET", f"/s/{folder.public().name}")
        everything = b"\n".join([*visitor.traffic, page.body]).lower()
        key = folder.key()
        names = [name.lower().encode() for name in (*SECRETS, *key.stimuli)]
        # "hidden" is an attribute and a word of style sheets; as a role it has an underscore.
        names[SECRETS.index("hidden")] = b"hidden_reference"
        names[SECRETS.index("system")] = b'"system'
        assert [name for name in names if name in everything] == []

    def test_clips_tell_nothing_but_sound(self, server: Asker, folder: StudyFolder) -> None:
        visitor, other = Visitor(server, folder), Visitor(server, folder, seed=2)
        page = visitor.plan.pages[2]
        clips = [*page.stimuli, page.reference]
        replies = [
            server.ask("GET", f"/api/clip/{clip.id}", token=visitor.token)
            for clip in clips
            if clip is not None
        ]
        assert len({len(reply.body) for reply in replies}) == 1
        for reply in replies:
            names = {name.lower() for name in reply.headers}
            assert not names & {"etag", "last-modified", "content-disposition", "server"}
            assert reply.headers["Cache-Control"] == "no-store"
            assert reply.headers["Content-Type"] == "audio/wav"
        assert len({clip.id for clip in clips if clip}) == 5
        stranger = server.ask("GET", f"/api/clip/{page.stimuli[0].id}", token=other.token)
        assert stranger.status == 404


class TestHostile:
    def test_no_token_no_forged_token(self, server: Asker, folder: StudyFolder) -> None:
        Visitor(server, folder)
        for token in ("", "0" * 64, secrets.token_hex(32), "' OR 1=1 --", "x" * 5000):
            for method, path in (
                ("GET", "/api/session"), ("GET", "/api/clip/" + "0" * 32),
                ("PUT", "/api/trials/0"), ("POST", "/api/finish"), ("DELETE", "/api/session"),
            ):  # fmt: skip
                body = submission({"kind": "consent"}) if method == "PUT" else None
                assert server.ask(method, path, body, token=token).status in (401, 429)

    def test_guessing_tokens_is_slowed_down(self, server: Asker, folder: StudyFolder) -> None:
        statuses = [
            server.ask("GET", "/api/session", token=secrets.token_hex(32)).status for _ in range(80)
        ]
        assert statuses[0] == 401
        assert statuses[-1] == 429
        # Who has a token is not shut out by who guesses from the same address.
        assert Visitor(server, folder).resumed()["next"] == 0

    def test_bodies_that_are_too_large(self, server: Asker, folder: StudyFolder) -> None:
        visitor = Visitor(server, folder)
        large = submission({"kind": "consent"}) | {"uuid": "x" * 70_000}
        assert visitor.put(0, large).status == 413
        assert server.ask("POST", "/api/sessions", b"{" * 9000).status == 413
        # A body of unknown length is cut off while it comes.
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
            head = "PUT /api/trials/0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            raw.sendall(f"{head}X-Session-Token: {visitor.token}\r\n\r\n".encode())
            for _ in range(10):
                raw.sendall(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
            assert b" 413 " in raw.recv(200)

    @pytest.mark.parametrize(
        "change",
        [
            {"revision": 0}, {"revision": "1; DROP TABLE answer"}, {"uuid": "../../etc/passwd"},
            {"extra": 1}, {"answer": {"kind": "consent", "admin": True}}, {"answer": None},
            {"answer": {"kind": "nothing"}}, {"client_ms": -1},
        ],
    )  # fmt: skip
    def test_only_the_schema_is_let_in(
        self, server: Asker, folder: StudyFolder, change: dict[str, Any]
    ) -> None:
        visitor = Visitor(server, folder)
        reply = visitor.put(0, submission({"kind": "consent"}) | change)
        assert (reply.status, reply.json) == (422, {"problems": ["schema"]})
        for body in (b"", b"[]", b"\xff\xfe", b'{"a":' * 3000, b"NaN"):
            assert visitor.put(0, body).status == 422

    @pytest.mark.parametrize(
        "path",
        [
            "/static/../key.json", "/static/..%2fkey.json", "/static/%2e%2e/key.json",
            "/s/../key.json", "/s/..%2f..%2fetc%2fpasswd", "/key.json", "/study.json",
            "/answers.sqlite", "/clips/", "/api/clip/..%2f..%2fkey.json", "/api/clip/%00",
            "/.git/config", "//etc/passwd", "/static/page.js%00.txt", "/api/trials/99999999999",
            "/api/trials/-1", "/docs", "/openapi.json",
        ],
    )  # fmt: skip
    def test_no_path_leads_out(self, server: Asker, folder: StudyFolder, path: str) -> None:
        visitor = Visitor(server, folder)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
            head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            raw.sendall(f"{head}X-Session-Token: {visitor.token}\r\n\r\n".encode())
            answer = b"".join(iter(lambda: raw.recv(65536), b""))
        assert answer.split(b" ", 2)[1] in (b"404", b"405", b"400")
        assert b"SecretCodec" not in answer
        assert b"Traceback" not in answer

    def test_nasty_text_survives_byte_for_byte_and_hurts_nobody(
        self, server: Asker, folder: StudyFolder, tmp_path: Path
    ) -> None:
        visitor = Visitor(server, folder)
        visitor.save(0)
        answer = {"kind": "questionnaire", "values": {"age": 30.0, "remark": NASTY}}
        assert visitor.put(1, submission(answer)).status == 200
        for n in (2, 3):
            body = submission(visitor.answer(n) | {"comment": "=1+1"})
            assert visitor.put(n, body).status == 200
        visitor.ask("POST", "/api/finish", {})
        assert visitor.resumed()["answers"]["1"]["values"]["remark"] == NASTY
        out = tmp_path / "out"
        exported(folder, out, "--spreadsheet")
        with (out / "questionnaire.csv").open(encoding="utf-8", newline="") as file:
            raw = {row["question"]: row["value"] for row in csv.DictReader(file)}
        assert raw["remark"] == NASTY
        assert {r.comment for r in read_ratings(out / "ratings.csv")} == {"=1+1"}
        safe = out / "spreadsheet" / "ratings.csv"
        with safe.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["comment"] for row in rows} == {"'=1+1"}
        with (out / "ratings.csv").open(encoding="utf-8", newline="") as file:
            assert [row["session"] for row in rows] == [r["session"] for r in csv.DictReader(file)]

    def test_every_reply_is_guarded_and_nothing_changes_by_get(
        self, server: Asker, folder: StudyFolder
    ) -> None:
        visitor = Visitor(server, folder)
        for path in ("/s/by-hand", "/static/page.js", "/api/session", "/none", "/healthz"):
            headers = server.ask("GET", path, token=visitor.token).headers
            assert headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "Access-Control-Allow-Origin" not in headers
            assert "Set-Cookie" not in headers
        for path in ("/api/sessions", "/api/finish", "/api/trials/0", "/api/events"):
            assert server.ask("GET", path, token=visitor.token).status == 405

    def test_wrong_studies_versions_consents_and_languages(
        self, server: Asker, folder: StudyFolder
    ) -> None:
        public = folder.public()
        request = {
            "uuid": secrets.token_hex(16), "study": public.name, "version": public.version,
            "language": "en", "consent": public.consent_version,
        }  # fmt: skip
        for change, status in (
            ({"study": "other"}, 404), ({"version": "x"}, 404), ({"language": "de"}, 422),
            ({"consent": None}, 422), ({"consent": "yes"}, 422),
        ):  # fmt: skip
            assert server.ask("POST", "/api/sessions", request | change).status == status
        mistyped = server.ask("GET", "/s/othr")
        assert mistyped.status == 404 and b"Please check the link" in mistyped.body


class TestExperimenter:
    def test_progress_needs_the_password_and_shows_no_score(
        self, server: Asker, folder: StudyFolder
    ) -> None:
        visitor = Visitor(server, folder)
        for n in range(4):
            visitor.save(n)
        visitor.ask("POST", "/api/finish", {})
        Visitor(server, folder)
        assert server.ask("GET", "/admin").status == 401
        for given in ("x:wrong", ":", f"{PASSWORD}:"):
            wrong = {"Authorization": "Basic " + base64.b64encode(given.encode()).decode()}
            assert server.ask("GET", "/admin", headers=wrong).status == 401
        right = {"Authorization": "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()}
        page = server.ask("GET", "/admin", headers=right)
        assert page.status == 200
        assert "1 running, 1 finished" in page.body.decode()
        assert "SIMULATED" in page.body.decode()
        assert b"SecretCodec" not in page.body
        text = run("progress", folder.path)
        assert "1 running  1 finished" in text

    def test_a_paused_study_lets_nobody_begin(self, server: Asker, folder: StudyFolder) -> None:
        visitor = Visitor(server, folder)
        run("pause", folder.path)
        with pytest.raises(UsageError, match="paused"):
            Visitor(server, folder)
        visitor.save(0)
        run("pause", folder.path, "--resume")
        Visitor(server, folder)

    def test_platform_identities_are_hashed_apart_and_let_in_once(
        self, server: Asker, folder: StudyFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        public = folder.public()

        def begin() -> Reply:
            return server.ask("POST", "/api/sessions", {
                "uuid": secrets.token_hex(16), "study": public.name, "version": public.version,
                "language": "en", "consent": public.consent_version,
                "platform": {"PROLIFIC_PID": "5f0c0ffee", "STUDY_ID": "s1"},
            })  # fmt: skip

        first = begin().json
        monkeypatch.setattr("synbench_listening.server.sessions.now_ms", slow_clock())
        visitor = Visitor(server, folder)
        visitor.token, visitor.state = first["token"], first
        visitor.plan = SessionPlan.model_validate(first["plan"])
        for n in range(4):
            visitor.save(n)
        visitor.ask("POST", "/api/finish", {})
        assert begin().json == {"problems": ["already_taken_part"]}
        stored = b"".join(p.read_bytes() for p in folder.path.glob("answers.sqlite*"))
        assert b"5f0c0ffee" not in stored
        assert visitor.token.encode() not in stored
        assert "2 identities" in run("purge", folder.path, "--platform-ids", "--yes")
        assert begin().status == 201

    def test_purging_is_asked_for_and_complete(
        self, server: Asker, folder: StudyFolder, tmp_path: Path
    ) -> None:
        visitor = Visitor(server, folder)
        visitor.save(0)
        Visitor(server, folder)
        code = visitor.state["session"]
        assert "1 session" in run("purge", folder.path, "--session", code, "--yes")
        assert len(exported(folder, tmp_path / "a", "--unfinished")) == 1
        with pytest.raises(UsageError, match="no session"):
            run("purge", folder.path, "--session", code, "--yes")
        with pytest.raises(UsageError, match="say one of"):
            run("purge", folder.path, "--yes")
        assert "Aborted" in run("purge", folder.path, "--everything")
        assert "1 simulated" in run("purge", folder.path, "--simulated", "--yes")
        assert exported(folder, tmp_path / "b", "--unfinished") == []

    def test_what_cannot_be_served_is_said_before_a_listener_comes(
        self, folder: StudyFolder, tmp_path: Path
    ) -> None:
        clip = next((folder.path / "clips").iterdir())
        data = clip.read_bytes()
        clip.write_bytes(data[:-2] + b"xx")
        with pytest.raises(UsageError, match="altered after the build"):
            run("serve", folder.path, "--port", 0)
        clip.unlink()
        with pytest.raises(UsageError, match="build it again"):
            run("serve", folder.path, "--port", 0)
        clip.write_bytes(data)
        with pytest.raises(UsageError, match="no database URL"):
            run("serve", folder.path, "--database", "no url")
        with pytest.raises(EnvironmentFault):
            run("serve", folder.path, "--database", f"sqlite:////{tmp_path}/none/x.sqlite")
        with pytest.raises(UsageError, match="mysql is not supported"):
            run("serve", folder.path, "--database", "mysql://x/y")
        with pytest.raises(UsageError, match="two studies of one name"):
            run("serve", folder.path, folder.path)

    def test_sessions_of_an_earlier_build_end_there(
        self, folder: StudyFolder, tmp_path: Path
    ) -> None:
        server = ServerThread(folder)
        visitor = Visitor(server, folder)
        visitor.save(0)
        server.stop()
        key, public = folder.key().model_copy(update={"seed": 2}), folder.public()
        version = hashlib.sha256(key.encode()).hexdigest()
        folder.write(key, public.model_copy(update={"version": version}))
        server = ServerThread(folder)
        try:
            reply = server.ask("GET", "/api/session", token=visitor.token)
            assert (reply.status, reply.json) == (410, {"problems": ["study_changed"]})
            Visitor(server, folder)
            out = run("export", folder.path, "--out", tmp_path / "out", "--unfinished")
            assert "1 sessions of another version" in out
        finally:
            server.stop()

    def test_blocks_fill_evenly(self, server: Asker, folder: StudyFolder) -> None:
        for seed in range(6):
            HttpListener(server.url, folder, seed).take_part()
        blocks = [line.split()[:2] for line in run("progress", folder.path).splitlines()[-2:]]
        assert blocks == [["A", "3"], ["B", "3"]]


def crowd(server: Asker, folder: StudyFolder, out: Path, *options: str) -> None:
    """All at once; every answer of every one has to be there afterwards, once."""
    with ThreadPoolExecutor(LISTENERS) as pool:
        codes = list(
            pool.map(
                HttpListener.take_part,
                [HttpListener(server.url, folder, n) for n in range(LISTENERS)],
            )
        )
    assert len(set(codes)) == LISTENERS
    run("export", folder.path, "--out", out, *options)
    ratings = read_ratings(out / "ratings.csv")
    assert Counter(r.session for r in ratings) == dict.fromkeys(codes, 8)
    assert Counter(r.block for r in ratings) == dict.fromkeys("AB", 4 * LISTENERS)
    counts = Counter((r.session, r.page, r.position) for r in ratings)
    assert set(counts.values()) == {1}


def test_thirty_listeners_at_once_on_sqlite(
    server: Asker, folder: StudyFolder, tmp_path: Path
) -> None:
    crowd(server, folder, tmp_path / "out")


@pytest.mark.slow
def test_thirty_listeners_at_once_on_postgresql(
    postgresql: str, folder: StudyFolder, tmp_path: Path
) -> None:
    server = ServerProcess(folder.path, database=postgresql)
    try:
        crowd(server, folder, tmp_path / "out", "--database", postgresql)
    finally:
        server.kill()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_thirty_at_once_killed_in_the_middle(
    kind: str, request: pytest.FixtureRequest, folder: StudyFolder, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgresql") if kind == "postgresql" else None
    server = ServerProcess(folder.path, database=url)
    options = ("--database", url) if url else ()
    killed = threading.Timer(3, lambda: (server.kill(), server.start()))
    killed.start()
    try:
        crowd(server, folder, tmp_path / "out", *options)
    finally:
        killed.join()
        server.kill()


@pytest.mark.slow
def test_killed_on_postgresql_too(postgresql: str, folder: StudyFolder, tmp_path: Path) -> None:
    server = ServerProcess(folder.path, database=postgresql)
    try:
        visitor = Visitor(server, folder)
        bodies = [visitor.save(n) for n in range(3)]
        server.kill()
        server.start()
        assert visitor.resumed()["next"] == 3
        assert visitor.put(2, bodies[2]).status == 200
        visitor.save(3)
        visitor.ask("POST", "/api/finish", {})
    finally:
        server.kill()
    run("export", folder.path, "--out", tmp_path / "out", "--database", postgresql)
    assert len(read_ratings(tmp_path / "out" / "ratings.csv")) == 8


@pytest.mark.slow
def test_a_panel_from_a_run_of_real_recordings_to_a_figure(tmp_path: Path) -> None:
    """Run, build, serve, simulate, export, analyse and draw: by the commands of the README."""
    decoded = Path(__file__).resolve().parents[3] / "shared/decoded/libritts_16k_0.5kbps"
    if not decoded.is_dir():
        pytest.skip("decoded speech (../shared/decoded) is not at hand")
    suite = [f"name: panel\ncorpora: ['folder:path={decoded}/reference']\ncodecs:"]
    for label in ("P2PSynCodec", "BigCodec", "WavTokenizer"):
        options = f"{{folder: {decoded}/{label.lower()}, bitrate_bps: 500, label: {label}}}"
        suite.append(f"  - {{codec: recordings, options: {options}}}")
    (tmp_path / "suite.yaml").write_text("\n".join([*suite, "metrics: [stoi]", ""]))
    design = "name: panel\ntest: mushra\nitems: {count: 6}\ntraining_items: 1\nconsent: Yes?\n"
    (tmp_path / "study.yaml").write_text(design)

    def command(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "synbench", *arguments],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    command("run", "suite.yaml")
    command("listen", "build", "panel", "--design", "study.yaml")
    server = ServerProcess(tmp_path / "studies" / "panel")
    try:
        command("listen", "simulate", "studies/panel", "--url", server.url, "--listeners", "24")
    finally:
        server.kill()
    command("listen", "export", "studies/panel", "--out", "results")
    command("listen", "analyse", "results/ratings.csv", "--out", "tables")
    ratings = read_ratings(tmp_path / "results" / "ratings.csv")
    assert len({r.listener for r in ratings}) == 24
    assert len(ratings) == 24 * 6 * 6
    assert all(r.simulated for r in ratings)
    with (tmp_path / "tables" / "conditions.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["condition"]: row for row in csv.DictReader(file)}
    assert rows.keys() == {
        "reference", "anchor70", "anchor35", "P2PSynCodec", "BigCodec", "WavTokenizer"
    }  # fmt: skip
    assert float(rows["reference"]["mean"]) > 95
    assert {row["simulated"] for row in rows.values()} == {"true"}
    figure = ["reproduce", "p2psyncodec", "--figure", "mushra", "--ratings"]
    command(*figure, "tables/conditions.csv", "--out", "mushra.svg")
    assert "SIMULATED" in (tmp_path / "mushra.svg").read_text(encoding="utf-8")
