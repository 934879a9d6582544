"""Clients that lie: forged collectors, sessions of two seconds, one person twice."""

from __future__ import annotations

import json
import secrets
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_server import Visitor, exported, run, slow_clock

from synbench.errors import UsageError
from synbench_listening.answers.ratings import read_ratings
from synbench_listening.commands.simulate import submission
from synbench_listening.delivery.webmushra_export import export_webmushra, read_webmushra_key
from synbench_listening.design.session_plan import SessionPlan
from synbench_listening.design.study_folder import StudyFolder

pytest.importorskip("starlette")
pytest.importorskip("sqlalchemy")
from served import Asker, Reply, ServerThread

PATH = "/compat/webmushra/by-hand"


@pytest.fixture
def folder(study_by_hand: Callable[..., StudyFolder]) -> StudyFolder:
    return study_by_hand()


@pytest.fixture
def server(folder: StudyFolder) -> Iterator[ServerThread]:
    running = ServerThread(folder)
    yield running
    running.stop()


@pytest.fixture
def collecting(folder: StudyFolder) -> Iterator[ServerThread]:
    running = ServerThread(folder, collect_webmushra=True)
    yield running
    running.stop()


def begin(server: Asker, folder: StudyFolder, **more: Any) -> Reply:
    """A session that is not simulated."""
    public = folder.public()
    request = {
        "uuid": secrets.token_hex(16), "study": public.name, "version": public.version,
        "language": "en", "consent": public.consent_version,
    }  # fmt: skip
    return server.ask("POST", "/api/sessions", request | more)


def visitor_of(server: Asker, folder: StudyFolder, **more: Any) -> Visitor:
    visitor = Visitor(server, folder)
    visitor.state = begin(server, folder, **more).json
    visitor.token = visitor.state["token"]
    visitor.plan = SessionPlan.model_validate(visitor.state["plan"])
    return visitor


class TestCollector:
    def body(self, folder: StudyFolder, uuid: str = "u1", **changes: Any) -> bytes:
        """A session of all trials of the export, as webMUSHRA's page sends it."""
        pages = read_webmushra_key(folder)
        trials = [
            {
                "id": name,
                "type": "mushra",
                "responses": [
                    {"stimulus": stimulus, "score": "41", "comment": None, "time": 5}
                    for stimulus in page["stimuli"]
                ],
            }
            for name, page in pages.items()
            if not page["training"]
        ]
        session = {
            "testId": folder.public().name,
            "uuid": uuid,
            "participant": {"name": ["remark"], "response": ["a & b + c =1+1"]},
            "trials": trials,
        } | changes
        return b"sessionJSON=" + json.dumps(session).encode()

    def test_it_is_off_unless_asked_for(
        self, server: Asker, folder: StudyFolder, tmp_path: Path
    ) -> None:
        export_webmushra(folder, tmp_path / "export")
        assert server.ask("POST", PATH, self.body(folder)).status == 404
        assert server.ask("POST", PATH, self.body(folder)).body == b'{"problems":["not_found"]}'

    def test_every_listener_arrives_and_the_page_sees_an_empty_200(
        self, collecting: Asker, folder: StudyFolder, tmp_path: Path
    ) -> None:
        export_webmushra(folder, tmp_path / "export")
        form = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        for uuid in ("u1", "u1", "u2"):
            reply = collecting.ask("POST", PATH, self.body(folder, uuid), headers=form)
            assert (reply.status, reply.body) == (200, b"")
        exported(folder, tmp_path / "out")
        # Apart from what our own page sent.
        assert read_ratings(tmp_path / "out" / "ratings.csv") == []
        ratings = read_ratings(tmp_path / "out" / "webmushra_ratings.csv")
        assert Counter(r.session for r in ratings) == {"u1": 8, "u2": 8}
        assert {r.condition for r in ratings} == {
            "reference", "anchor35", "anchor70", "SecretCodec"
        }  # fmt: skip

    def test_a_study_that_was_never_exported_takes_nothing(self, collecting: Asker) -> None:
        body = b'sessionJSON={"testId":"by-hand","uuid":"u","trials":[{"id":"i","responses":[]}]}'
        reply = collecting.ask("POST", PATH, body)
        assert (reply.status, reply.json) == (404, {"problems": ["not_exported"]})

    def test_only_its_own_pages_and_stimuli_are_taken(
        self, collecting: Asker, folder: StudyFolder, tmp_path: Path
    ) -> None:
        export_webmushra(folder, tmp_path / "export")
        honest = json.loads(self.body(folder).removeprefix(b"sessionJSON="))
        first = honest["trials"][0]
        for trials in (
            [first | {"id": "item-a"}],
            [first, first],
            [first | {"responses": [{"stimulus": "SecretCodec", "score": "100"}]}],
            [first | {"responses": [{"stimulus": "c", "score": "100"}]}],
            [first | {"responses": "all"}],
            [first | {"id": ["x"]}],
            [],
            ["x"],
        ):
            forged = self.body(folder, trials=trials)
            reply = collecting.ask("POST", PATH, forged)
            assert (reply.status, reply.json) == (422, {"problems": ["not_of_this_study"]})
        other = self.body(folder, testId="other")
        assert collecting.ask("POST", PATH, other).status == 422
        exported(folder, tmp_path / "out")
        assert not (tmp_path / "out" / "webmushra_ratings.csv").exists()

    def test_what_is_no_session_is_refused(
        self, collecting: Asker, folder: StudyFolder, tmp_path: Path
    ) -> None:
        export_webmushra(folder, tmp_path / "export")
        deep = b"[" * 100_000
        for body in (b"", b"sessionJSON=", b"sessionJSON={}", b"a=b", b"\xff", deep):
            assert collecting.ask("POST", PATH, body).status == 422
        assert collecting.ask("POST", "/compat/webmushra/none", b"{}").status == 404
        with socket.create_connection(("127.0.0.1", collecting.port), timeout=30) as raw:
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1100000\r\n\r\n"
            raw.sendall(head.encode())
            assert b" 413 " in raw.recv(200)


