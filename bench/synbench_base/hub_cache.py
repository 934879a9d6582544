"""Files that other programs have already brought from the Hugging Face hub.

Their cache, by the rules of the package ``huggingface_hub``::

    <cache>/models--OWNER--NAME/refs/<branch or tag>          the commit it stands for
    <cache>/models--OWNER--NAME/snapshots/<commit>/<file>     a link to the content
    <cache>/models--OWNER--NAME/blobs/<digest>                a large file is named by its sha256

``<cache>`` is ``$HF_HUB_CACHE``, else ``$HF_HOME/hub``, else ``$XDG_CACHE_HOME/huggingface/hub``,
else ``~/.cache/huggingface/hub``. It is only read, and what is read is compared with the pinned
digest like every other file.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from synbench_base.folders import typed_path

HUGGING_FACE = "huggingface.co/"
DATASETS = "datasets/"
SHA256 = re.compile(r"[0-9a-f]{64}")
YES = {"1", "ON", "YES", "TRUE"}

__all__ = ["HUGGING_FACE", "hub_cache", "hub_file", "hub_offline", "hub_token"]


def hub_offline() -> bool:
    """Whether ``HF_HUB_OFFLINE`` forbids asking the hub."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in YES


def hub_token() -> str:
    """The token of ``HF_TOKEN`` or of the file that ``hf auth login`` wrote, or empty."""
    token = os.environ.get("HF_TOKEN", "")
    if not token:
        named = os.environ.get("HF_TOKEN_PATH", "")
        path = typed_path(named) if named else _hub_home() / "token"
        with contextlib.suppress(OSError, ValueError):
            token = path.read_text(encoding="utf-8")
    return token.strip()


def hub_cache() -> Path:
    """The folder in which the hub's own tools keep what they have brought; it may not exist."""
    named = os.environ.get("HF_HUB_CACHE", "")
    return typed_path(named) if named else _hub_home() / "hub"


def hub_file(repository: str, revision: str, file: str, *, sha256: str = "") -> Path | None:
    """A file in the hub's cache, or ``None`` where it is not there.

    Args:
        repository: ``huggingface.co/OWNER/NAME`` or ``huggingface.co/datasets/OWNER/NAME``.
        revision: commit, branch or tag.
        file: path inside the repository.
        sha256: hex digest that the file must have. Where the cache names its content by it, every
            commit is searched, and another content of the same name is passed over.
    """
    name = repository.removeprefix(HUGGING_FACE)
    if name == repository:
        return None
    kind = "datasets" if name.startswith(DATASETS) else "models"
    folder = hub_cache() / "--".join((kind, *name.removeprefix(DATASETS).split("/")))
    named = folder / "snapshots" / _commit(folder, revision) / file
    with contextlib.suppress(OSError):
        others = sorted((folder / "snapshots").iterdir()) if sha256 else []
        for path in (named, *(snapshot / file for snapshot in others)):
            content = path.resolve().name
            if path.is_file() and sha256 and content == sha256:
                return path
        if named.is_file() and not (sha256 and SHA256.fullmatch(named.resolve().name)):
            return named
    return None


def _commit(folder: Path, revision: str) -> str:
    with contextlib.suppress(OSError, ValueError):
        return (folder / "refs" / revision).read_text(encoding="ascii").strip()
    return revision


def _hub_home() -> Path:
    named = os.environ.get("HF_HOME", "")
    if named:
        return typed_path(named)
    shared = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(shared) if shared else typed_path("~/.cache")) / "huggingface"
