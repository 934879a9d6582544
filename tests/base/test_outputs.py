"""What a user names with --out stays what it is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from synbench_base.errors import EnvironmentFault
from synbench_base.outputs import is_standard_output, output_file, write_output


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    real, link = tmp_path / "far" / "real.csv", tmp_path / "link.csv"
    link.symlink_to(real)
    for content in (b"one", b"two"):  # the first makes the file that the link points to
        write_output(link, content)
        assert link.is_symlink()
        assert real.read_bytes() == content
    assert sorted(path.name for path in (tmp_path / "far").iterdir()) == ["real.csv"]


def test_what_a_link_points_to_stays_whole_when_writing_fails(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_bytes(b"old")
    link.symlink_to(real)
    with pytest.raises(ZeroDivisionError), output_file(link) as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert real.read_bytes() == b"old"


@pytest.mark.timeout(20)
def test_a_named_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_output(pipe, b"content")
    reader.join(10)
    assert read == [b"content"]
    assert pipe.is_fifo()


def test_devices_get_the_bytes(tmp_path: Path) -> None:
    write_output(Path("/dev/null"), b"content")
    assert Path("/dev/null").is_char_device()
    link = tmp_path / "null.csv"
    link.symlink_to("/dev/null")
    write_output(link, b"content")
    assert link.is_symlink()
    with pytest.raises(EnvironmentFault, match="cannot write /dev/full: No space left"):
        write_output(Path("/dev/full"), b"content")


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
@pytest.mark.parametrize("into", ["pipe", "file"])
def test_standard_output_by_name(name: str, into: str, tmp_path: Path) -> None:
    if name == "link":
        name = str(tmp_path / "link.csv")
        Path(name).symlink_to("/dev/stdout")
    assert is_standard_output(Path(name))
    script = (
        "from pathlib import Path; from synbench_base.outputs import write_output; import sys;"
        f"print('before'); write_output(Path({name!r}), b'content'); print('after')"
    )
    with (tmp_path / "out").open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-c", script],
            stdout=file if into == "file" else subprocess.PIPE,
            check=True,
        )
    written = (tmp_path / "out").read_bytes() if into == "file" else done.stdout
    assert written == b"before\ncontentafter\n"
    assert os.path.lexists("/dev/stdout")
