"""Programs that codecs start: own group, own scratch folder, gone when their time is up."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

SHOWN_LINES = 5
READ_BYTES = 65536
SCRATCH = re.compile(r"synbench-[a-z]+-(\d+)-(\d+)-")

__all__ = ["end_group", "last_lines", "run_program", "scratch_folder"]


@contextlib.contextmanager
def scratch_folder(kind: str) -> Iterator[Path]:
    """A temporary folder that goes in the end, whatever a program left in it.

    It holds speech. One that a killed process left behind goes at the next use on the machine: its
    name says whose it was.
    """
    _sweep_scratch()
    prefix = f"synbench-{kind}-{_namespace()}-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@functools.cache
def _sweep_scratch() -> None:
    """Once a process: remove this user's scratch folders whose process is no more."""
    with contextlib.suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob("synbench-*-*-*"):
            named = SCRATCH.match(path.name)
            left = named and named[1] == _namespace() and not _alive(int(named[2]))
            if left and not path.is_symlink() and path.stat().st_uid == os.getuid():
                shutil.rmtree(path, ignore_errors=True)


@functools.cache
def _namespace() -> str:
    """What numbers of processes count in: containers may share a temporary folder."""
    with contextlib.suppress(OSError):
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    return "0"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def run_program(command: Sequence[str | Path], *, folder: Path, seconds: float) -> tuple[int, str]:
    """Run a program to its end: its exit code, and the last lines of its error output.

    Raises:
        TimeoutError: it took too long; it and all that it started were killed.
        OSError: it cannot be started, for one because it is neither binary nor has a first line
            that names its interpreter.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            if process.returncode is None:
                end_group(process)
        size = errors.seek(0, os.SEEK_END)
        errors.seek(max(0, size - READ_BYTES))
        return code, last_lines(errors.read())


def end_group(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Kill a program that has its own group, with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # Windows: what the program itself started is left
            process.kill()
    process.wait()


def last_lines(output: bytes) -> str:
    """The end of a program's error output, on one line and without control characters."""
    lines = output.decode(errors="replace").strip().splitlines()[-SHOWN_LINES:]
    kept = ("".join(c if c.isprintable() else " " for c in line).strip() for line in lines)
    return " / ".join(kept) or "no message"
