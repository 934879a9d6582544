"""Scratch on the node: with ``SYNBENCH_SCRATCH``, small files go to a disk of the worker's own.

What a decode unit makes is then put on the shared disk as one file, a bundle; the process that
started the run takes it apart when the unit has ended, or at the next start. Temporary files of
codecs lie there too. Without the variable every file goes to its place at once.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from synbench.results.confined import inside
from synbench_base.errors import EnvironmentFault
from synbench_base.files import complete_file, write_bytes
from synbench_codecs.support.child_process import scratch_folder

BUNDLES = "bundles"
_open: set[Path] = set()

__all__ = ["BUNDLES", "clear_scratch", "scratch_root", "staged", "unpack_bundle", "unpack_bundles"]


def scratch_root() -> Path | None:
    """The folder that ``SYNBENCH_SCRATCH`` names, made where it is absent.

    Raises:
        EnvironmentFault: it cannot be made.
    """
    name = os.environ.get("SYNBENCH_SCRATCH", "").strip()
    if not name:
        return None
    # Should several nodes see the folder, none takes another's files for left-overs of its own.
    root = Path(os.path.expandvars(name)).expanduser().absolute() / socket.gethostname()
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"SYNBENCH_SCRATCH={name}: {error.strerror}; expected a folder that can be written on "
            "every node"
        ) from error
    return root


@contextlib.contextmanager
def staged(run: Path) -> Iterator[tuple[Path, list[str]]]:
    """Where a unit puts its files, and a list that gets the name of the bundle they become.

    Without scratch that is the run folder, and the list stays empty.

    Raises:
        EnvironmentFault: the scratch folder cannot be made.
        OSError: a disk is full; the bundle is there or not at all.
    """
    root, names = scratch_root(), list[str]()
    if root is None:
        yield run, names
        return
    tempfile.tempdir = str(root)  # also for the temporary files of codecs
    with scratch_folder("unit") as folder:
        _open.add(folder)
        try:
            yield folder, names
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            if files:
                names.append(f"{secrets.token_hex(16)}.tar")
                target = inside(run, f"{BUNDLES}/{names[0]}")
                target.parent.mkdir(parents=True, exist_ok=True)
                with complete_file(target) as file, tarfile.open(fileobj=file, mode="w") as bundle:
                    for path in files:
                        bundle.add(path, arcname=str(path.relative_to(folder)), recursive=False)
        finally:
            _open.discard(folder)


def clear_scratch() -> None:
    """Remove what this process has on scratch, before it ends on the spot."""
    for folder in list(_open):
        shutil.rmtree(folder, ignore_errors=True)


def unpack_bundle(run: Path, name: str) -> None:
    """Put the files of a bundle where they belong, then remove it.

    Raises:
        UsageError: it names a file outside the run folder.
        OSError: the disk is full; the bundle is still there.
    """
    path = inside(run, f"{BUNDLES}/{name}")
    with tarfile.open(path) as bundle:
        for member in bundle:
            content = bundle.extractfile(member) if member.isreg() else None
            if content is not None:
                write_bytes(inside(run, member.name), content.read())
    path.unlink()


def unpack_bundles(run: Path) -> None:
    """Likewise all that a killed run left; one that cannot be read goes: its work is done again."""
    for path in sorted(inside(run, BUNDLES).glob("[!.]*.tar")):
        try:
            unpack_bundle(run, path.name)
        except tarfile.TarError:
            path.unlink()
    with contextlib.suppress(OSError):
        (run / BUNDLES).rmdir()
