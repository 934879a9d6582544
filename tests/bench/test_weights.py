"""``synbench weights``: from a server on this machine, from a folder, and what must be refused."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import http.server
import json
import os
import sys
import threading
from typing import ClassVar

import pytest

from synbench import download
from synbench.__main__ import main
from synbench_base.errors import MissingWeights, WeightsError
from synbench_base.weights import (
    Checkpoint,
    WeightsSource,
    find_weights,
    first_seen,
    weights_path,
)
from synbench_codecs import _registry

CONTENT = {"model.safetensors": b"tensors" * 50_000, "second.bin": b"more" * 1000}


def source(file, **changes):
    pinned = WeightsSource(
        repository="huggingface.co/somebody/model",
        revision="0123abc",
        file=f"sub/{file}",
        sha256=hashlib.sha256(CONTENT[file]).hexdigest(),
        bytes=len(CONTENT[file]),
    )
    return dataclasses.replace(pinned, **changes)


ONE = Checkpoint(name="one", files=(source("model.safetensors"),), licence="MIT")
TWO = Checkpoint(name="two", files=(source("model.safetensors"), source("second.bin")))
UNPINNED = Checkpoint(name="unpinned", files=(source("second.bin", sha256="", bytes=None),))


class Fake:
    checkpoints: ClassVar = (ONE, TWO, UNPINNED)


class Other:
    checkpoints: ClassVar = (ONE,)


@pytest.fixture(autouse=True)
def declared(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_registry.registry, "modules", ("made_up",))
    monkeypatch.setattr(
        _registry.registry, "_contents", {"made_up": {"fake": Fake, "other": Other}}
    )
    monkeypatch.setattr(_registry.registry, "entry_points", {})
    monkeypatch.setattr("synbench_metrics.names", list)
    monkeypatch.setenv("SYNBENCH_OFFLINE", "1")


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "site" / "somebody" / "model" / "resolve" / "0123abc" / "sub"
    folder.mkdir(parents=True)
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    return folder


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path, files, monkeypatch):
    monkeypatch.delenv("SYNBENCH_OFFLINE")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "_unreachable", {})
    handler = functools.partial(Handler, directory=tmp_path / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield files
        server.shutdown()
        thread.join()


def synbench(capsys, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["synbench", "weights", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    return ended.value.code, printed.out, printed.err


@pytest.fixture
def call(capsys, monkeypatch):
    return functools.partial(synbench, capsys, monkeypatch)


def states(call, *arguments):
    return {fact["name"]: fact["state"] for fact in json.loads(call(*arguments, "--json")[1])}


def test_what_is_declared_is_listed_with_its_users(call):
    code, out, _ = call("list", "--json")
    assert code == 0
    facts = {fact["name"]: fact for fact in json.loads(out)}
    assert sorted(facts) == ["one", "two", "unpinned"]
    assert facts["one"]["users"] == ["fake", "other"]
    assert facts["one"]["licence"] == "MIT"
    assert facts["one"]["state"] == "missing"
    assert facts["two"]["files"][1]["bytes"] == len(CONTENT["second.bin"])
    assert not facts["unpinned"]["files"][0]["pinned"]
    assert "to fetch one: synbench weights fetch one" in call("list")[1]


def test_names_are_whole_in_a_pipe_and_on_a_narrow_terminal(call, monkeypatch):
    name = "a-checkpoint-with-a-name-of-more-than-forty-letters"
    long = Checkpoint(name=name, files=(source("second.bin"),))
    monkeypatch.setattr(Fake, "checkpoints", (long,))
    monkeypatch.delenv("COLUMNS", raising=False)
    assert call("list")[1].count(name) == 2
    monkeypatch.setenv("COLUMNS", "60")
    assert call("list")[1].count(name) == 2


def test_a_file_inside_an_installed_package_is_here(call, files, tmp_path, monkeypatch):
    held = Checkpoint(name="held", files=(source("second.bin", distribution="holder"),))
    monkeypatch.setattr(Fake, "checkpoints", (held,))
    monkeypatch.setattr(Other, "checkpoints", ())
    assert states(call, "list") == {"held": "missing"}
    site = tmp_path / "packages"
    (site / "holder-1.0.dist-info").mkdir(parents=True)
    (site / "holder-1.0.dist-info" / "METADATA").write_text("Name: holder\nVersion: 1.0\n")
    (site / "sub").mkdir()
    (site / "sub" / "second.bin").write_bytes(CONTENT["second.bin"])
    monkeypatch.syspath_prepend(site)
    for command in ("list", "check", "fetch"):
        named = [] if command == "list" else ["held"]
        assert states(call, command, *named) == {"held": "present"}
    (site / "sub" / "second.bin").write_bytes(CONTENT["second.bin"][::-1])
    assert states(call, "check", "held") == {"held": "wrong"}
    assert states(call, "fetch", "held", "--from", files) == {"held": "present"}
    assert weights_path(held.files[0]).is_relative_to(tmp_path / "cache")


def test_a_checkpoint_is_fetched_to_its_place(call, site):
    code, out, _ = call("fetch", "two")
    assert (code, "present" in out) == (0, True)
    for one in TWO.files:
        assert weights_path(one).read_bytes() == CONTENT[weights_path(one).name]
    # One file belongs to both.
    assert states(call, "list") == {"one": "present", "two": "present", "unpinned": "missing"}


def test_what_is_here_is_not_fetched_again(call, site):
    call("fetch", "one")
    (site / "model.safetensors").unlink()
    assert call("fetch", "one")[0] == 0


def test_a_codecs_name_stands_for_all_of_its_checkpoints(call, site):
    assert states(call, "fetch", "other") == {"one": "present"}
    assert set(states(call, "fetch", "--all").values()) == {"present"}


def test_a_wrong_file_from_the_network_is_refused(call, site):
    (site / "model.safetensors").write_bytes(b"another model")
    code, _, err = call("fetch", "one")
    assert code == 3
    assert "wrong checksum: expected sha256" in err
    assert states(call, "list")["one"] == "missing"


def test_without_network_the_next_step_is_named(call):
    code, _, err = call("fetch", "one")
    assert code == 3
    assert "huggingface.co/somebody/model/resolve/0123abc/sub/model.safetensors" in err
    assert "synbench weights fetch one --from <file or folder>" in err


@pytest.mark.parametrize("origin", ["file", "folder", "folder above"])
def test_files_are_taken_from_a_file_or_a_folder(call, files, origin):
    own = {"file": files / "model.safetensors", "folder": files, "folder above": files.parents[3]}
    assert call("fetch", "one", "--from", own[origin])[0] == 0
    assert states(call, "check", "one") == {"one": "present"}
    assert (files / "model.safetensors").is_file()


def test_the_right_one_of_several_files_is_taken(call, files, tmp_path):
    (files.parents[2] / "model.safetensors").write_bytes(b"another model")
    assert call("fetch", "one", "--from", tmp_path)[0] == 0


def test_a_wrong_file_from_a_place_is_refused(call, files):
    (files / "model.safetensors").write_bytes(b"another model")
    code, _, err = call("fetch", "one", "--from", files)
    assert code == 2
    assert f"expected sha256 {ONE.files[0].sha256}" in err
    assert states(call, "list")["one"] == "missing"


def test_a_place_without_the_file_is_an_error(call, tmp_path):
    code, _, err = call("fetch", "one", "--from", tmp_path)
    assert code == 2
    assert "no model.safetensors in" in err


def test_the_first_file_without_published_digest_pins_it(call, site):
    assert call("fetch", "unpinned")[0] == 0
    sha256 = hashlib.sha256(CONTENT["second.bin"]).hexdigest()
    assert first_seen(UNPINNED.files[0]) == sha256
    assert "first seen" in call("list")[1]
    weights_path(UNPINNED.files[0]).unlink()
    (site / "second.bin").write_bytes(b"changed")
    code, _, err = call("fetch", "unpinned")
    assert code == 3
    assert f"is not the file seen first: expected sha256 {sha256}" in err
    assert call("fetch", "unpinned", "--from", site)[0] == 2


def test_a_damaged_file_is_found_and_mended(call, site):
    call("fetch", "two")
    damaged = weights_path(TWO.files[0])
    damaged.write_bytes(CONTENT["model.safetensors"].replace(b"t", b"T"))
    assert states(call, "list")["two"] == "present"  # its digest is not read
    code, out, _ = call("check")
    assert (code, "expected sha256" in out) == (1, True)
    assert states(call, "check") == {"one": "wrong", "two": "wrong"}
    call("fetch", "two")
    assert call("check")[0] == 0


def test_a_truncated_file_is_seen_without_reading_it(call, files):
    call("fetch", "one", "--from", files)
    with weights_path(ONE.files[0]).open("r+b") as file:
        file.truncate(1000)
    assert states(call, "list")["one"] == "wrong"


def test_checking_a_missing_one_by_name_fails(call):
    assert call("check")[0] == 0
    assert call("check", "one")[0] == 1


@pytest.mark.parametrize(
    ("names", "message"),
    [(["oen"], "did you mean one"), (["zzz"], "see: synbench weights list"), ([], "--all")],
)
def test_wrong_names_are_explained(call, names, message):
    code, _, err = call("fetch", *names)
    assert (code, message in err) == (2, True)


def test_two_checkpoints_of_one_name_are_refused(call, monkeypatch):
    monkeypatch.setattr(Other, "checkpoints", (dataclasses.replace(ONE, licence="other"),))
    code, _, err = call("list")
    assert code == 2
    assert "two different checkpoints are called 'one': those of fake and of other" in err


@pytest.mark.parametrize(
    ("repository", "url"),
    [
        ("huggingface.co/a/b", "https://huggingface.co/a/b/resolve/v1/x/y.pt"),
        ("github.com/a/b", "https://github.com/a/b/raw/v1/x/y.pt"),
        ("github.com/a/b/releases", "https://github.com/a/b/releases/download/v1/x/y.pt"),
        ("zenodo.org/records", "https://zenodo.org/records/v1/files/x/y.pt?download=1"),
    ],
)
def test_addresses(monkeypatch, repository, url):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert download.address(repository, "v1", "x/y.pt") == url


def hub_entry(folder, content, *, commit="0123abc", blob=""):
    """Lay a file into the hub's cache as the hub's own tools do."""
    repository = folder / "models--somebody--model"
    blob = repository / "blobs" / (blob or hashlib.sha256(content).hexdigest())
    link = repository / "snapshots" / commit / "sub" / "model.safetensors"
    for path in (blob, link):
        path.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    link.symlink_to(os.path.relpath(blob, link.parent))
    return link


def test_what_the_hubs_own_cache_holds_is_used_where_it_lies(call, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    link = hub_entry(tmp_path / "hub", CONTENT["model.safetensors"], commit="another")
    assert states(call, "list")["one"] == "present"
    assert find_weights(ONE)[0].path == link
    assert states(call, "fetch", "one") == {"one": "present"}
    assert not (tmp_path / "cache" / "weights" / ONE.files[0].sha256).exists()


def test_another_content_in_the_hubs_cache_is_passed_over_or_refused(call, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    hub_entry(tmp_path / "home" / "hub", b"another model")
    assert states(call, "list")["one"] == "missing"
    link = hub_entry(tmp_path / "home" / "hub", b"another one", commit="main", blob="0" * 40)
    moved = Checkpoint(name="moved", files=(source("model.safetensors", revision="main"),))
    with pytest.raises(WeightsError, match="is not the pinned file"):
        find_weights(moved)
    assert link.is_file()


def test_a_suite_brings_what_its_codecs_and_metrics_load(call, site, tmp_path, monkeypatch):
    suite = tmp_path / "mine.yaml"
    suite.write_text("{name: mine, corpora: [made], codecs: [fake], metrics: [stoi]}")

    def missing(spec):
        raise MissingWeights("two", "second.bin")

    monkeypatch.setattr("synbench_codecs.load", missing)
    code, _, err = call("fetch", suite, "--json")
    assert (code, "2 files to fetch, 0.4 MB" in err) == (0, True)
    assert states(call, "list")["two"] == "present"


def test_packed_weights_are_taken_on_a_machine_without_a_network(call, site, tmp_path, monkeypatch):
    code, out, err = call("pack", "fake", "--out", tmp_path / "stick")
    assert code == 0, err
    assert "2 files, 0.4 MB" in out
    assert "licences of the weights: MIT, unstated" in out
    # Another file of the same name must not be taken for the one that nobody has pinned.
    (tmp_path / "stick" / "second.bin").write_bytes(b"another")
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "other machine"))
    monkeypatch.setenv("SYNBENCH_OFFLINE", "1")
    assert call("fetch", "fake", "--from", tmp_path / "stick")[0] == 0
    assert set(states(call, "list").values()) == {"present"}
    assert weights_path(UNPINNED.files[0]).read_bytes() == CONTENT["second.bin"]


def test_different_files_of_one_unpinned_name_are_refused(call, files):
    (files.parent / "second.bin").write_bytes(b"another")
    code, _, err = call("fetch", "unpinned", "--from", files.parent)
    assert (code, "--from FILE" in err) == (2, True)


def test_what_cannot_be_brought_does_not_stop_the_rest(call, site):
    (site / "second.bin").unlink()
    code, _, err = call("fetch", "--all")
    assert code == 3
    assert "2 checkpoints could not be brought" in err
    assert states(call, "list")["one"] == "present"
