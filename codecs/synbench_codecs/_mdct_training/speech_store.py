"""Training speech as one file of 16-bit samples, so that a crop is a read of a few kilobytes.

A folder of FLAC, WAV, Opus or other files is decoded and resampled once, on all cores, into
``<digest>.pcm`` with an index beside it; both are renamed into place when complete. Random crops
then come from a memory map: one thread keeps a GPU busy, and nothing is decoded twice.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench_base.errors import ItemError
from synbench_base.files import complete_file, write_bytes
from synbench_base.folders import SUFFIXES, audio_files
from synbench_base.sound_files import check_regular, read_samples
from synbench_codecs.errors import Unavailable, UsageError
from synbench_codecs.support.adapting import FULL_SCALE, from_pcm, to_pcm

SAMPLE = np.dtype("<i2")
READ_AHEAD_CROPS = 64

__all__ = ["SpeechStore", "draw_crops", "open_stores", "spread"]


@dataclass(frozen=True)
class SpeechStore:
    """Utterances back to back.

    Attributes:
        samples: int16, shape ``(all samples,)``, a read-only memory map.
        starts: first sample of each utterance and, last, the end: shape ``(utterances + 1,)``.
        names: file names relative to the folder.
        sample_rate: Hz.
        digest: of the list of files and the rate.
    """

    samples: NDArray[np.int16]
    starts: NDArray[np.int64]
    names: tuple[str, ...]
    sample_rate: int
    digest: str

    @property
    def seconds(self) -> float:
        """Seconds of speech."""
        return float(self.starts[-1]) / self.sample_rate

    def utterance(self, index: int) -> NDArray[np.float32]:
        """One whole utterance, shape ``(samples,)``, full scale at -1 and 1."""
        return from_pcm(np.asarray(self.samples[self.starts[index] : self.starts[index + 1]]))

    def crops(self, n_crops: int, n_samples: int, seed: tuple[int, ...]) -> NDArray[np.float32]:
        """Random crops, shape ``(n_crops, n_samples)``; the same seed draws the same.

        Every position inside an utterance is equally likely; utterances that are shorter than a
        crop are never drawn.

        Raises:
            UsageError: no utterance is long enough.
        """
        begin = draw_crops(self.starts, n_crops, n_samples, seed, unit="samples")
        return self.stretches(begin, n_samples)

    def stretches(self, begin: NDArray[np.int64], n_samples: int) -> NDArray[np.float32]:
        """The samples from each of some positions on, shape ``(positions, n_samples)``."""
        rows = [self.samples[start : start + n_samples] for start in begin]
        return np.stack(rows).astype(np.float32) / np.float32(FULL_SCALE)


def draw_crops(
    starts: NDArray[np.int64], n_crops: int, length: int, seed: tuple[int, ...], *, unit: str
) -> NDArray[np.int64]:
    """Where crops begin, every position inside an utterance being equally likely.

    Raises:
        UsageError: no utterance is long enough.
    """
    positions = np.maximum(np.diff(starts) - length + 1, 0)
    ends = np.cumsum(positions)
    if ends[-1] == 0:
        raise UsageError(f"no utterance has {length} {unit}")
    drawn = np.random.default_rng(seed).integers(ends[-1], size=n_crops)
    index = np.searchsorted(ends, drawn, side="right")
    begin: NDArray[np.int64] = starts[index] + drawn - (ends - positions)[index]
    return begin


def _open_store(
    folder: Path, *, sample_rate: int, cache: Path, report: Callable[[str], None]
) -> SpeechStore:
    """The store of a folder, built if it is not there yet.

    Raises:
        UsageError: no such folder, or no audio in it.
        Unavailable: a file does not decode; the message names it.
    """
    files = _files(folder)
    stats = _stats(files)
    digest = _digest(folder, files, stats, sample_rate)
    # What tells that a file was replaced by one of equal size and time; it differs by machine, so
    # that it cannot be part of the digest.
    stamps = _hash([(stat.st_ino, stat.st_ctime_ns) for stat in stats])
    index_path, samples_path = cache / f"{digest}.json", cache / f"{digest}.pcm"
    index = _read_index(index_path)
    # Stores of older versions say nothing about it, and are believed.
    if index is None or index.get("stamps", stamps) != stamps:
        report(f"decoding {len(files)} files of {folder} to {samples_path}, once")
        index = _build(folder, files, sample_rate, samples_path) | {"stamps": stamps}
        write_bytes(index_path, json.dumps(index).encode())
    starts = np.asarray(index["starts"], dtype=np.int64)
    samples = np.memmap(samples_path, dtype=SAMPLE, mode="r")
    if samples.size != starts[-1]:
        raise Unavailable(
            f"{samples_path} holds {samples.size} samples, its index says {starts[-1]}: "
            f"delete both and start again"
        )
    return SpeechStore(samples, starts, tuple(index["names"]), sample_rate, digest)


def open_stores(
    data: Path,
    validation: Path,
    *,
    sample_rate: int,
    cache: Path,
    report: Callable[[str], None] = print,
) -> tuple[SpeechStore, SpeechStore]:
    """Training and validation speech.

    Raises:
        UsageError: a folder is absent or empty, or both are the same.
        Unavailable: a file does not decode.
    """
    if data.resolve() == validation.resolve():
        raise UsageError(f"training and validation must be different folders; both are {data}")
    first, second = (
        _open_store(folder, sample_rate=sample_rate, cache=cache, report=report)
        for folder in (data, validation)
    )
    return first, second


def spread(store: SpeechStore, count: int) -> list[int]:
    """Indices of at most ``count`` utterances, spread evenly over the store."""
    total = len(store.names)
    chosen: list[int] = np.unique(np.linspace(0, total - 1, min(count, total)).round()).tolist()
    return [int(index) for index in chosen]


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UsageError(f"no such folder: {folder}")
    files = sorted(audio_files(folder))
    if not files:
        raise UsageError(f"no audio in {folder}; known are {', '.join(sorted(SUFFIXES))}")
    return files


def _stats(files: list[Path]) -> list[os.stat_result]:
    try:
        return [check_regular(path) for path in files]
    except ItemError as error:
        raise Unavailable(str(error)) from error


def _digest(folder: Path, files: list[Path], stats: list[os.stat_result], sample_rate: int) -> str:
    """Names, sizes and times stand for the content: hashing days of audio would take too long."""
    listing = [
        (str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns)
        for path, stat in zip(files, stats, strict=True)
    ]
    return _hash([sample_rate, listing])


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


def _read_index(path: Path) -> dict[str, Any] | None:
    try:
        index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return index


def _build(folder: Path, files: list[Path], sample_rate: int, samples_path: Path) -> dict[str, Any]:
    """Decode all files; returns their names and where each begins."""
    samples_path.parent.mkdir(parents=True, exist_ok=True)
    lengths = []
    with complete_file(samples_path) as out:
        for samples in _decoded(files, sample_rate):
            out.write(samples.astype(SAMPLE).tobytes())
            lengths.append(samples.size)
    names = [str(path.relative_to(folder)) for path in files]
    starts = [0, *np.cumsum(lengths).tolist()]
    return {"names": names, "starts": starts}


def _decoded(files: list[Path], sample_rate: int) -> Iterator[NDArray[np.int16]]:
    """All files in order; decoder and resampler leave Python's lock, so threads use every core."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rest = iter(files)
        waiting: list[Future[Any]] = [
            pool.submit(_decode, path, sample_rate) for path in islice(rest, READ_AHEAD_CROPS)
        ]
        while waiting:
            done = waiting.pop(0).result()
            waiting.extend(pool.submit(_decode, path, sample_rate) for path in islice(rest, 1))
            yield done


def _decode(path: Path, sample_rate: int) -> NDArray[np.int16]:
    import soxr

    try:
        wave, rate = read_samples(path, dtype="float32")
    except ItemError as error:
        raise Unavailable(str(error)) from error
    mono = wave.mean(axis=1)
    if rate != sample_rate:
        mono = soxr.resample(mono, rate, sample_rate, quality="VHQ")
    return to_pcm(mono)
