"""Checkpoints: where they lie, that they are the pinned ones, and what to type when they are not.

On disk, the same for codecs and metrics::

    <cache>/weights/<sha256>/<file name>     a checkpoint file; the folder is the digest of the file
    <cache>/weights/first-seen/<key>         digest of a file that nobody has published a digest of
    <cache>/weights/digests/<key>            digest, size and time of a file that was read before

``<cache>`` is ``$SYNBENCH_CACHE``, else ``$XDG_CACHE_HOME/synbench``, else ``~/.cache/synbench``.
``synbench weights fetch NAME`` fills it; nothing is ever downloaded by a codec.

A codec lists what it can load in a class attribute, without importing anything heavy::

    checkpoints: ClassVar[tuple[Checkpoint, ...]] = (
        Checkpoint(
            name="bigcodec",
            files=(WeightsSource(repository="huggingface.co/Alethia/BigCodec", ...),),
        ),
    )

and asks for it in its constructor, before anything is loaded::

    def __init__(self, *, weights: str = "") -> None:
        files = find_weights(BIGCODEC, weights)     # MissingWeights names the next command
        self.info = CodecInfo(..., weights=tuple(file.source for file in files))

The option ``weights`` names a file of the user's own (a folder where the checkpoint has several
files); its digest takes the place of the pinned one in the codec's identity, its path does not.
A file that comes inside a package has ``repository="package:synbench_codecs"`` and a ``file``
relative to that package. :mod:`synbench_codecs.support.torch_models` reads the tensors.

A checkpoint without a published digest (``sha256=""``) is pinned by its first download: from then
on every other content under that name is refused on this machine, and results carry the digest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import os
import secrets
import tempfile
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from synbench_codecs._interface import Checkpoint, WeightsSource
from synbench_codecs.errors import MissingWeights, UsageError, WeightsError

PACKAGED = "package:"
LOCAL = "local"
# A file changed so recently may change again within the same tick of the file system's clock.
SETTLED_NS = 2_000_000_000

__all__ = [
    "WeightsFile",
    "cache_folder",
    "file_sha256",
    "find_weights",
    "first_seen",
    "remember_first_seen",
    "weights_path",
]


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """A checkpoint file that is here and has the digest that ``source`` states."""

    path: Path
    source: WeightsSource


def cache_folder() -> Path:
    """Where weights, downloads, made speech and measurements are kept; it may not exist yet."""
    named = os.environ.get("SYNBENCH_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG rules say that a relative path is to be ignored.
    if shared.is_absolute():
        return shared / "synbench"
    try:
        return Path.home() / ".cache" / "synbench"
    except RuntimeError:  # a container may run as a user without a home folder
        return Path(tempfile.gettempdir()) / "synbench"


def weights_path(source: WeightsSource) -> Path | None:
    """Where a declared file lies or would lie; ``None`` while its digest is unknown.

    The cache goes before a package that may hold it.
    """
    if source.repository.startswith(PACKAGED):
        package = source.repository.removeprefix(PACKAGED)
        return Path(str(resources.files(package))) / source.file
    sha256 = source.sha256 or first_seen(source)
    cached = cache_folder() / "weights" / sha256 / Path(source.file).name if sha256 else None
    if source.distribution and not (cached and cached.is_file()):
        return _installed(source) or cached
    return cached


def _installed(source: WeightsSource) -> Path | None:
    """The file inside an installed package, which is not imported."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        files = importlib.metadata.distribution(source.distribution)
        path = Path(str(files.locate_file(source.file)))
        return path if path.is_file() else None
    return None


def find_weights(checkpoint: Checkpoint, own: str = "") -> tuple[WeightsFile, ...]:
    """The files of a checkpoint, each with the pinned digest, in the order of its declaration.

    Args:
        checkpoint: what the codec declares.
        own: the user's file, or a folder with files of the declared names; empty for the cache.

    Raises:
        MissingWeights: a file is not here; the message holds the command that brings it.
        WeightsError: a file is here and has another digest.
        UsageError: ``own`` does not exist or lacks a file.
    """
    if own:
        paths = _own_files(checkpoint, Path(own).expanduser())
        return tuple(_own_file(path) for path in paths)
    return tuple(_pinned(checkpoint, source) for source in checkpoint.files)


def _own_files(checkpoint: Checkpoint, own: Path) -> list[Path]:
    names = [Path(source.file).name for source in checkpoint.files]
    one_file = len(names) == 1 and not own.is_dir()
    paths = [own] if one_file else [own / name for name in names]
    absent = [path for path in paths if not path.is_file()]
    if absent:
        wanted = "a file" if len(names) == 1 else f"a folder with {', '.join(names)}"
        raise UsageError(f"{checkpoint.name}: weights={own}: expected {wanted}; no {absent[0]}")
    return paths


def _own_file(path: Path) -> WeightsFile:
    source = WeightsSource(
        repository=LOCAL,
        revision="",
        file=path.name,
        sha256=file_sha256(path),
        bytes=path.stat().st_size,
    )
    return WeightsFile(path=path, source=source)


def _pinned(checkpoint: Checkpoint, source: WeightsSource) -> WeightsFile:
    path = weights_path(source)
    if path is None or not path.is_file():
        raise MissingWeights(checkpoint.name, Path(source.file).name)
    expected = source.sha256 or first_seen(source)
    found = file_sha256(path)
    if found != expected:
        raise WeightsError(
            f"{path} is not the pinned file: expected sha256 {expected}, got {found} "
            f"({path.stat().st_size} bytes); type: synbench weights fetch {checkpoint.name}"
        )
    known = dataclasses.replace(source, sha256=found, bytes=path.stat().st_size)
    return WeightsFile(path=path, source=known)


def first_seen(source: WeightsSource) -> str:
    """Digest recorded at the first download of a file without a published one, else empty."""
    with contextlib.suppress(OSError, ValueError, LookupError):
        return str(json.loads(_first_seen_path(source).read_text(encoding="utf-8"))["sha256"])
    return ""


def remember_first_seen(source: WeightsSource, sha256: str) -> None:
    """Pin a file without a published digest on this machine.

    Raises:
        OSError: the cache cannot be written.
    """
    record = dataclasses.asdict(source) | {"sha256": sha256}
    _write_text(_first_seen_path(source), json.dumps(record, indent=2) + "\n")


def _first_seen_path(source: WeightsSource) -> Path:
    name = f"{source.repository} {source.revision} {source.file}"
    key = hashlib.sha256(name.encode()).hexdigest()[:32]
    return cache_folder() / "weights" / "first-seen" / key


def file_sha256(path: Path) -> str:
    """Hex digest of a file; read again only when its size or time has changed."""
    stat = path.stat()
    return _remembered(str(path.absolute()), stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _remembered(path: str, size: int, mtime_ns: int) -> str:
    """Weights are large and every worker asks: the digest is kept beside the weights."""
    note = cache_folder() / "weights" / "digests" / hashlib.sha256(path.encode()).hexdigest()[:32]
    with contextlib.suppress(OSError, ValueError):
        known = note.read_text(encoding="ascii").split()
        if known[1:] == [str(size), str(mtime_ns)]:
            return known[0]
    with Path(path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if mtime_ns < time.time_ns() - SETTLED_NS:
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time only
            _write_text(note, f"{digest} {size} {mtime_ns}\n")
    return digest


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
