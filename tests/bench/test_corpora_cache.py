"""What is remembered about files, and that nothing depends on it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import wave
from pathlib import Path

import pytest

from synbench import cache, corpora
from synbench.corpora import _measure
from synbench.errors import EnvironmentFault


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def make(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        path = folder / f"{number:04d}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(number.to_bytes(2, "little") * 80)
        os.utime(path, (1_600_000_000, 1_600_000_000))
    return folder


def load(folder, **more):
    return corpora.load(f"folder:path={folder}", **more)


def forbid_reading(monkeypatch):
    def refuse(path):
        raise AssertionError(f"read {path} again")

    monkeypatch.setattr(_measure, "measure_file", refuse)


def test_the_second_load_reads_no_file_again(scratch, monkeypatch):
    folder = make(scratch / "many", 200)
    first = load(folder)
    forbid_reading(monkeypatch)
    assert load(folder) == first


def test_progress_counts_files(scratch):
    folder = make(scratch / "few", 3)
    seen = []
    load(folder, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    load(folder, progress=lambda done, total: seen.append((done, total)))
    assert seen[4:] == [(3, 3)]


def test_a_file_that_changed_is_read_again(scratch):
    folder = make(scratch / "few", 2)
    before = load(folder).digest
    path = folder / "0000.wav"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert load(folder).digest != before


def test_a_file_that_changed_a_moment_ago_is_not_remembered(scratch, monkeypatch):
    folder = make(scratch / "few", 1)
    path = folder / "0000.wav"
    path.touch()
    moment = path.stat().st_mtime_ns
    before = load(folder).digest
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(moment, moment))  # as a clock with coarse ticks would leave it
    assert load(folder).digest != before


def test_a_corrupt_cache_is_replaced(scratch, monkeypatch):
    folder = make(scratch / "few", 2)
    first = load(folder)
    (database,) = (scratch / "cache").glob("*.sqlite3")
    database.write_bytes(b"this is no database at all" * 100)
    assert load(folder) == first
    forbid_reading(monkeypatch)
    assert load(folder) == first


def test_a_cache_that_somebody_holds_is_left_alone(scratch, monkeypatch):
    folder = make(scratch / "few", 2)
    (scratch / "cache").mkdir()
    path = scratch / "cache" / "measurements-1.sqlite3"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE precious (content TEXT)")
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(cache, "BUSY_SECONDS", 0.05)
        assert len(load(folder).items) == 2
        other.execute("COMMIT")
        assert other.execute("SELECT * FROM precious").fetchall() == []


def test_a_cache_that_cannot_be_made_does_not_matter(scratch, monkeypatch):
    folder = make(scratch / "few", 2)
    (scratch / "file").write_text("in the way")
    monkeypatch.setenv("SYNBENCH_CACHE", str(scratch / "file" / "cache"))
    assert len(load(folder).items) == 2
    assert load(folder, expected_digest=load(folder).digest).items


def test_a_damaged_table_does_not_matter(scratch):
    folder = make(scratch / "few", 2)
    first = load(folder)
    with cache.Measurements() as memory:
        memory._database.execute("DROP TABLE measured")
        memory._database.execute("CREATE TABLE measured (other TEXT)")
        memory._database.execute("DROP TABLE contents")
        memory._database.execute("CREATE TABLE contents (other TEXT)")
    assert load(folder) == first


def test_where_the_cache_folder_is(monkeypatch, tmp_path):
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path))
    assert cache.cache_folder() == tmp_path
    monkeypatch.delenv("SYNBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "synbench"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.cache_folder() == Path.home() / ".cache" / "synbench"


def test_half_a_folder_never_gets_the_final_name(tmp_path):
    def fail(folder):
        (folder / "half").write_text("half")
        raise ValueError("broken off")

    with pytest.raises(ValueError, match="broken off"):
        cache.build_once(tmp_path / "made", fail)
    assert not (tmp_path / "made").exists()
    assert not list(tmp_path.glob("*.tmp"))
    cache.build_once(tmp_path / "made", lambda folder: (folder / "whole").touch())
    cache.build_once(tmp_path / "made", fail)
    assert (tmp_path / "made" / "whole").exists()


def test_a_place_that_cannot_be_written_is_an_environment_fault(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="SYNBENCH_CACHE"):
        cache.build_once(tmp_path / "file" / "made", lambda folder: None)


@pytest.mark.parametrize("how", ["in place", "replaced"])
def test_another_file_of_equal_size_and_time_is_read(how, scratch):
    folder = make(scratch / "few", 2)
    before = load(folder).digest
    path = folder / "0000.wav"
    moment = path.stat().st_mtime_ns
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    if how == "in place":
        path.write_bytes(content)
    else:
        (scratch / "new.wav").write_bytes(content)
        (scratch / "new.wav").replace(path)
    os.utime(path, ns=(moment, moment))
    after = load(folder)
    assert after.digest != before
    path.chmod(0o600)  # a change that is none costs a reading, and nothing else
    assert load(folder) == after
