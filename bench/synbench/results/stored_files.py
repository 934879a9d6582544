"""The files that a run stored of each item and codec, in the order of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synbench.corpora.whereabouts import known_recordings
from synbench.results import queries
from synbench.results.confined import stored_files
from synbench.results.counted_rows import CountedRows
from synbench.results.planned import PlannedRun

ITEMS = """
SELECT item, speaker, transcript, seconds, target_rate, problem, input
FROM items WHERE corpus = ? ORDER BY item_index
"""

__all__ = ["ItemFiles", "even_choice", "files_of", "item_files", "item_keys"]


@dataclass(frozen=True, kw_only=True)
class ItemFiles:
    """One item: its recording, and per codec the reconstruction and the bitstream, where they are.

    ``damaged`` is the wave that the codecs were given under a condition, ``None`` where that is the
    recording.

    Recordings are those that this machine knows of the corpus; a run folder does not name them.
    ``target_rate`` is the rate in Hz at which the corpus is used, ``None`` for that of the file.
    ``problem`` is why the recording cannot be used, empty where it can. ``decoded`` says per codec
    whether coding and decoding worked, though its files may be gone.
    """

    item: str
    speaker: str
    transcript: str
    seconds: float
    target_rate: int | None
    problem: str
    source: Path | None
    damaged: Path | None
    decoded: tuple[bool, ...]
    reconstructions: tuple[Path | None, ...]
    bitstreams: tuple[Path | None, ...]


def item_files(planned: PlannedRun, corpus: str) -> list[ItemFiles]:
    """All items of a corpus; a file is named where the row that counts names it.

    Raises:
        UsageError: a row names a file outside the run folder.
    """
    codec_ids = [codec.codec_id for codec in planned.codecs]
    rows = CountedRows(planned.folder, policy_id=planned.policy_id, codec_ids=codec_ids)
    return files_of(rows, corpus, known_recordings(planned.digest_of(corpus)))


def files_of(rows: CountedRows, corpus: str, recordings: Mapping[str, Path]) -> list[ItemFiles]:
    """Likewise from the rows of a run, codecs in their order there, and the paths of its items."""
    rows.load("decodes")
    named = rows.tuples(queries.FILES, corpus)
    items = rows.tuples(ITEMS, corpus)
    names = {name for *_, first, second in named for name in (first, second)}
    names |= {damaged for *_, damaged in items}
    paths = stored_files(rows.folder, filter(None, names))
    made = {
        (index, codec): (paths.get(reconstruction), paths.get(bitstream))
        for index, codec, reconstruction, bitstream in named
    }
    codecs = range(rows.codecs)
    files = []
    for index, item in enumerate(items):
        name, speaker, transcript, seconds, target_rate, problem, damaged = item
        pairs = [made.get((index, codec), (None, None)) for codec in codecs]
        files.append(
            ItemFiles(
                item=name,
                speaker=speaker,
                transcript=transcript,
                seconds=seconds,
                target_rate=target_rate,
                problem=problem,
                source=recordings.get(name),
                damaged=paths.get(damaged),
                decoded=tuple((index, codec) in made for codec in codecs),
                reconstructions=tuple(reconstruction for reconstruction, _ in pairs),
                bitstreams=tuple(bitstream for _, bitstream in pairs),
            )
        )
    return files


def even_choice(count: int, wanted: int) -> list[int]:
    """Places of at most ``wanted`` of ``count`` things, evenly spread and always the same."""
    if count <= wanted:
        return list(range(count))
    return [(2 * index + 1) * count // (2 * wanted) for index in range(wanted)]


def item_keys(planned: PlannedRun, corpus: str) -> list[tuple[str, str]]:
    """Id and digest of every item of a corpus, in the order of the plan."""
    rows = CountedRows(planned.folder, policy_id=planned.policy_id, codec_ids=())
    query = "SELECT item, item_digest FROM items WHERE corpus = ? ORDER BY item_index"
    return [(item, digest) for item, digest in rows.tuples(query, corpus)]
