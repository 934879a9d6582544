"""Seventy-three utterances of LibriSpeech dev-clean: the smallest real corpus there is."""

from __future__ import annotations

from pathlib import Path

from synbench.cache import build_once
from synbench.corpora._model import Listing, Progress
from synbench.corpora._places import downloads_folder
from synbench.corpora._unpack import AudioRow, write_files
from synbench.corpora.manifest import manifest
from synbench.download import address, check, fetch
from synbench.errors import UsageError
from synbench_base.folders import typed_path

REPOSITORY = "huggingface.co/datasets/hf-internal-testing/librispeech_asr_dummy"
REVISION = "5be91486e11a2d616f4ec5db8d3fd248585ac07a"
FILE = "clean/validation-00000-of-00001.parquet"
CHECKSUM = "sha256:4e69a06fa5edc90921e5e7e39a7084881f8b3ed9c805c574f4f39c6fde27c603"

__all__ = ["CORPORA", "librispeech_dummy", "prepared_folder"]


def prepared_folder() -> Path:
    """Where the recordings lie once they were brought; it may not exist yet."""
    return downloads_folder() / f"librispeech-dummy-{REVISION[:12]}"


def librispeech_dummy(progress: Progress | None = None, *, path: str = "") -> Listing:
    """73 utterances of LibriSpeech dev-clean, 16 kHz, about 9 MB, downloaded once.

    The dataset hf-internal-testing/librispeech_asr_dummy at a fixed revision, checked by its
    sha256. ``path`` is the Parquet file when it was fetched by hand. HF_ENDPOINT names a mirror.

    Raises:
        UsageError: ``path`` is not that file.
        EnvironmentFault: the download failed.
    """
    folder = build_once(
        prepared_folder(),
        lambda target: _unpack(_parquet(path, progress), target),
    )
    listing = manifest(path=str(folder / "manifest.csv"))
    return Listing(
        name="librispeech-dummy",
        entries=listing.entries,
        where=listing.where,
        spec="librispeech-dummy",
        licence="CC BY 4.0 (LibriSpeech)",
    )


def _parquet(path: str, progress: Progress | None) -> Path:
    if not path:
        return fetch(
            [address(REPOSITORY, REVISION, FILE)],
            downloads_folder() / f"librispeech-dummy-{REVISION[:12]}.parquet",
            checksum=CHECKSUM,
            by_hand=(
                f"fetch that file elsewhere and type librispeech-dummy:path={Path(FILE).name}, "
                f"or set SYNBENCH_DATA=<folder of speech>"
            ),
            progress=progress,
        )
    given = typed_path(path).absolute()
    wrong = check(given, CHECKSUM) if given.is_file() else "no such file"
    if wrong:
        raise UsageError(f"librispeech-dummy:path={given}: {wrong}; expected {FILE} at {REVISION}")
    return given


def _unpack(parquet: Path, folder: Path) -> None:
    import pyarrow.parquet

    columns = ["audio", "id", "speaker_id", "text"]
    rows = pyarrow.parquet.read_table(parquet, columns=columns).to_pylist()
    write_files(
        (
            AudioRow(
                id=str(row["id"]),
                content=row["audio"]["bytes"],
                speaker=str(row["speaker_id"]),
                transcript=row["text"],
                language="en",
            )
            for row in rows
        ),
        folder,
        kept=(".flac",),
    )


CORPORA = {"librispeech-dummy": librispeech_dummy}
