"""Files are complete under their name or not there, and only our own temporary files go."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from synbench_base.errors import EnvironmentFault
from synbench_base.files import complete_file, replacing, sweep, temporary_beside, write_bytes


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_with_its_folders(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b.txt", b"content")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"content"
    assert names(tmp_path / "a") == ["b.txt"]


def test_after_an_error_the_old_content_stays_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "b.txt"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError, match="half way"), complete_file(path) as file:
        file.write(b"after")
        raise RuntimeError("half way")
    with pytest.raises(RuntimeError, match="half way"), replacing(path) as temporary:
        temporary.write_bytes(b"after")
        raise RuntimeError("half way")
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["b.txt"]


def test_a_folder_that_is_not_there_is_the_machines_fault(tmp_path: Path) -> None:
    with (
        pytest.raises(EnvironmentFault, match=r"cannot write .*b.txt"),
        complete_file(tmp_path / "absent" / "b.txt"),
    ):
        pass


def test_a_full_disk_names_the_file_that_was_wanted(tmp_path: Path) -> None:
    program = (
        "import pathlib, signal, synbench_base.files as files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"path = pathlib.Path({str(tmp_path / 'big')!r})\n"
        "try: files.write_bytes(path, bytes(1 << 20))\n"
        "except OSError as error: print(error.filename)\n"
    )
    limits = (1 << 16, 1 << 16)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits),
    )
    assert done.stdout.strip() == str(tmp_path / "big"), done.stderr
    assert names(tmp_path) == []


def test_sweeping_removes_our_own_files_and_no_others(tmp_path: Path) -> None:
    ours = temporary_beside(tmp_path / "deep" / "a.flac")
    theirs = [".mine.tmp", ".synbench-notes.tmp", ".a.1.tmp", ".123.0123456789abcdef.tmp", "a.tmp"]
    ours.parent.mkdir()
    for path in (ours, *(ours.parent / name for name in theirs)):
        path.write_bytes(b"half")
    sweep(tmp_path)
    assert names(ours.parent) == sorted(theirs)
