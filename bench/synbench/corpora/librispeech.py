"""LibriSpeech: read English, 16 kHz, FLAC (Panayotov et al., ICASSP 2015)."""

from __future__ import annotations

from pathlib import Path

from synbench.corpora._model import Entry, Listing, Progress
from synbench.corpora._openslr import Distribution, incomplete, subset_folder
from synbench.corpora._scan import read_text, tree_files
from synbench.corpora._speakers import speaker_genders

# Checksums as published in https://www.openslr.org/resources/12/md5sum.txt
LIBRISPEECH = Distribution(
    name="librispeech",
    top="LibriSpeech",
    resource=12,
    md5={
        "dev-clean": "42e2234ba48799c1f50f24a7926300a1",
        "dev-other": "c8d0bcc9cca99d4f8b62fcc847357931",
        "test-clean": "32fa31d27d2e1cad72775fee3f4849a9",
        "test-other": "fb5a50374b501bb3bac4815ee91d3135",
        "train-clean-100": "2a93770f6d5c6c964bc36631d331a522",
        "train-clean-360": "c0e676e450a7ff2f54aeade5171606fa",
        "train-other-500": "d1a0fd59409feb2c614ce4d30c387708",
    },
    counts={
        "dev-clean": 2703,
        "dev-other": 2864,
        "test-clean": 2620,
        "test-other": 2939,
        "train-clean-100": 28539,
        "train-clean-360": 104014,
        "train-other-500": 148688,
    },
)

__all__ = ["CORPORA", "LIBRISPEECH", "librispeech"]


def librispeech(
    progress: Progress | None = None, *, subset: str = "test-clean", path: str = ""
) -> Listing:
    """A subset of LibriSpeech, 16 kHz.

    The tree ``LibriSpeech/<subset>`` or the archive ``<subset>.tar.gz`` is looked for in ``path``,
    else in the folders of SYNBENCH_DATA; where neither is found, the archive is downloaded.

    Raises:
        UsageError: no such subset or folder, or an archive that is not the official one.
        EnvironmentFault: the download failed.
    """
    tree = subset_folder(LIBRISPEECH, path=path, subset=subset, progress=progress)
    texts, genders = _transcripts(tree), speaker_genders(tree.parent / "SPEAKERS.TXT")
    entries = tuple(
        Entry(
            id=file.stem,
            path=file,
            speaker=file.parts[-3],
            transcript=texts.get(file.stem, ""),
            gender=genders.get(file.parts[-3], ""),
            language="en",
        )
        for file in tree_files(tree, depth=2, suffix=".flac")
    )
    expected = LIBRISPEECH.counts.get(subset)
    return Listing(
        name=f"librispeech-{subset}",
        entries=entries,
        where=f"expected <speaker>/<chapter>/*.flac in {tree}",
        licence="CC BY 4.0",
        note=incomplete(len(entries), expected, what=f"LibriSpeech {subset}"),
    )


def _transcripts(tree: Path) -> dict[str, str]:
    lines = [
        line.partition(" ")
        for file in sorted(tree.glob("*/*/[!.]*.trans.txt"))
        for line in read_text(file).splitlines()
    ]
    return {key: text.strip() for key, _, text in lines}


CORPORA = {"librispeech": librispeech}
