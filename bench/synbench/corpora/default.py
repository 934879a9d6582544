"""The corpus of somebody who named none: the best speech that this machine can get at."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path

from synbench.corpora import librispeech_chapter, librispeech_dummy
from synbench.corpora._model import Listing, Progress
from synbench.corpora._places import data_folders
from synbench.corpora.librispeech import LIBRISPEECH
from synbench.corpora.libritts import LIBRITTS
from synbench.corpora.manifest import SUFFIXES, usable_header
from synbench.corpora.vctk import find_tree
from synbench.errors import EnvironmentFault
from synbench_base.folders import audio_files, is_hidden

# Smallest and most usual first.
SUBSETS = (
    "test-clean",
    "dev-clean",
    "test-other",
    "dev-other",
    "train-clean-100",
    "train-clean-360",
    "train-other-500",
)

__all__ = ["CORPORA", "default"]

_log = logging.getLogger("synbench.corpora")


def default(progress: Progress | None = None) -> Listing:
    """The first there is: SYNBENCH_DATA, librispeech-dummy, librispeech-chapter, synthetic.

    In a folder of SYNBENCH_DATA a manifest comes first, then an official tree, then audio files.
    Recordings that were brought before stay the ones that are taken. Name and spec of the corpus
    say which one it is.

    Raises:
        UsageError: a folder of SYNBENCH_DATA does not exist.
        EnvironmentFault: none can be had; the message says why for each.
    """
    folders = data_folders()
    for folder in folders:
        for name, options in _candidates(folder):
            listing = _listing(name, options, progress)
            if listing.entries:
                return listing
    if folders:
        _log.warning("SYNBENCH_DATA holds no speech: %s", ", ".join(map(str, folders)))
    reasons = []
    for name in _small_recordings():
        try:
            return _listing(name, {}, progress)
        except EnvironmentFault as error:
            reasons.append(str(error))
    return _made_instead("\n".join(reasons), progress)


def _small_recordings() -> list[str]:
    """Several readers before one; but what is here already before what would have to be brought."""
    prepared = {
        "librispeech-dummy": librispeech_dummy.prepared_folder(),
        "librispeech-chapter": librispeech_chapter.prepared_folder(),
    }
    return sorted(prepared, key=lambda name: not prepared[name].is_dir())


def _made_instead(reasons: str, progress: Progress | None) -> Listing:
    try:
        listing = _listing("synthetic", {}, progress)
    except EnvironmentFault as absent:
        raise EnvironmentFault(
            f"there is no speech on this machine: {reasons}\n{absent}\n"
            f"or name a folder of recordings: SYNBENCH_DATA=<folder>"
        ) from absent
    _log.warning("no recordings: %s\n%s", reasons, listing.note)
    return listing


def _listing(name: str, options: dict[str, str], progress: Progress | None) -> Listing:
    from synbench.corpora._registry import listing_of
    from synbench_codecs import format_spec

    listing, spec = listing_of(format_spec(name, {**options}), progress=progress)
    return dataclasses.replace(listing, spec=listing.spec or spec)


def _candidates(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    yield from _manifests(folder)
    yield from _official(folder)
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        if is_hidden(below.name):
            continue
        yield from _manifests(below)
    if next(audio_files(folder), None) is not None:
        yield "folder", {"path": str(folder)}


def _manifests(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for suffix in SUFFIXES:
        table = folder / f"manifest{suffix}"
        if table.is_file() and usable_header(table):
            yield "manifest", {"path": str(table)}


def _official(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for distribution in (LIBRISPEECH, LIBRITTS):
        top = folder if folder.name == distribution.top else folder / distribution.top
        for subset in SUBSETS:
            if (top / subset).is_dir():
                yield distribution.name, {"path": str(folder), "subset": subset}
    if find_tree(folder) is not None:
        yield "vctk", {"path": str(folder)}


CORPORA = {"default": default}
