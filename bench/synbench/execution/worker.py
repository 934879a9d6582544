"""What decoding and scoring share in a worker: reports, clocks, limits, and what a fault becomes.

Whatever goes wrong with one cell becomes that cell's row, with the reason. Only what makes going on
pointless (the disk of the run folder is full) leaves a worker as an exception.
"""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import functools
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any

from synbench import policy
from synbench.audio import read_audio
from synbench.conditions.applied import applied
from synbench.execution.stop_signals import Stopped
from synbench.execution.units import ItemWork, item_digest
from synbench.published import without_folders
from synbench_base.errors import EnvironmentFault, ItemError, SynbenchError
from synbench_base.files import one_line

FATAL_ERRNO = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE})
# Longest time of a cell where the user names none: enough for a slow codec on a busy machine.
CELL_SECONDS, CELL_SECONDS_PER_AUDIO_SECOND = 600.0, 60.0
# Python code is stopped by a signal; native code only with its process, so much later.
GRACE_SECONDS = 20.0
# Before the reason why a codec has no such thing as a condition asks for: no failure of it.
NO_SUCH_CELL = "not applicable: "

__all__ = [
    "NO_SUCH_CELL",
    "CellFault",
    "UnitReport",
    "cell_seconds",
    "fatal_faults",
    "guarded",
    "published_reason",
    "read_item",
    "stopwatch",
    "usual_seconds",
]


@dataclass(frozen=True, kw_only=True)
class UnitReport:
    """What a finished unit tells the one who submitted it.

    Attributes:
        statuses: how many cells ended how, by (codec id, status).
        reasons: how often each reason for a failure came up.
        undecoded: (corpus, item, codec id) to (reason, transient), for failed decodes.
        bundles: names of the files that hold what was made, see :mod:`~.scratch`.
    """

    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    undecoded: dict[tuple[str, str, str], tuple[str, bool]] = field(default_factory=dict)
    bundles: tuple[str, ...] = ()


class CellFault(ItemError):
    """What a codec or a metric raised or did wrong, in words; it costs one cell."""


class _TimeIsUp(BaseException):
    """Raised by the alarm inside foreign code, past its ``except Exception``."""


def cell_seconds(item: ItemWork, wanted: float) -> float:
    """How long one cell may take, in seconds; ``wanted`` is the user's limit, 0 for the usual."""
    return wanted or usual_seconds(item.seconds)


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
    return multiprocessing.parent_process() is None and _Interrupt.typed


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
    worker = multiprocessing.parent_process() is not None
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


def read_item(item: ItemWork) -> tuple[policy.Wave, int]:
    """An item's wave and rate in Hz, as they were when the run was planned.

    Raises:
        ItemError: absent, unreadable, or another recording than the planned one.
    """
    audio = read_audio(Path(item.path))
    damage = applied(item.damage)
    digest = item_digest(
        audio.sha256,
        item.target_rate,
        item.transcript,
        condition="" if damage is None else damage.identity,
        language=item.language,
    )
    if digest != item.digest:
        raise ItemError(
            f"{Path(item.path).name} changed after the run was planned; type the same command again"
        )
    if item.target_rate is None:
        return audio.wave, audio.sample_rate
    wave = policy.at_rate(audio.wave, sample_rate=audio.sample_rate, to=item.target_rate)
    return wave, item.target_rate


def published_reason(reason: str, *, run: str, item: ItemWork) -> str:
    """A reason as others may read it: on one line, without the folders of this machine."""
    return without_folders(one_line(reason), str(Path(item.path).parent), run)


@contextlib.contextmanager
def stopwatch() -> Iterator[dict[str, float]]:
    """Measures CPU seconds (all threads and finished child processes) and wall seconds."""
    spent = {"cpu": 0.0, "wall": 0.0}
    cpu, wall = _cpu_seconds(), time.perf_counter()
    yield spent
    spent["cpu"], spent["wall"] = _cpu_seconds() - cpu, time.perf_counter() - wall


def _cpu_seconds() -> float:
    try:
        import resource
    except ImportError:  # Windows: what child processes took is not counted
        return time.process_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextlib.contextmanager
def fatal_faults(run: str) -> Iterator[None]:
    """Turn a full or read-only disk into an error that stops the run and says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in FATAL_ERRNO:
            raise
        raise EnvironmentFault(
            f"cannot write to {run}: {error.strerror}; make room, then type the same command again"
        ) from error
