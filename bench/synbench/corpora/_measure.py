"""Reading each file once for its digest, in threads, remembering what was found."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from synbench.cache import AudioFacts, Measurements, Stamp
from synbench.corpora._model import Entry, Item, Progress
from synbench.errors import ItemError
from synbench_base.files import printable
from synbench_base.sound_files import check_regular

__all__ = ["measure", "measure_file"]


def measure(
    entries: Sequence[Entry],
    stamps: Sequence[Stamp | None],
    *,
    progress: Progress | None = None,
) -> tuple[Item, ...]:
    """Items in the order of the entries; a file that cannot be used becomes a problem.

    Args:
        stamps: of the entries' files, as they are now.
    """
    with Measurements() as memory:
        known = memory.get(one for one in stamps if one is not None)
        unknown = {
            one: entry.path
            for one, entry in zip(stamps, entries, strict=True)
            if one is not None and one not in known
        }
        known |= _read_all(unknown, memory, progress, total=len(entries))
    return tuple(
        _item(entry, known[one] if one is not None else _absent(entry))
        for one, entry in zip(stamps, entries, strict=True)
    )


def _read_all(
    paths: dict[Stamp, Path], memory: Measurements, progress: Progress | None, *, total: int
) -> dict[Stamp, AudioFacts]:
    facts: dict[Stamp, AudioFacts] = {}
    before = total - len(paths)
    if progress is not None:
        progress(before, total)
    if not paths:
        return facts
    import synbench.audio  # noqa: F401 - numpy imports once here, not in several threads at once

    # soundfile and hashlib release the lock of the interpreter.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        jobs = {pool.submit(measure_file, path): one for one, path in paths.items()}
        try:
            for job in as_completed(jobs):
                facts[jobs[job]] = job.result()
                if progress is not None:
                    progress(before + len(facts), total)
        finally:
            pool.shutdown(cancel_futures=True)
            memory.put(facts)
    return facts


def measure_file(path: Path) -> AudioFacts:
    """Read one file and say what it holds; never raises for what the file holds."""
    import numpy as np

    from synbench.audio import read_audio
    from synbench_base.long_wave import stretches

    try:
        audio = read_audio(path, by_stretches=True)
    except ItemError as error:
        return AudioFacts(_bytes_digest(path), 0.0, 0, 0, str(error))
    problem = ""
    if audio.wave.size == 0:
        problem = "empty: no samples"
    elif not all(np.isfinite(part).all() for part in stretches(audio.wave)):
        is_nan = any(np.isnan(part).any() for part in stretches(audio.wave))
        problem = "contains NaN" if is_nan else "contains infinite samples"
    seconds = audio.wave.size / audio.sample_rate
    return AudioFacts(audio.sha256, seconds, audio.sample_rate, audio.channels, problem)


def _bytes_digest(path: Path) -> str:
    try:
        check_regular(path)
        with path.open("rb") as file:
            return "file:" + hashlib.file_digest(file, "sha256").hexdigest()
    except ItemError:
        return "file:none"
    except OSError as error:
        return f"file:unreadable:{error.strerror}"


def _absent(entry: Entry) -> AudioFacts:
    try:
        check_regular(entry.path)
        reason = f"no such file: {printable(entry.path)}"  # it has come back just now
    except ItemError as error:
        reason = str(error)
    return AudioFacts(f"absent:{entry.id}", 0.0, 0, 0, reason)


def _item(entry: Entry, measured: AudioFacts) -> Item:
    return Item(
        id=entry.id,
        path=entry.path,
        sha256=measured.sha256,
        seconds=measured.seconds,
        sample_rate=measured.sample_rate,
        channels=measured.channels,
        speaker=entry.speaker,
        transcript=entry.transcript,
        problem=measured.problem,
        gender=entry.gender,
        language=entry.language,
        accent=entry.accent,
    )
