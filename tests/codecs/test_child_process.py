"""Programs that codecs start leave nothing behind: no process, no folder with speech."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from synbench_codecs.support import child_process
from synbench_codecs.support.child_process import last_lines, run_program, scratch_folder

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(300)
"""


def ended(process: int) -> bool:
    """Gone, or dead and not yet collected by its new parent."""
    status = Path(f"/proc/{process}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


def test_a_program_that_takes_too_long_goes_with_its_children(tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc to see other processes")
    note = tmp_path / "pid"
    # On a busy machine the program may not get as far as starting its child.
    for seconds in (2, 10, 60):
        with pytest.raises(TimeoutError):
            run_program([sys.executable, "-c", PARENT, note], folder=tmp_path, seconds=seconds)
        if note.exists() and note.read_text():
            break
    child = int(note.read_text())
    for _ in range(500):
        if ended(child):
            return
        time.sleep(0.02)
    raise AssertionError(f"process {child} is still there")


def test_the_error_output_is_one_line_without_control_characters(tmp_path: Path) -> None:
    script = r"import sys; sys.stderr.write('\x1b]0;title\x07bad\r\n\x1b[2Jworse\n'); sys.exit(3)"
    code, said = run_program([sys.executable, "-c", script], folder=tmp_path, seconds=60)
    assert code == 3
    assert said.isprintable()
    assert said.endswith("worse")
    assert last_lines(b"") == "no message"


def test_scratch_folders_of_dead_processes_go_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    namespace = child_process._namespace()
    left = tmp_path / f"synbench-command-{namespace}-{dead.pid}-abc"
    alive = tmp_path / f"synbench-command-{namespace}-{os.getpid()}-abc"
    foreign = tmp_path / f"synbench-command-{int(namespace) + 1}-{dead.pid}-abc"
    users = tmp_path / "synbench-command-notes"
    for folder in (left, alive, foreign, users):
        folder.mkdir()
        (folder / "input.wav").write_bytes(b"speech")
    child_process._sweep_scratch.cache_clear()
    with scratch_folder("command") as folder:
        (folder / "input.wav").write_bytes(b"speech")
    child_process._sweep_scratch.cache_clear()
    assert not folder.exists()
    assert not left.exists()
    assert all(folder.exists() for folder in (alive, foreign, users))
