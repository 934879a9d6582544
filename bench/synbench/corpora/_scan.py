"""Folders that users name, trees of a fixed depth, and the texts beside audio files."""

from __future__ import annotations

from pathlib import Path

from synbench.errors import UsageError
from synbench_base.folders import SUFFIXES, audio_files, typed_path

__all__ = ["existing_folder", "read_text", "suffixes", "tree_files"]


def existing_folder(path: str | Path, *, what: str) -> Path:
    """The absolute folder; ``~`` is the home folder.

    Raises:
        UsageError: there is no such folder; ``what`` says who asked for it.
    """
    folder = typed_path(path).absolute()
    if ".." in folder.parts:
        folder = folder.resolve()  # the last part names the corpus
    if not folder.is_dir():
        there = "a file" if folder.is_file() else "nothing"
        raise UsageError(f"{what}: expected a folder, found {there} at {folder}")
    return folder


def suffixes() -> str:
    """The understood suffixes, for messages."""
    return " ".join(sorted(SUFFIXES))


def tree_files(tree: Path, *, depth: int, suffix: str) -> list[Path]:
    """The audio files that lie ``depth`` folders deep in an official tree, sorted.

    Raises:
        EnvironmentFault: a folder cannot be listed.
    """
    return sorted(
        path
        for path in audio_files(tree)
        if path.name.endswith(suffix) and len(path.relative_to(tree).parts) == depth + 1
    )


def read_text(path: Path) -> str:
    """The text of a small file, or nothing where there is none."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace").strip()
    except OSError:
        return ""
