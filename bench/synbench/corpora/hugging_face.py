"""Audio datasets of the Hugging Face hub, read with the package ``datasets``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from synbench.cache import build_once
from synbench.corpora._model import Listing, Progress
from synbench.corpora._places import downloads_folder
from synbench.corpora._unpack import AudioRow, write_files
from synbench.corpora.manifest import manifest
from synbench.errors import EnvironmentFault, UsageError
from synbench_base.close_names import suggestion
from synbench_base.folders import typed_path
from synbench_base.packages import import_extra

COMMIT = re.compile(r"[0-9a-f]{40}")
# What the sets of the hub call these columns; the first that a set has is taken.
USUAL_COLUMNS = {
    "id": ("id", "utterance_id", "segment_id"),
    "speaker": ("speaker_id", "speaker", "client_id"),
    "transcript": ("text", "transcript", "transcription", "sentence", "normalized_text"),
    "gender": ("gender", "sex"),
    "language": ("language", "locale", "lang"),
    "accent": ("accent", "accents"),
}

__all__ = ["CORPORA", "hugging_face"]


def hugging_face(
    progress: Progress | None = None,
    *,
    dataset: str = "",
    path: str = "",
    subset: str = "",
    split: str = "test",
    revision: str = "",
    audio: str = "",
    transcript: str = "",
    speaker: str = "",
) -> Listing:
    """An audio dataset of the Hugging Face hub: ``hf:dataset=OWNER/NAME,subset=...,split=test``.

    The package ``datasets`` reads it; no code of the dataset is ever run. ``split`` may name a
    part, such as ``test[:100]``. ``revision`` pins a commit; without one the first that comes is
    kept on this machine. ``path`` is a folder with a dataset, in place of one from the hub.
    ``audio``, ``transcript`` and ``speaker`` name the columns where they are not called as usual.
    The audio is written to the cache once, as it came. The small set of Codec-SUPERB is
    ``hf:dataset=Codec-SUPERB/sample_100,split=train``; it holds music and noise beside speech.

    Raises:
        UsageError: neither or both of ``dataset`` and ``path``, or no such column.
        EnvironmentFault: the package is absent, or the dataset cannot be had.
    """
    if bool(dataset) == bool(path):
        raise UsageError(
            "hf expects dataset=OWNER/NAME or path=FOLDER, such as "
            "hf:dataset=hf-internal-testing/librispeech_asr_dummy,subset=clean,split=validation"
        )
    named = {"audio": audio, "transcript": transcript, "speaker": speaker}
    source = str(typed_path(path).absolute()) if path else dataset
    where = [source, subset, split, revision, *named.values(), _stamp(source) if path else ""]
    key = hashlib.sha256("\n".join(where).encode()).hexdigest()[:16]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(filter(None, (source, subset, split))))
    folder = build_once(
        downloads_folder() / f"hf-{name.strip('-')[-80:]}-{key}",
        lambda target: _unpack(
            source, subset=subset, split=split, revision=revision, named=named, folder=target
        ),
    )
    pinned = path or COMMIT.fullmatch(revision)
    return Listing(
        name="-".join(filter(None, (Path(source).name, subset, re.sub(r"\W+", "-", split)))),
        entries=manifest(path=str(folder / "manifest.csv")).entries,
        where=f"{source} has no rows in {split}",
        licence="see the dataset's card",
        note="" if pinned else "no revision was pinned: the speech is what the hub held at first",
    )


def _stamp(source: str) -> str:
    """What changes when the files of a local dataset do."""
    folder = Path(source)
    if not folder.is_dir():
        raise UsageError(f"hf:path={source}: expected a folder with a dataset")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return " ".join(
        f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files
    )


def _unpack(
    source: str, *, subset: str, split: str, revision: str, named: Mapping[str, str], folder: Path
) -> None:
    datasets = import_extra("datasets", extra="datasets")
    try:
        rows = datasets.load_dataset(source, subset or None, split=split, revision=revision or None)
    # The package raises what its readers and its client raise, of every kind.
    except Exception as error:
        raise EnvironmentFault(f"cannot read the dataset {source}: {error}") from error
    sounds = [name for name, kind in rows.features.items() if isinstance(kind, datasets.Audio)]
    columns = {
        role: _column(role, named.get(role, ""), sounds if role == "audio" else rows.column_names)
        for role in ("audio", *USUAL_COLUMNS)
    }
    if not columns["audio"]:
        raise UsageError(f"{source} has no column of audio; it has: {', '.join(rows.column_names)}")
    rows = rows.cast_column(columns["audio"], datasets.Audio(decode=False))
    try:
        write_files(_rows(rows, columns), folder)
    except ValueError as error:
        raise EnvironmentFault(f"cannot read the dataset {source}: {error}") from error


def _column(role: str, named: str, there: list[str]) -> str:
    if named and named not in there:
        hint = suggestion(named, there, f"there are: {', '.join(there) or 'none'}")
        raise UsageError(f"hf:{role}={named}: no such column; {hint}")
    usual = USUAL_COLUMNS.get(role, tuple(there))
    return named or next((name for name in usual if name in there), "")


def _rows(rows: Any, columns: Mapping[str, str]) -> Iterator[AudioRow]:
    for number, row in enumerate(rows):
        facts = {role: _text(row.get(columns[role])) for role in USUAL_COLUMNS if columns[role]}
        sound = row[columns["audio"]]
        content = sound["bytes"] or Path(sound["path"]).read_bytes()
        yield AudioRow(content=content, **{"id": f"{number:06d}", **facts})


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


CORPORA = {"hf": hugging_face}
