"""Standard streams as they may come: closed, on a full disk, or without a reader."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import NoReturn

CANNOT_WRITE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EBADF, errno.EROFS, errno.ENXIO}
)
# Where click, rich and we write to standard output, by the ends of their files' names.
WRITERS = ("rich/console.py", "click/utils.py", "synbench/__main__.py", "standard_streams.py")

__all__ = ["ReaderHasGone", "abandon_output", "output_fault", "prepare_streams", "reader_has_gone"]


class ReaderHasGone(Exception):
    """Whoever read standard output, such as ``head``, wants no more: no fault, and no message."""


class _Closed(io.TextIOBase):
    """Standard output that was closed: nothing printed may vanish without a word."""

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> NoReturn:
        raise OSError(errno.EBADF, "it is closed")


def prepare_streams() -> None:
    """Give numbers 0 to 2 to something, so that no file of ours gets them and is printed into."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = _Closed()


def output_fault(error: Exception) -> tuple[int, str] | None:
    """Exit code and message where standard output is at fault, ``None`` where something else is."""
    if isinstance(error, ReaderHasGone):
        return 0, ""
    if not isinstance(error, OSError):
        return None
    if error.filename is None and error.errno in CANNOT_WRITE:
        printed = any(name.endswith(WRITERS) for name in _files(error.__traceback__))
        where = "cannot write to standard output" if printed else "cannot write"
        return 3, f"{where}: {error.strerror}"
    return None


def reader_has_gone() -> bool:
    """Whether standard output is a pipe that nobody reads any more."""
    poll = select.poll()
    poll.register(1, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _files(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename.replace(os.sep, "/")
        trace = trace.tb_next


def abandon_output() -> None:
    """Let what is still buffered go nowhere: it would fail again, with a traceback, at the end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
