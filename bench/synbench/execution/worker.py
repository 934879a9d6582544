"""What decoding and scoring share in a worker: reports, clocks, limits, and what a fault becomes.

Whatever goes wrong with one cell becomes that cell's row, with the reason. Only what makes going on
pointless (the disk of the run folder is full) leaves a worker as an exception.
"""

from __future__ import annotations

import contextlib
import errno
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from synbench import policy
from synbench.audio import read_audio
from synbench.conditions.applied import applied
from synbench.execution.guard import usual_seconds
from synbench.execution.units import ItemWork, item_digest
from synbench.published import without_folders
from synbench_base.errors import EnvironmentFault, ItemError
from synbench_base.files import one_line

FATAL_ERRNO = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE})
# Before the reason why a codec has no such thing as a condition asks for: no failure of it.
NO_SUCH_CELL = "not applicable: "
# In the place of a metric id: reading, resampling and storing.
FILES = "files"

__all__ = [
    "FILES",
    "NO_SUCH_CELL",
    "UnitReport",
    "cell_seconds",
    "fatal_faults",
    "published_reason",
    "read_item",
    "stopwatch",
]


@dataclass(frozen=True, kw_only=True)
class UnitReport:
    """What a finished unit tells the one who submitted it.

    Attributes:
        statuses: how many cells ended how, by (codec id, status).
        reasons: how often each reason for a failure came up.
        undecoded: (corpus, item, codec id) to (reason, transient), for failed decodes.
        bundles: names of the files that hold what was made, see :mod:`~.scratch`.
        measured: CPU seconds by codec id (decoding) or metric id; those of files are :data:`FILES`.
    """

    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    undecoded: dict[tuple[str, str, str], tuple[str, bool]] = field(default_factory=dict)
    bundles: tuple[str, ...] = ()
    measured: dict[str, float] = field(default_factory=dict)


def cell_seconds(item: ItemWork, wanted: float) -> float:
    """How long one cell may take, in seconds; ``wanted`` is the user's limit, 0 for the usual."""
    return wanted or usual_seconds(item.seconds)


def read_item(item: ItemWork) -> tuple[policy.Wave, int]:
    """An item's wave and rate in Hz, as they were when the run was planned.

    Raises:
        ItemError: absent, unreadable, or another recording than the planned one.
    """
    audio = read_audio(Path(item.path), by_stretches=True)
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
