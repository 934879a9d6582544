"""The model files of metrics: :mod:`synbench_base.weights` finds them, here they get an identity.

The digest that is found becomes part of the metric's identity, so that scores of two files never
mix.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from synbench_base.errors import Unavailable
from synbench_base.weights import Checkpoint, find_weights
from synbench_metrics._interface import Metric

__all__ = ["as_directory", "digest_of", "find", "has_weights", "identified"]


def find(checkpoint: Checkpoint) -> tuple[Path, ...]:
    """The files of a checkpoint, in the order of its declaration, with the digests that are known.

    Raises:
        Unavailable: one is absent or another file; the message says what to type.
    """
    return tuple(file.path for file in find_weights(checkpoint))


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
        Unavailable: one is absent or another file.
    """
    files = find_weights(checkpoint)
    if len(files) == 1:
        return files[0].source.sha256
    lines = [f"{file.source.name} {file.source.sha256}\n" for file in files]
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
        for file in find_weights(checkpoint):
            (Path(folder) / file.source.name).symlink_to(file.path.resolve())
        yield Path(folder)
