"""VCTK 0.92: English accents, 48 kHz, FLAC (Yamagishi et al., 2019), second microphone."""

from __future__ import annotations

from pathlib import Path

from synbench.corpora._model import Entry, Listing, Progress
from synbench.corpora._openslr import incomplete
from synbench.corpora._places import roots
from synbench.corpora._scan import read_text, tree_files
from synbench.corpora._speakers import speaker_facts, speaker_genders
from synbench.errors import UsageError

HELD_OUT = frozenset({"p360", "p361", "p362", "p363", "p364", "p374", "p376", "s5"})
# Utterances of the second microphone in a complete tree.
COUNTS = {"test": 2937, "train": 40936, "all": 43873}
AUDIO = "wav48_silence_trimmed"
PAGE = "https://datashare.ed.ac.uk/handle/10283/3443"

__all__ = ["CORPORA", "COUNTS", "HELD_OUT", "find_tree", "vctk"]


def vctk(_: Progress | None = None, *, split: str = "test", path: str = "") -> Listing:
    """VCTK 0.92, microphone 2, 48 kHz; ``split`` is ``test``, ``train`` or ``all``.

    ``test`` holds the eight speakers p360 p361 p362 p363 p364 p374 p376 s5 (2937 utterances),
    ``train`` the other hundred (40936). P2PSynCodec states these counts; that it holds out these
    speakers is inferred. Speakers p280 and p315 have no microphone 2 and belong to no split. The
    tree is looked for in ``path``, else in the folders of SYNBENCH_DATA; it is not downloaded.

    Raises:
        UsageError: no such split, or no tree; the message says where to get it.
    """
    if split not in COUNTS:
        raise UsageError(f"vctk:split expects {', '.join(COUNTS)}, got {split!r}")
    tree = _tree(path)
    speakers = tree / "speaker-info.txt"
    genders = speaker_genders(speakers, column=2, separator=None)
    accents = speaker_facts(speakers, column=3, separator=None)
    entries = tuple(
        Entry(
            id=file.stem.removesuffix("_mic2"),
            path=file,
            speaker=file.parent.name,
            transcript=_transcript(tree, file),
            gender=genders.get(file.parent.name, ""),
            language="en",
            accent=accents.get(file.parent.name, ""),
        )
        for file in tree_files(tree / AUDIO, depth=1, suffix="_mic2.flac")
        if split == "all" or (file.parent.name in HELD_OUT) == (split == "test")
    )
    return Listing(
        name=f"vctk-{split}",
        entries=entries,
        where=f"expected <speaker>/*_mic2.flac of split {split} in {tree / AUDIO}",
        licence="CC BY 4.0",
        note=incomplete(len(entries), COUNTS[split], what=f"VCTK 0.92 {split}"),
    )


def _transcript(tree: Path, file: Path) -> str:
    return read_text(tree / "txt" / file.parent.name / f"{file.stem.removesuffix('_mic2')}.txt")


def find_tree(root: Path) -> Path | None:
    """The folder of the corpus: ``root`` itself or the usual folder in it."""
    for tree in (root, root / "VCTK-Corpus-0.92", root / "VCTK-Corpus"):
        if (tree / AUDIO).is_dir():
            return tree
    return None


def _tree(path: str) -> Path:
    folders = roots(path, what=f"vctk:path={path}")
    for root in folders:
        tree = find_tree(root)
        if tree is not None:
            return tree
    raise UsageError(
        f"found no folder {AUDIO} in {', '.join(str(root) for root in folders)}; get "
        f"VCTK-Corpus-0.92.zip from {PAGE}, unpack it and type vctk:path=<folder>, or set "
        f"SYNBENCH_DATA=<folder>"
    )


CORPORA = {"vctk": vctk}