class TestTime:
    def test_a_session_of_two_seconds_is_refused(self, server: Asker, folder: StudyFolder) -> None:
        visitor = visitor_of(server, folder)
        visitor.save(0)
        visitor.save(1)
        reply = visitor.put(2, submission(visitor.answer(2)))
        assert (reply.status, reply.json) == (422, {"problems": ["too_fast"]})
        assert visitor.ask_status("POST", "/api/finish") == 409

    def test_who_takes_the_time_is_not(
        self, server: Asker, folder: StudyFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("synbench_listening.server.sessions.now_ms", slow_clock())
        visitor = visitor_of(server, folder)
        for n in range(4):
            visitor.save(n)
        done = json.loads(visitor.ask("POST", "/api/finish", {}))
        assert (done["state"], done["completion_code"]) == ("finished", "C0DE")

    def test_nobody_passes_for_a_simulated_listener(
        self, server: Asker, folder: StudyFolder
    ) -> None:
        for proof in ("1", "", "0" * 64, folder.public().version):
            reply = begin(server, folder, platform={"SIMULATED": proof})
            assert (reply.status, reply.json) == (403, {"problems": ["simulation"]})

    def test_more_cannot_be_heard_than_there_is(self, server: Asker, folder: StudyFolder) -> None:
        visitor = Visitor(server, folder)
        visitor.save(0)
        visitor.save(1)
        answer = visitor.answer(2)
        for change, code in (
            ({"seconds": 1.2}, "impossible"),
            ({"plays": 0}, "impossible"),
            ({"position": 7}, "wrong_positions"),
            ({"position": 1}, "wrong_positions"),
        ):
            heard = [answer["heard"][0] | change, *answer["heard"][1:]]
            reply = visitor.put(2, submission(answer | {"heard": heard}))
            assert (reply.status, reply.json) == (422, {"problems": [code]})


class TestPersons:
    @pytest.mark.parametrize(
        "who", [{"platform": {"PROLIFIC_PID": "p1"}}, {"listener": "07"}], ids=["crowd", "number"]
    )
    def test_two_sessions_side_by_side_finish_once(
        self,
        server: Asker,
        folder: StudyFolder,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        who: dict[str, Any],
    ) -> None:
        monkeypatch.setattr("synbench_listening.server.sessions.now_ms", slow_clock())
        twins = [visitor_of(server, folder, **who) for _ in range(2)]
        for twin in twins:
            for n in range(4):
                twin.save(n)
        states = [json.loads(twin.ask("POST", "/api/finish", {})) for twin in twins]
        assert [s["state"] for s in states] == ["finished", "ended"]
        assert [s["completion_code"] for s in states] == ["C0DE", ""]
        assert begin(server, folder, **who).json == {"problems": ["already_taken_part"]}
        exported(folder, tmp_path / "out")
        ratings = read_ratings(tmp_path / "out" / "ratings.csv")
        assert len(ratings) == 8
        expected = who.get("listener") or twins[0].state["session"]
        assert {rating.listener for rating in ratings} == {expected}

    def test_in_a_laboratory_a_number_comes_back_to_its_session(self, folder: StudyFolder) -> None:
        server = ServerThread(folder, lab=True)
        try:
            assert begin(server, folder).json == {"problems": ["listener_number"]}
            visitor = visitor_of(server, folder, listener="07")
            visitor.save(0)
            again = begin(server, folder, listener=" 07 ").json
            assert again["session"] == visitor.state["session"] and again["next"] == 1
            assert server.ask("GET", "/api/session", token=visitor.token).status == 401
            other = begin(server, folder, listener="08").json
            assert other["session"] != again["session"]
        finally:
            server.stop()

    def test_a_number_from_the_address_opens_no_session_of_others(
        self, server: Asker, folder: StudyFolder
    ) -> None:
        first = begin(server, folder, listener="07").json
        second = begin(server, folder, listener="07").json
        assert first["session"] != second["session"]
        assert server.ask("GET", "/api/session", token=first["token"]).status == 200


def test_browser_device_and_volume_are_in_the_data(
    server: Asker, folder: StudyFolder, tmp_path: Path
) -> None:
    agent = "Mozilla/5.0 (Linux; Android 15; Pixel) AppleWebKit/537.36 Chrome/140.0 Mobile Safari"
    client = {"user_agent": agent, "screen": "375x667", "touch": True, "sample_rate": 16000}
    begin(server, folder, client=client)
    (session,) = exported(folder, tmp_path / "out", "--unfinished")
    assert (session["browser"], session["system"]) == ("Chrome 140", "Android")
    assert (session["device"], session["screen"]) == ("phone", "375x667")
    assert (session["pay"], session["use"], session["reasons"]) == ("no", "no", "unfinished")
    bad = begin(server, folder, client=client | {"screen": "=1+1"})
    assert (bad.status, bad.json) == (422, {"problems": ["schema"]})


def test_formulas_from_every_field_are_harmless_in_the_copies(
    server: Asker, folder: StudyFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Names of columns decide nothing: listener, user agent, comment, answers, events."""
    from test_spreadsheet import cells, runs

    monkeypatch.setattr("synbench_listening.server.sessions.now_ms", slow_clock())
    formula = '=HYPERLINK("http://x";1)'
    client = {"user_agent": formula}
    visitor = visitor_of(server, folder, listener="@SUM(A1)", client=client)
    visitor.save(0)
    said = {"kind": "questionnaire", "values": {"age": 30.0, "remark": formula}}
    assert visitor.put(1, submission(said)).status == 200
    for n in (2, 3):
        body = submission(visitor.answer(n) | {"comment": formula})
        assert visitor.put(n, body).status == 200
    event = {"n": 0, "t_ms": 0, "type": "loop", "data": {"x": formula}}
    visitor.ask("POST", "/api/events", {"events": [event]})
    visitor.ask("POST", "/api/finish", {})
    exported(folder, tmp_path / "out", "--spreadsheet")
    copies = sorted((tmp_path / "out" / "spreadsheet").glob("*.csv"))
    assert [path.stem for path in copies] == ["events", "questionnaire", "ratings", "sessions"]
    for path in copies:
        for row in cells(path.read_bytes()):
            assert not any(runs(cell) for cell in row), (path.name, row)
    assert "'@SUM(A1)" in (tmp_path / "out" / "spreadsheet" / "ratings.csv").read_text("utf-8-sig")


class TestSeveralStudies:
    def test_each_has_its_own_database_and_a_token_finds_its_own(
        self, folder: StudyFolder, tmp_path: Path
    ) -> None:
        import hashlib
        import shutil

        shutil.copytree(folder.path, tmp_path / "other")
        other = StudyFolder(tmp_path / "other")
        key = other.key().model_copy(update={"study": "other", "seed": 9})
        version = hashlib.sha256(key.encode()).hexdigest()
        public = other.public().model_copy(update={"name": "other", "version": version})
        other.write(key, public)
        server = ServerThread(folder, other, prefix="/listen")
        try:
            index = server.ask("GET", "/listen/").body.decode()
            assert 'href="s/by-hand"' in index and 'href="s/other"' in index
            assert server.ask("GET", "/s/other").status == 404
            assert b'"api": "../api"' in server.ask("GET", "/listen/s/other").body
            for name, study in (("by-hand", folder), ("other", other)):
                published = study.public()
                request = {
                    "uuid": secrets.token_hex(16), "study": name, "version": published.version,
                    "language": "en", "consent": published.consent_version,
                }  # fmt: skip
                begun = server.ask("POST", "/listen/api/sessions", request).json
                state = server.ask("GET", "/listen/api/session", token=begun["token"])
                assert state.json["session"] == begun["session"]
                assert "1 running" in run("progress", study.path)
        finally:
            server.stop()

    def test_a_prefix_is_a_path(self, folder: StudyFolder) -> None:
        with pytest.raises(UsageError, match="such as /listen"):
            run("serve", folder.path, "--prefix", "listen?x")
