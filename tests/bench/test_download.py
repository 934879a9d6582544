"""Downloads from a server on this machine that misbehaves on purpose."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import socket
import threading
import time

import pytest

from synbench import download
from synbench.errors import EnvironmentFault

CONTENT = bytes(range(256)) * 4000
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
MD5 = "md5:" + hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        start = self._start()
        server.requests.append((self.path, start))
        server.tokens.append(self.headers.get("Authorization"))
        if self.path == "/gated/resolve/main/file":
            self.send_error(401)
            return
        if self.path == "/absent":
            self.send_error(404)
            return
        if self.path in ("/moved", "/elsewhere"):
            self.send_response(302)
            host = f"http://localhost:{server.server_port}" if self.path == "/elsewhere" else ""
            self.send_header("Location", f"{host}/file")
            self.end_headers()
            return
        if start >= len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.breaks:
            server.breaks -= 1
            body = body[: len(body) // 2]
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def _start(self):
        asked = self.headers.get("Range")
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.delenv("SYNBENCH_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setattr(download, "RETRY_SECONDS", 0)
    monkeypatch.setattr(download, "CHUNK_BYTES", 100_000)
    monkeypatch.setattr(download, "_unreachable", {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.tokens = []
        server.requests, server.breaks, server.ranges = [], 0, True
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch(server, to, *, path="/file", checksum=SHA256, **more):
    return download.fetch([server.url + path], to, checksum=checksum, by_hand="bring it", **more)


@pytest.mark.parametrize("checksum", [SHA256, MD5])
def test_a_file_arrives_whole_and_progress_is_told(server, tmp_path, checksum):
    seen = []
    to = fetch(
        server,
        tmp_path / "new" / "file",
        checksum=checksum,
        progress=lambda *done: seen.append(done),
    )
    assert to.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len(seen) > 5
    fetch(server, to)
    assert len(server.requests) == 1


def test_a_broken_transfer_is_resumed(server, tmp_path):
    server.breaks = 2
    assert fetch(server, tmp_path / "file").read_bytes() == CONTENT
    assert [start for _, start in server.requests] == [0, len(CONTENT) // 2, len(CONTENT) * 3 // 4]


def test_a_later_call_goes_on_where_the_first_gave_up(server, tmp_path):
    server.breaks = 99
    with pytest.raises(EnvironmentFault, match="broken off after"):
        fetch(server, tmp_path / "file")
    assert not (tmp_path / "file").exists()
    server.breaks = 0
    seen = []
    fetch(server, tmp_path / "file", progress=lambda *done: seen.append(done))
    assert server.requests[-1][1] > len(CONTENT) // 2
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_server_without_ranges_starts_again(server, tmp_path):
    server.ranges = False
    (tmp_path / "file.part").write_bytes(CONTENT[:1000])
    assert fetch(server, tmp_path / "file").read_bytes() == CONTENT


def test_a_complete_part_needs_no_transfer(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT)
    assert fetch(server, tmp_path / "file").read_bytes() == CONTENT


def test_a_part_of_another_file_is_thrown_away(server, tmp_path):
    (tmp_path / "file.part").write_bytes(b"x" * 1000)
    assert fetch(server, tmp_path / "file").read_bytes() == CONTENT
    assert [start for _, start in server.requests] == [1000, 0]


def test_a_wrong_checksum_is_refused(server, tmp_path):
    with pytest.raises(EnvironmentFault, match=r"wrong checksum: expected sha256 0+, got"):
        fetch(server, tmp_path / "file", checksum="sha256:" + 64 * "0")
    assert not (tmp_path / "file").exists()
    assert not (tmp_path / "file.part").exists()


def test_the_next_address_is_tried(server, tmp_path):
    urls = [server.url + "/absent", server.url + "/moved"]
    to = download.fetch(urls, tmp_path / "file", checksum=SHA256, by_hand="")
    assert to.read_bytes() == CONTENT


def test_what_was_tried_is_said(server, tmp_path):
    with pytest.raises(EnvironmentFault) as caught:
        fetch(server, tmp_path / "file", path="/absent")
    assert f"{server.url}/absent: HTTP Error 404" in str(caught.value)
    assert "bring it" in str(caught.value)


def test_a_machine_without_network_is_noticed_once(server, tmp_path, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server.url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for _ in range(2):
            with pytest.raises(EnvironmentFault, match="refused"):
                fetch(server, tmp_path / "file")
    assert len(download._unreachable) == 1


def test_a_silent_server_is_given_up_quickly(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(download, "STALL_SECONDS", 1)
    start = time.perf_counter()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server.url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(EnvironmentFault, match=r"no answer within 0\.2 s"):
            fetch(server, tmp_path / "file")
    assert time.perf_counter() - start < 2


def test_offline_by_choice(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNBENCH_OFFLINE", "1")
    with pytest.raises(EnvironmentFault, match="SYNBENCH_OFFLINE"):
        fetch(server, tmp_path / "file")
    assert not server.requests


def test_the_token_goes_to_the_hub_alone(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    fetch(server, tmp_path / "first")
    assert server.tokens == [None]
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    fetch(server, tmp_path / "second", path="/elsewhere")
    assert server.tokens[1:] == ["Bearer secret", None]


def test_the_token_of_the_hubs_own_login_is_used(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    (tmp_path / "token").write_text("from the file\n")
    fetch(server, tmp_path / "file")
    assert server.tokens == ["Bearer from the file"]


def test_a_gated_repository_says_what_to_do(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    with pytest.raises(EnvironmentFault, match=r"accept the terms on .*/gated, then set HF_TOKEN"):
        fetch(server, tmp_path / "file", path="/gated/resolve/main/file")


def test_the_hubs_own_offline_switch_counts_for_the_hub(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    fetch(server, tmp_path / "first")
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    with pytest.raises(EnvironmentFault, match="HF_HUB_OFFLINE"):
        fetch(server, tmp_path / "second")


def test_a_place_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="cannot download"):
        fetch(server, tmp_path / "file" / "below")
