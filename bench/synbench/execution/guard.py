"""Foreign code under guard: what it raises, and too long a time, become the fault of one cell."""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import IO, Any

from synbench.execution.stop_signals import Stopped
from synbench_base.errors import ItemError, SynbenchError

# Longest time of a cell where the user names none: enough for a slow codec on a busy machine.
CELL_SECONDS, CELL_SECONDS_PER_AUDIO_SECOND = 600.0, 60.0
# Python code is stopped by a signal; native code only with its process, so much later.
GRACE_SECONDS = 20.0

__all__ = ["CellFault", "guarded", "usual_seconds"]


class CellFault(ItemError):
    """What a codec or a metric raised or did wrong, in words; it costs one cell."""


class _TimeIsUp(BaseException):
    """Raised by the alarm inside foreign code, past its ``except Exception``."""


def usual_seconds(audio_seconds: float) -> float:
    """How long one codec or metric may take for a clip, in seconds, where the user says nothing."""
    return CELL_SECONDS + CELL_SECONDS_PER_AUDIO_SECOND * audio_seconds


@contextlib.contextmanager
def guarded(seconds: float) -> Iterator[None]:
    """Foreign code: whatever it raises, and too long a time, is a fault of the cell.

    ``SystemExit``, ``KeyboardInterrupt`` and the like count too where the code raised them itself.
    Native code that does not come back is ended with its worker, whose unit is then taken apart.

    Raises:
        CellFault: with the reason.
    """
    try:
        with _alarm(seconds):
            yield
    except _TimeIsUp:
        raise CellFault(f"took longer than {seconds:g} s") from None
    except MemoryError:
        raise CellFault("out of memory") from None
    except ItemError:
        raise
    except KeyboardInterrupt as error:
        if isinstance(error, Stopped) or _interrupted():
            raise
        raise CellFault(f"KeyboardInterrupt: {error}".rstrip(": ")) from error
    except BaseException as error:
        raise CellFault(_in_words(error)) from error


def _in_words(error: BaseException) -> str:
    """The message of an error that was raised on purpose; else what it was, too."""
    if isinstance(error, SynbenchError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _interrupted() -> bool:
    """Whether the user may have typed Ctrl-C: workers do not hear of it."""
    return not _is_worker() and _Interrupt.typed


def _is_worker() -> bool:
    """Whether another process of Python's has started this one."""
    processes: Any = sys.modules.get("multiprocessing.process")
    return processes is not None and processes.parent_process() is not None


class _Interrupt:
    """Tells Ctrl-C from a codec that raises ``KeyboardInterrupt`` in the same process."""

    typed = False

    @classmethod
    def note(cls, _number: int, _frame: FrameType | None) -> None:
        cls.typed = True
        raise KeyboardInterrupt


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield  # no signal reaches a thread of somebody's cluster, and Windows has none to send
        return
    before = signal.signal(signal.SIGALRM, _raise)
    previous = _hear_interrupts()
    worker = _is_worker()
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    if worker:
        faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True, file=_nowhere())
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        if worker:
            faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)
        if previous is not None:
            signal.signal(signal.SIGINT, previous)


def _hear_interrupts() -> Callable[[int, FrameType | None], Any] | None:
    """Take note of Ctrl-C in this very process, where Python's own handler stands."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return None
    signal.signal(signal.SIGINT, _Interrupt.note)
    return signal.default_int_handler


@functools.cache
def _nowhere() -> IO[bytes]:
    return Path(os.devnull).open("wb")


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise _TimeIsUp
