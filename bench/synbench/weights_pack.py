"""Weights for a machine without a network: a folder that ``weights fetch --from`` takes.

::

    <folder>/<sha256>/<file name>     the files, each in a folder of its digest
    <folder>/weights.json             which checkpoint each belongs to, and under what licence
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from synbench_base.errors import EnvironmentFault
from synbench_base.files import write_bytes
from synbench_base.weights import Checkpoint, WeightsSource, file_sha256, weights_path

LIST_NAME = "weights.json"

__all__ = ["pack_weights", "packed_sha256"]


def pack_weights(checkpoints: Iterable[Checkpoint], folder: Path) -> list[Path]:
    """Copy the files of checkpoints that are here into ``folder``; what it holds already stays.

    Files inside synbench's own packages are left out: they come with it everywhere.

    Args:
        checkpoints: each with all of its files on this machine, see ``fetch_checkpoint``.
        folder: made where it does not exist.

    Returns:
        The copies.

    Raises:
        EnvironmentFault: a file is absent or has another digest, or the folder cannot be written.
    """
    records = {_key(record): record for record in _records(folder)}
    copies: dict[Path, None] = {}  # two checkpoints may share a file
    try:
        for checkpoint in checkpoints:
            for source in checkpoint.files:
                if source.packaged:
                    continue
                copy, sha256 = _copy(checkpoint, source, folder)
                copies[copy] = None
                record = {
                    "checkpoint": checkpoint.name,
                    "licence": checkpoint.licence,
                    "repository": source.repository,
                    "revision": source.revision,
                    "file": source.file,
                    "sha256": sha256,
                }
                records[_key(record)] = record
        text = json.dumps({"files": list(records.values())}, indent=2, ensure_ascii=False)
        write_bytes(folder / LIST_NAME, f"{text}\n".encode())
    except OSError as error:
        raise EnvironmentFault(f"cannot write {folder}: {error}") from error
    return list(copies)


def packed_sha256(source: WeightsSource, folder: Path) -> str:
    """The digest that a packed folder states for a file; empty where it states none."""
    wanted = (source.repository, source.revision, source.file)
    for record in _records(folder):
        if _key(record) == wanted:
            return str(record.get("sha256", ""))
    return ""


def _copy(checkpoint: Checkpoint, source: WeightsSource, folder: Path) -> tuple[Path, str]:
    path = weights_path(source)
    if path is None or not path.is_file():
        raise EnvironmentFault(
            f"{checkpoint.name}: {source.name} is missing; type: "
            f"synbench weights fetch {checkpoint.name}"
        )
    sha256 = file_sha256(path)
    copy = folder / sha256 / source.name
    if not (copy.is_file() and file_sha256(copy, read=True) == sha256):
        part = copy.with_name(f"{copy.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part)
        if file_sha256(part, read=True) != sha256:
            raise EnvironmentFault(f"{path} changed while it was copied; type the command again")
        part.replace(copy)
    return copy, sha256


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads((folder / LIST_NAME).read_text(encoding="utf-8"))
        files = content.get("files") if isinstance(content, dict) else None
        yield from (record for record in files or () if isinstance(record, dict))


def _key(record: dict[str, Any]) -> tuple[Any, Any, Any]:
    return record.get("repository"), record.get("revision"), record.get("file")
