"""Manifests of Lhotse: cuts, or recordings with their supervisions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from synbench.audio import write_audio
from synbench.cache import build_once
from synbench.corpora._model import Entry, Listing, Progress
from synbench.corpora._places import downloads_folder
from synbench.corpora._speakers import gender_of
from synbench.errors import EnvironmentFault, UsageError
from synbench_base.folders import typed_path
from synbench_base.packages import import_extra

RECORDINGS, SUPERVISIONS = "recordings", "supervisions"
FILE = "file"

__all__ = ["CORPORA", "lhotse_manifest"]


def lhotse_manifest(_: Progress | None = None, *, path: str) -> Listing:
    """The utterances of a Lhotse manifest: ``lhotse:path=cuts.jsonl.gz``.

    ``path`` is a manifest of cuts, or one of recordings; then the manifest of supervisions beside
    it, which has ``supervisions`` where this has ``recordings`` in its name, says what is spoken
    where. A whole recording is used where it lies; a part of one is written to the cache once, as
    24-bit FLAC. Relative paths of audio count from the working folder, as in Lhotse.

    Raises:
        UsageError: no such manifest, or audio that is not a plain file (Lhotse can have programs
            and addresses as sources; none is started or asked).
        EnvironmentFault: the package is absent, or the manifest or its audio cannot be read.
    """
    file = typed_path(path).absolute()
    if not file.is_file():
        raise UsageError(f"lhotse:path={path}: expected a manifest such as cuts.jsonl.gz")
    cuts = _cuts(file)
    problems = sorted({problem for cut in cuts if (problem := _refused(cut))})
    if problems:
        raise UsageError(f"{file}: {problems[0]}")
    parts = [cut for cut in cuts if not _is_whole(cut)]
    folder = build_once(_parts_folder(file, parts), lambda to: _write(parts, to)) if parts else None
    return Listing(
        name=file.name.partition(".")[0],
        entries=tuple(_entries(cuts, folder)),
        where=f"{file} has no cuts",
    )


def _cuts(file: Path) -> list[Any]:
    lhotse = import_extra("lhotse", extra="lhotse")
    try:
        loaded = lhotse.load_manifest(file)
        if isinstance(loaded, lhotse.RecordingSet):
            beside = file.with_name(file.name.replace(RECORDINGS, SUPERVISIONS))
            spoken = lhotse.load_manifest(beside) if beside != file and beside.is_file() else None
            loaded = lhotse.CutSet.from_manifests(recordings=loaded, supervisions=spoken)
            if spoken is not None:
                loaded = loaded.trim_to_supervisions(keep_overlapping=False)
        if not isinstance(loaded, lhotse.CutSet):
            raise UsageError(f"{file}: expected cuts or recordings, got {type(loaded).__name__}")
        return list(loaded)
    except UsageError:
        raise
    # The package raises what its readers raise, of every kind.
    except Exception as error:
        raise EnvironmentFault(f"cannot read the Lhotse manifest {file}: {error}") from error


def _refused(cut: Any) -> str:
    if not getattr(cut, "has_recording", False):
        return f"the cut {cut.id} has no recording of its own; expected cuts of one recording each"
    others = sorted({source.type for source in cut.recording.sources} - {FILE})
    return (
        f"the recording {cut.recording.id} is of type {others[0]}, expected file" if others else ""
    )


def _is_whole(cut: Any) -> bool:
    recording = cut.recording
    return (
        cut.start == 0
        and cut.num_samples == recording.num_samples
        and len(recording.sources) == 1
        and len(recording.channel_ids) == 1
        and not recording.has_video
        and not recording.transforms
    )


def _parts_folder(file: Path, parts: list[Any]) -> Path:
    """Named by the manifest and by when the recordings were last changed."""
    content = hashlib.sha256(file.read_bytes())
    for source in sorted({str(s.source) for cut in parts for s in cut.recording.sources}):
        path = Path(source)
        when = path.stat().st_mtime_ns if path.is_file() else 0
        content.update(f"{source} {when}\n".encode())
    return downloads_folder() / f"lhotse-{content.hexdigest()[:16]}"


def _write(parts: Iterable[Any], folder: Path) -> None:
    for cut in parts:
        try:
            wave = cut.load_audio()
        except Exception as error:
            raise EnvironmentFault(f"cannot read the cut {cut.id}: {error}") from error
        write_audio(folder / _file_name(cut), wave.T, sample_rate=cut.sampling_rate)


def _file_name(cut: Any) -> str:
    return f"{hashlib.sha256(cut.id.encode()).hexdigest()[:24]}.flac"


def _entries(cuts: Iterable[Any], folder: Path | None) -> Iterator[Entry]:
    for cut in cuts:
        spoken = cut.supervisions
        if _is_whole(cut):
            audio = Path(cut.recording.sources[0].source).absolute()
        else:
            assert folder is not None
            audio = folder / _file_name(cut)
        yield Entry(
            id=cut.id,
            path=audio,
            speaker=_one(each.speaker for each in spoken),
            transcript=" ".join(each.text.strip() for each in spoken if each.text),
            gender=gender_of(_one(each.gender for each in spoken)),
            language=_one(each.language for each in spoken),
            accent=_one((each.custom or {}).get("accent") for each in spoken),
        )


def _one(values: Iterable[str | None]) -> str:
    """The value that all supervisions of a cut have; of several speakers none can be named."""
    different = {value or "" for value in values}
    return different.pop() if len(different) == 1 else ""


CORPORA = {"lhotse": lhotse_manifest}
