"""The rows of a run that count, joined with some plan: tables of an in-memory DuckDB.

Everything that reads results goes through here: tables and figures by way of
:class:`synbench.results.cells.Store`, files by :mod:`synbench.results.stored_files`, the planner by
:mod:`synbench.results.outcomes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synbench.errors import UsageError
from synbench.results import queries
from synbench.results.arrow_columns import arrow_column
from synbench.results.counting import counting, stored
from synbench.results.rows import Stage
from synbench.results.store import RunFolder

# A run that ends meanwhile puts one file in place of many.
READING_ATTEMPTS = 3
_CELL: dict[Stage, tuple[str, ...]] = {
    "decodes": ("item_index", "codec_index"),
    "scores": ("item_index", "codec_index", "metric_index"),
}

__all__ = ["CountedRows", "filled"]


class CountedRows:
    """Tables ``items``, ``codecs``, ``metrics``, and on demand ``decoded`` and ``scored``.

    Args:
        folder: of the run.
        policy_id, codec_ids, metric_ids: of the plan; rows of others are not its cells.
        items: corpora, ids and digests of the items of the plan, one tuple each, in three columns;
            those of the latest start where not given.

    Raises:
        UsageError: a Parquet file of the run is absent or damaged; the message names it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        policy_id: str,
        codec_ids: Sequence[str],
        metric_ids: Sequence[str] = (),
        items: tuple[Sequence[str], Sequence[str], Sequence[str]] | None = None,
    ) -> None:
        import duckdb

        self.folder = folder
        self.codecs, self.metrics = len(codec_ids), len(metric_ids)
        self._policy_id = policy_id
        self._connection = duckdb.connect()
        try:
            if items is None:
                self._connection.execute(queries.ITEMS, [str(RunFolder(folder).items_path)])
            else:
                self._connection.register("given", _table(items))
                self._connection.execute(queries.GIVEN_ITEMS)
            self._connection.execute(queries.CODECS, [list(codec_ids)])
            self._connection.execute(queries.METRICS, [list(metric_ids)])
        except duckdb.Error as error:
            raise UsageError(f"cannot read the run {folder}: {error}") from error

    def load(self, stage: Stage) -> None:
        """Make the table ``decoded`` or ``scored``; once, and before it is asked for."""
        if stage == "decodes":
            self.count(stage, queries.DECODE_COLUMNS)
            self._connection.execute(queries.DECODED_VIEW)
        else:
            self.count(stage, queries.SCORE_COLUMNS)
            self._connection.execute(queries.SCORED_VIEW)

    def count(self, stage: Stage, columns: Sequence[str]) -> None:
        """Make the table ``counted_decodes`` or ``counted_scores``: of every cell one row.

        Args:
            columns: those wanted, with all that the rule compares.
        """
        self._join(stage, columns)
        if not self._has_several(stage):
            # The rule is the dearest part of all, and here there is nothing to choose.
            self._connection.execute(f"ALTER TABLE stored RENAME TO counted_{stage}")
            return
        rule = counting(stage, _CELL[stage])
        self._connection.execute(f"CREATE TABLE counted_{stage} AS SELECT * FROM stored {rule}")

    def _join(self, stage: Stage, columns: Sequence[str]) -> None:
        import duckdb

        query = queries.JOINED_DECODES if stage == "decodes" else queries.JOINED_SCORES
        for reading in range(READING_ATTEMPTS):
            files: list[str] = []
            try:
                files = RunFolder(self.folder).all_shards(stage)
                source = stored(stage, files=bool(files))
                text = query.format(source=source, columns=", ".join(columns))
                values = {"policy_id": self._policy_id} | ({"files": files} if files else {})
                self._connection.execute(text, values)
                return
            except (duckdb.Error, FileNotFoundError) as error:
                moved = not all(Path(file).exists() for file in files)
                if reading == READING_ATTEMPTS - 1 or not (
                    moved or isinstance(error, FileNotFoundError)
                ):
                    raise UsageError(f"cannot read the run {self.folder}: {error}") from error

    def _has_several(self, stage: Stage) -> bool:
        """Whether any cell has more than one row."""
        number = f"item_index * {self.codecs} + codec_index"
        if stage == "scores":
            number = f"({number}) * {self.metrics} + metric_index"
        cells = self._connection.execute(f"SELECT {number} AS cell FROM stored").fetchnumpy()[
            "cell"
        ]
        return bool(cells.size) and int(np.bincount(cells).max()) > 1

    def execute(self, query: str, values: Any = None) -> Any:
        """A cursor over the answer to a query of the tables; of one at a time."""
        return self._connection.execute(query, values)

    def tuples(self, query: str, corpus: str) -> list[tuple[Any, ...]]:
        """The answer to a query that takes the name of a corpus."""
        answer: list[tuple[Any, ...]] = self._connection.execute(query, [corpus]).fetchall()
        return answer

    def columns(self, query: str, corpus: str) -> dict[str, NDArray[Any]]:
        """Likewise as columns by name; NULL becomes NaN in columns of numbers."""
        answer = self._connection.execute(query, [corpus]).fetchnumpy()
        return {name: filled(column) for name, column in answer.items()}


def _table(items: tuple[Sequence[str], Sequence[str], Sequence[str]]) -> Any:
    import pyarrow

    arrays = [arrow_column(column, pyarrow.string()) for column in items]
    return pyarrow.Table.from_arrays(arrays, ["corpus", "item", "item_digest"])


def filled(column: NDArray[Any]) -> NDArray[Any]:
    """A column of DuckDB with NaN, or ``None`` among texts, for NULL."""
    if not isinstance(column, np.ma.MaskedArray):
        return column
    if not np.any(column.mask):
        return column.data
    if column.dtype != object:
        return np.ma.filled(column.astype(np.float64), np.nan)
    texts = column.data.copy()
    texts[column.mask] = None
    return texts
