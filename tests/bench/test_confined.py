"""A run folder of a stranger: no stored name, and no link in it, leads out of the folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from synbench.errors import EnvironmentFault, UsageError
from synbench.lock import only_run
from synbench.results.confined import inside, plain_name, stored_file
from synbench.results.store import RunFolder

NAMES_THAT_LEAD_OUT = (
    "/etc/passwd",
    "../secret",
    "a/../../secret",
    "..",
    ".",
    "",
    "a\\..\\secret",
    "a\x00b",
    "a\nb",
    "x" * 300,
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    (tmp_path / "secret").write_text("the private key")
    folder = RunFolder(tmp_path / "run")
    folder.begin({"format": 1}, [])
    folder.add("scores", [{"item": "a", "status": "ok", "value": 0.5}])
    return folder


@pytest.mark.parametrize("name", NAMES_THAT_LEAD_OUT)
def test_names_that_lead_out_are_refused(run: RunFolder, name: str) -> None:
    with pytest.raises(UsageError, match="not opened"):
        inside(run.path, name)


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "", "a\tb", "\\", "y" * 256])
def test_names_that_are_no_file_name(name: str) -> None:
    with pytest.raises(UsageError, match="the corpus"):
        plain_name(name, what="the corpus")
    assert plain_name("LibriTTS, clean (2)", what="the corpus") == "LibriTTS, clean (2)"


def test_links_that_lead_out_are_refused_and_links_inside_are_not(
    run: RunFolder, tmp_path: Path
) -> None:
    (run.path / "link").symlink_to(tmp_path / "secret")
    (run.path / "above").symlink_to(tmp_path)
    (run.path / "near").symlink_to("manifest.json")
    for name in ("link", "above/secret"):
        with pytest.raises(UsageError, match="leads out"):
            stored_file(run.path, name)
    assert stored_file(run.path, "near") == run.path / "near"
    (tmp_path / "elsewhere").symlink_to(run.path)
    assert stored_file(tmp_path / "elsewhere", "manifest.json") is not None


def test_pipes_and_devices_are_not_opened(run: RunFolder) -> None:
    os.mkfifo(run.path / "pipe")
    with pytest.raises(UsageError, match="no regular file"):
        stored_file(run.path, "pipe")
    assert stored_file(run.path, "absent") is None


@pytest.mark.parametrize("name", ["manifest.json", "items.parquet", "log.txt"])
def test_no_file_of_a_run_is_read_or_written_through_a_link(
    run: RunFolder, tmp_path: Path, name: str
) -> None:
    (run.path / name).unlink(missing_ok=True)
    (run.path / name).symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match="leads out"):
        run.log("a line")
        run.begin({}, [])
    assert (tmp_path / "secret").read_text() == "the private key"


@pytest.mark.parametrize("tree", ["scores", "decodes", "bitstreams", "reconstructions"])
def test_no_tree_of_a_run_lies_elsewhere(run: RunFolder, tmp_path: Path, tree: str) -> None:
    (tmp_path / "mine").mkdir()
    if (run.path / tree).exists():
        (run.path / tree).rename(run.path / "old")
    (run.path / tree).symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="leads out"):
        run.begin({}, [])
    assert not list((tmp_path / "mine").iterdir())


def test_the_lock_is_no_link(run: RunFolder, tmp_path: Path) -> None:
    (run.path / ".lock").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match="leads out"), only_run(run.path):
        pass
    assert (tmp_path / "secret").read_text() == "the private key"


def test_shards_of_links_are_refused(run: RunFolder, tmp_path: Path) -> None:
    (shard,) = run.shards("scores")
    (tmp_path / "theirs.parquet").write_bytes(shard.read_bytes())
    (run.path / "scores" / "theirs.parquet").symlink_to(tmp_path / "theirs.parquet")
    with pytest.raises(UsageError, match="leads out"):
        run.rows("scores", ["value"])


@pytest.mark.parametrize("step", [61, pytest.param(7, marks=pytest.mark.slow)])
def test_every_single_flipped_bit_of_a_shard_is_noticed(run: RunFolder, step: int) -> None:
    """Of every few bits one; the step is prime to eight, so all bits of a byte have their turn."""
    (shard,) = run.shards("scores")
    whole = shard.read_bytes()
    noticed = 0
    for bit in range(0, 8 * len(whole), step):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        shard.write_bytes(damaged)
        with pytest.raises(EnvironmentFault, match="remove the damaged file"):
            run.rows("scores", ["value"])
        noticed += 1
    assert noticed > 2100 / step
    shard.write_bytes(whole)
    assert run.rows("scores", ["value"]) == [(0.5,)]


def test_rows_of_older_versions_are_read_as_they_are(run: RunFolder) -> None:
    (shard,) = run.shards("scores")
    shard.rename(shard.with_name("0123456789abcdef.parquet"))
    assert run.rows("scores", ["value"]) == [(0.5,)]


def test_a_corpus_whose_name_climbs_is_refused(
    speech_folder: Path, write_suite: Any, synbench: Any, tmp_path: Path
) -> None:
    corpora = [{"corpus": f"folder:path={speech_folder}", "name": "../../../out"}]
    done = synbench("run", write_suite(speech_folder, corpora=corpora), "--out", tmp_path / "run")
    assert done.returncode == UsageError.exit_code
    assert "corpus name" in done.stderr
    assert not list(tmp_path.rglob("*.syn"))
