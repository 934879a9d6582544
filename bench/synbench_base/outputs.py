"""Files that a user names with ``--out``: links are written through, pipes and devices written to.

What synbench stores by itself is written by :mod:`synbench_base.files`, which replaces whatever
lies there. A name that a user typed is kept as what it is: a link goes on pointing to its file,
which is replaced when all is written; a named pipe, ``/dev/stdout``, ``/dev/fd/3`` or ``/dev/null``
gets the bytes. Only for names that were typed: a link in a folder of somebody else's is not one.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from synbench_base.errors import EnvironmentFault
from synbench_base.files import complete_file

STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}
DESCRIPTOR = re.compile(r"/dev/(stdin|stdout|stderr)|(?:/dev|/proc/[^/]+)/fd/([0-9]+)")
LONGEST_CHAIN_LINKS = 40  # links, as the system itself bounds them

__all__ = ["is_standard_output", "is_stream", "output_file", "write_output"]


@contextlib.contextmanager
def output_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write to; what it replaces stays as it was until the block has ended.

    Raises:
        EnvironmentFault: the folder is absent or read-only, or the disk or device is full.
        BrokenPipeError: whoever reads the pipe has gone.
    """
    if not is_stream(path):
        with complete_file(path.resolve() if path.is_symlink() else path) as file:
            yield file
        return
    # Parquet looks back at what it wrote, which a pipe cannot.
    buffer = io.BytesIO()
    yield buffer
    try:
        with _opened(path) as sink:
            sink.write(buffer.getbuffer())
    except BrokenPipeError:
        raise
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror}") from error


def write_output(path: Path, data: bytes | memoryview) -> None:
    """Write all of a file; folders that are absent are made.

    Raises:
        EnvironmentFault, BrokenPipeError: as :func:`output_file`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror}") from error
    with output_file(path) as file:
        file.write(data)


def is_stream(path: Path) -> bool:
    """Whether a name stands for a pipe or a device, to which bytes are only added."""
    if _descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def is_standard_output(path: Path | None) -> bool:
    """Whether a name stands for standard output, so that nothing else may be printed there."""
    return path is not None and _descriptor(path) == STREAMS["stdout"]


def _opened(path: Path) -> IO[bytes]:
    descriptor = _descriptor(path)
    if descriptor is None:
        return path.open("wb")
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    return os.fdopen(os.dup(descriptor), "wb")


def _descriptor(path: Path) -> int | None:
    """The number of the open file that a name, or the link that it is, stands for."""
    for _ in range(LONGEST_CHAIN_LINKS):
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links must not be resolved here
        if named := DESCRIPTOR.fullmatch(str(absolute)):
            return STREAMS[named[1]] if named[1] else int(named[2])
        if not absolute.is_symlink():
            return None
        path = absolute.parent / absolute.readlink()
    return None
