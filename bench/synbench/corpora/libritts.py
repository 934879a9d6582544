"""LibriTTS: read English, 24 kHz, WAV (Zen et al., Interspeech 2019)."""

from __future__ import annotations

from synbench.corpora._model import Entry, Listing, Progress
from synbench.corpora._openslr import Distribution, incomplete, subset_folder
from synbench.corpora._scan import read_text, tree_files
from synbench.corpora._speakers import speaker_genders
from synbench.errors import UsageError

RECORDED_RATE = 24000

# Checksums as published at https://www.openslr.org/60; counts where they could be confirmed.
LIBRITTS = Distribution(
    name="libritts",
    top="LibriTTS",
    resource=60,
    md5={
        "dev-clean": "0c3076c1e5245bb3f0af7d82087ee207",
        "dev-other": "815555d8d75995782ac3ccd7f047213d",
        "test-clean": "7bed3bdb047c4c197f1ad3bc412db59f",
        "test-other": "ae3258249472a13b5abef2a816f733e4",
        "train-clean-100": "4a8c202b78fe1bc0c47916a98f3a2ea8",
        "train-clean-360": "a84ef10ddade5fd25df69596a2767b2d",
        "train-other-500": "7b181dd5ace343a5f38427999684aa6f",
    },
    counts={"dev-clean": 5736, "test-clean": 4837},
)

__all__ = ["CORPORA", "LIBRITTS", "libritts"]


def libritts(
    progress: Progress | None = None,
    *,
    subset: str = "test-clean",
    path: str = "",
    sample_rate: int = 16000,
) -> Listing:
    """A subset of LibriTTS, recorded at 24 kHz and evaluated at ``sample_rate`` (Hz).

    P2PSynCodec and its relatives report test-clean resampled to 16 kHz, hence the default;
    ``sample_rate=24000`` keeps the recordings as they are. Resampling happens whenever an item is
    read, and the rate is part of the corpus digest. The tree ``LibriTTS/<subset>`` or the archive
    ``<subset>.tar.gz`` is looked for in ``path``, else in the folders of SYNBENCH_DATA; where
    neither is found, the archive is downloaded.

    Raises:
        UsageError: no such subset or folder, a rate out of range, or not the official archive.
        EnvironmentFault: the download failed.
    """
    if not 4000 <= sample_rate <= RECORDED_RATE:
        raise UsageError(f"libritts:sample_rate expects 4000 to 24000 Hz, got {sample_rate}")
    tree = subset_folder(LIBRITTS, path=path, subset=subset, progress=progress)
    genders = speaker_genders(tree.parent / "SPEAKERS.txt")
    entries = tuple(
        Entry(
            id=file.stem,
            path=file,
            speaker=file.parts[-3],
            transcript=read_text(file.with_name(f"{file.stem}.normalized.txt")),
            gender=genders.get(file.parts[-3], ""),
            language="en",
        )
        for file in tree_files(tree, depth=2, suffix=".wav")
    )
    return Listing(
        name=f"libritts-{subset}",
        entries=entries,
        where=f"expected <speaker>/<chapter>/*.wav in {tree}",
        licence="CC BY 4.0",
        note=incomplete(len(entries), LIBRITTS.counts.get(subset), what=f"LibriTTS {subset}"),
        target_rate=None if sample_rate == RECORDED_RATE else sample_rate,
    )


CORPORA = {"libritts": libritts}
