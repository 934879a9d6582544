"""The files that a run stored of each item and codec, in the order of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from synbench.corpora.whereabouts import known_recordings
from synbench.results.confined import stored_file
from synbench.results.planned import PlannedRun
from synbench.results.store import RunFolder

__all__ = ["ItemFiles", "even_choice", "item_files", "item_keys"]


@dataclass(frozen=True, kw_only=True)
class ItemFiles:
    """One item: its recording, and per codec the reconstruction and the bitstream, where they are.

    Recordings are those that this machine knows of the corpus; a run folder does not name them.
    ``target_rate`` is the rate in Hz at which the corpus is used, ``None`` for that of the file.
    """

    item: str
    speaker: str
    transcript: str
    seconds: float
    target_rate: int | None
    source: Path | None
    reconstructions: tuple[Path | None, ...]
    bitstreams: tuple[Path | None, ...]


def item_files(planned: PlannedRun, corpus: str) -> list[ItemFiles]:
    """All items of a corpus; a file is named when a row of today's plan names it.

    Raises:
        UsageError: a row names a file outside the run folder.
    """
    run = RunFolder(planned.folder)
    recordings = known_recordings(planned.digest_of(corpus))
    with duckdb.connect() as connection:
        items = connection.execute(
            "SELECT item, item_digest, coalesce(speaker, ''), coalesce(transcript, ''), "
            "seconds, target_rate FROM read_parquet(?, file_row_number = true) WHERE corpus = ? "
            "ORDER BY file_row_number",
            [str(run.items_path), corpus],
        ).fetchall()
    columns = ("corpus", "item", "item_digest", "codec_id", "policy_id")
    rows = run.query(
        "decodes",
        f"SELECT {', '.join(columns)}, arg_max(reconstruction, written), "
        "arg_max(bitstream, written) FROM rows WHERE status = 'ok' GROUP BY ALL",
    )
    found = {tuple(key): (made, coded) for *key, made, coded in rows}
    files = []
    for item, digest, speaker, transcript, seconds, target_rate in items:
        keys = [
            (corpus, item, digest, codec.codec_id, planned.policy_id) for codec in planned.codecs
        ]
        pairs = [found.get(key, ("", "")) for key in keys]
        files.append(
            ItemFiles(
                item=item,
                speaker=speaker,
                transcript=transcript,
                seconds=seconds,
                target_rate=target_rate,
                source=recordings.get(item),
                reconstructions=tuple(_below(planned.folder, made) for made, _ in pairs),
                bitstreams=tuple(_below(planned.folder, coded) for _, coded in pairs),
            )
        )
    return files


def even_choice(count: int, wanted: int) -> list[int]:
    """Places of at most ``wanted`` of ``count`` things, evenly spread and always the same."""
    if count <= wanted:
        return list(range(count))
    return [(2 * place + 1) * count // (2 * wanted) for place in range(wanted)]


def _below(folder: Path, name: str | None) -> Path | None:
    return stored_file(folder, name) if name else None


def item_keys(planned: PlannedRun, corpus: str) -> list[tuple[str, str]]:
    """Id and digest of every item of a corpus, in the order of the plan."""
    with duckdb.connect() as connection:
        return connection.execute(
            "SELECT item, item_digest FROM read_parquet(?, file_row_number = true) "
            "WHERE corpus = ? ORDER BY file_row_number",
            [str(RunFolder(planned.folder).items_path), corpus],
        ).fetchall()
