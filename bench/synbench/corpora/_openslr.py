"""Official trees of openslr.org: found on disk, taken from the archive, or downloaded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synbench.cache import build_once
from synbench.corpora._archive import extract, top_folder
from synbench.corpora._model import Progress
from synbench.corpora._places import downloads_folder, roots
from synbench.download import check, fetch
from synbench.errors import UsageError
from synbench_base.close_names import suggestion

HOSTS = ("www.openslr.org", "us.openslr.org", "openslr.elda.org")

__all__ = ["Distribution", "incomplete", "subset_folder"]


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One resource of openslr.org.

    Attributes:
        name: of the corpus, as typed.
        top: folder in every archive.
        resource: number at openslr.org.
        md5: published checksum of each archive, by subset.
        counts: utterances in a complete tree, by subset, where known.
    """

    name: str
    top: str
    resource: int
    md5: Mapping[str, str]
    counts: Mapping[str, int]

    def urls(self, subset: str) -> list[str]:
        """Where the archive of a subset lies."""
        return [f"https://{host}/resources/{self.resource}/{subset}.tar.gz" for host in HOSTS]


def incomplete(count: int, expected: int | None, *, what: str) -> str:
    """A note when a tree has more or fewer utterances than it officially holds."""
    if expected is None or count == expected:
        return ""
    kind = "INCOMPLETE" if count < expected else "NOT THE OFFICIAL SET"
    return f"{kind}: {count} utterances, {what} has {expected}"


def subset_folder(
    distribution: Distribution, *, path: str, subset: str, progress: Progress | None
) -> Path:
    """The folder of a subset, extracted or downloaded first where it must be.

    Raises:
        UsageError: no such subset or folder, or an archive that is not the official one.
        EnvironmentFault: the download failed.
    """
    _check_subset(distribution, subset)
    folders = roots(path, what=f"{distribution.name}:path={path}")
    for root in folders:
        for tree in _trees(distribution, root, subset, given=bool(path)):
            if tree.is_dir():
                return tree
    for root in folders:
        for archive in (root / f"{subset}.tar.gz", root / distribution.top / f"{subset}.tar.gz"):
            # Both LibriSpeech and LibriTTS call their archives test-clean.tar.gz.
            if archive.is_file() and top_folder(archive) == distribution.top:
                return _extracted(distribution, archive, subset, root)
    return _downloaded(distribution, subset, folders[-1], progress)


def _check_subset(distribution: Distribution, subset: str) -> None:
    if subset not in distribution.md5:
        hint = suggestion(subset, distribution.md5)
        raise UsageError(f"{distribution.name} has no subset {subset!r}; {hint}")


def _trees(distribution: Distribution, root: Path, subset: str, *, given: bool) -> list[Path]:
    trees = [root / distribution.top / subset]
    if given or root.name == distribution.top:
        trees.append(root / subset)
    if given and root.name == subset:
        trees.append(root)
    return trees


def _extracted(distribution: Distribution, archive: Path, subset: str, root: Path) -> Path:
    wrong = check(archive, f"md5:{distribution.md5[subset]}")
    if wrong:
        raise UsageError(
            f"{archive} is not the official archive, {wrong}; remove it, or fetch it again from "
            f"{distribution.urls(subset)[0]}"
        )
    return _extract(distribution, archive, subset, root)


def _extract(distribution: Distribution, archive: Path, subset: str, root: Path) -> Path:
    target = root if os.access(root, os.W_OK) else downloads_folder()
    below = f"{distribution.top}/{subset}"
    return build_once(target / below, lambda folder: extract(archive, below=below, to=folder))


def _downloaded(
    distribution: Distribution, subset: str, root: Path, progress: Progress | None
) -> Path:
    path = root if os.access(root, os.W_OK) else downloads_folder()
    archive = fetch(
        distribution.urls(subset),
        path / distribution.top / f"{subset}.tar.gz",
        checksum=f"md5:{distribution.md5[subset]}",
        by_hand=(
            f"put {subset}.tar.gz of {distribution.top} into a folder and type "
            f"{distribution.name}:path=<folder>, or set SYNBENCH_DATA=<folder>"
        ),
        progress=progress,
    )
    tree = _extract(distribution, archive, subset, path)
    archive.unlink()
    return tree
