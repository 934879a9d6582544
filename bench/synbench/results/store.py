"""What a run leaves on disk, and how it is found again.

::

    RUN/
      manifest.json        suite, host, packages, policy, codecs, metrics, corpora
      items.parquet        the items of every corpus
      bitstreams/          <codec>/<corpus>/<item>.<digest>.syn
      reconstructions/     <codec>/<corpus>/<item>.<digest>.flac
      inputs/              <corpus, condition>/<item>.<digest>.flac, what codecs got
      decodes/*.parquet    one row per (item, codec)
      scores/*.parquet     one row per (item, codec, metric)
      earlier/             decodes and scores that the latest start did not ask for
      log.txt

While a run works, every finished unit of work is one more file; when it ends, one file is made of
them (:mod:`synbench.results.compact`). A cell is found by what it was made from: item digest, codec
id, metric id and policy id are columns of its row. A row made from something else is simply not the
cell that is looked for; it waits in ``earlier`` until a suite asks for it again. Which of several
rows of one cell counts is said in :mod:`synbench.results.counting`: a ``transient`` failure (a
crashed worker, a file that was away) is tried again at the next start, and then the later attempt
counts. Files appear under their name only when they are complete. A file of rows is named by the
digest of its bytes, and a reader refuses one that has another: a flipped bit is no score.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from synbench.errors import EnvironmentFault, UsageError
from synbench.results.arrow_columns import arrow_table
from synbench.results.confined import inside, stored_file, stored_files
from synbench.results.counting import counting, stored
from synbench.results.rows import (
    COLUMNS,
    DECODE_COLUMNS,
    ITEM_COLUMNS,
    SCORE_COLUMNS,
    STAGES,
    DecodeRow,
    Row,
    ScoreRow,
    Stage,
    arrow_schema,
    as_mapping,
)
from synbench_base.files import sweep, write_bytes

# Of the manifest; another number is not read.
FORMAT = 1
# Hex digits of the digest in the name of a file of rows; those of older versions have 16 at random.
NAME_DIGITS = 32
EARLIER_ROWS_FOLDER = "earlier"

__all__ = [
    "DECODE_COLUMNS",
    "EARLIER_ROWS_FOLDER",
    "FORMAT",
    "ITEM_COLUMNS",
    "SCORE_COLUMNS",
    "RunFolder",
    "name_of",
    "write_table",
]


def write_table(path: Path, rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    """Write rows as one complete Parquet file; a column that a row lacks is null in it."""
    write_bytes(path, _parquet(rows, columns))


def _parquet(rows: Sequence[Row], columns: Mapping[str, str]) -> memoryview:
    import pyarrow
    import pyarrow.parquet

    schema = arrow_schema(columns)
    sink = pyarrow.BufferOutputStream()
    with pyarrow.parquet.ParquetWriter(sink, schema, write_page_checksum=True) as writer:
        if rows:
            writer.write_table(arrow_table(rows, schema))
    return memoryview(sink.getvalue())


class RunFolder:
    """Reads and writes the files of one run.

    What is opened goes through :mod:`synbench.results.confined`: the folder may be a stranger's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def manifest_path(self) -> Path:
        """Where the manifest is."""
        return inside(self.path, "manifest.json")

    @property
    def items_path(self) -> Path:
        """Where the table of the items is."""
        return inside(self.path, "items.parquet")

    def exists(self) -> bool:
        """Whether a run was ever started here."""
        return stored_file(self.path, "manifest.json") is not None

    def manifest(self) -> dict[str, Any]:
        """The manifest of the latest start.

        Raises:
            UsageError: it is absent or no JSON object.
        """
        path = self.manifest_path
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"cannot read {path}: {error}") from error
        if not isinstance(content, dict):
            raise UsageError(f"{path} is damaged: expected an object, got {content!r:.40}")
        return content

    def begin(self, manifest: Mapping[str, Any], items: Sequence[Row]) -> None:
        """Start or go on: clear what a killed run left half-written, say what is planned.

        Raises:
            UsageError: a link in the folder leads out of it.
        """
        self.clear()
        write_table(self.items_path, items, ITEM_COLUMNS)
        self._write_manifest(manifest)

    def go_on(self, *, started: str) -> None:
        """Note another start of what the manifest and the items say already.

        Raises:
            UsageError: as :meth:`begin`.
        """
        self.clear()
        self._write_manifest(self.manifest() | {"started": started})

    def clear(self) -> None:
        """Remove what a killed run left half-written."""
        for tree in ("inputs", "bitstreams", "reconstructions", *STAGES, EARLIER_ROWS_FOLDER):
            inside(self.path, tree)
        sweep(self.path)

    def _write_manifest(self, manifest: Mapping[str, Any]) -> None:
        text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False)
        write_bytes(self.manifest_path, text.encode())

    def digest(self) -> str:
        """Of all that says which cells there are and how they ended: manifest, items, rows.

        When the latest start was does not count.

        Raises:
            UsageError, EnvironmentFault: a file is damaged, as :meth:`shards`.
        """
        manifest = {name: value for name, value in self.manifest().items() if name != "started"}
        files = [
            path.stem if len(path.stem) == NAME_DIGITS else name_of(path.read_bytes())
            for stage in STAGES
            for path in (*self.shards(stage), *self.earlier_shards(stage))
        ]
        content = [manifest, name_of(self.items_path.read_bytes()), files]
        return name_of(json.dumps(content, sort_keys=True).encode())

    def log(self, line: str) -> None:
        """Add a line with the time to ``log.txt``."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with inside(self.path, "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{moment} {line}\n")

    def add(
        self, stage: Stage, rows: Sequence[DecodeRow] | Sequence[ScoreRow] | Sequence[Row]
    ) -> None:
        """Store the rows of one finished unit of work, complete or not at all."""
        data = _parquet(list(map(as_mapping, rows)), COLUMNS[stage])
        write_bytes(inside(self.path, f"{stage}/{name_of(data)}.parquet"), data)

    def shards(self, stage: Stage) -> list[Path]:
        """The files with rows of a stage that the latest start asked for, sorted.

        Each was read and found to be what was written.

        Raises:
            EnvironmentFault: one is damaged.
            UsageError: one is no file of this folder.
        """
        return self._shards(stage)

    def earlier_shards(self, stage: Stage) -> list[Path]:
        """Likewise the files with rows of a stage that only earlier starts asked for."""
        return self._shards(f"{EARLIER_ROWS_FOLDER}/{stage}")

    def all_shards(self, stage: Stage) -> list[str]:
        """Paths of all files with rows of a stage, as DuckDB takes them."""
        return [str(path) for path in self.shards(stage) + self.earlier_shards(stage)]

    def _shards(self, tree: str) -> list[Path]:
        names = sorted(path.name for path in inside(self.path, tree).glob("[!.]*.parquet"))
        paths = stored_files(self.path, [f"{tree}/{name}" for name in names]).values()
        for path in filter(None, paths):
            if len(path.stem) == NAME_DIGITS and name_of(path.read_bytes()) != path.stem:
                raise EnvironmentFault(
                    f"cannot read {path}: its bytes are not those that were written (a damaged "
                    "disk or copy); remove the damaged file, then type the same command again"
                )
        return [path for path in paths if path is not None]

    def rows(self, stage: Stage, columns: Iterable[str]) -> list[tuple[Any, ...]]:
        """The row that counts of every stored cell, as tuples of the named columns, in no order."""
        return self.query(stage, f"SELECT {', '.join(columns)} FROM rows")

    def query(self, stage: Stage, sql: str, *, every: bool = False) -> list[tuple[Any, ...]]:
        """The answer to a query over ``rows``: of every stored cell the row that counts.

        It is empty where nothing is stored.

        Args:
            every: all rows, also those that do not count: what work took, it took each time.

        Raises:
            EnvironmentFault: a stored file is damaged.
            UsageError: one is no file of this folder.
        """
        files = self.all_shards(stage)
        if not files:
            return []
        import duckdb

        rows = f"SELECT * FROM {stored(stage, files=True)} {'' if every else counting(stage)}"
        with duckdb.connect() as connection:
            try:
                return connection.execute(
                    f"WITH rows AS ({rows}) {sql}", {"files": files}
                ).fetchall()
            except duckdb.Error as error:
                raise EnvironmentFault(
                    f"cannot read {self.path / stage}: {error}; remove the damaged file, "
                    "then type the same command again"
                ) from error


def name_of(data: bytes | memoryview) -> str:
    """The name of a file of rows: the beginning of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:NAME_DIGITS]
