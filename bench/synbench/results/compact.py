"""Tidying the rows of a run when it ends: one file a stage, one row a cell.

While a run works, every finished unit of work adds a file, a cell that is tried again adds a row,
and rows of an older version of a codec or of a metric no longer asked for lie between the others.
Afterwards ``decodes`` and ``scores`` hold exactly the cells of the latest start, in the order of
its plan; what it did not ask for is in ``earlier``, from where a suite that asks again gets it.

It may be killed at any moment. New files are complete before they appear, old ones go only then; in
between a row may stand in both, and readers take either, since they are the same.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from synbench.errors import EnvironmentFault
from synbench.results.confined import inside
from synbench.results.counting import CELL, counting, stored
from synbench.results.rows import COLUMNS, STAGES, Stage
from synbench.results.store import EARLIER, RunFolder, name_of
from synbench_base.files import temporary_beside

_ITEMS = """
CREATE TABLE items AS SELECT file_row_number AS item_order, corpus, item, item_digest
FROM read_parquet(?, file_row_number = true)
"""
_NAMES = """
CREATE TABLE {table} AS SELECT {column}, min(position) AS {order}
FROM (SELECT unnest($names::VARCHAR[]) AS {column}, generate_subscripts($names, 1) AS position)
GROUP BY {column}
"""

__all__ = ["compact", "write_rows"]


def compact(run: RunFolder) -> None:
    """Leave one file with one row a cell, for a folder that nobody writes to.

    Raises:
        EnvironmentFault: a stored file is damaged.
        OSError: the disk is full or read-only; every row is still there.
    """
    manifest = run.manifest()
    for stage in STAGES:
        if not run.all_shards(stage):
            continue
        import duckdb

        with duckdb.connect() as connection:
            try:
                connection.execute(_ITEMS, [str(run.items_path)])
                for table, column, records in (
                    ("codecs", "codec_id", manifest["codecs"]),
                    ("metrics", "metric_id", manifest["metrics"]),
                ):
                    query = _NAMES.format(table=table, column=column, order=f"{table}_order")
                    connection.execute(query, {"names": [record[column] for record in records]})
                _compact(run, stage, manifest["policy_id"], connection)
            except duckdb.Error as error:
                raise EnvironmentFault(
                    f"cannot read {run.path / stage}: {error}; remove the damaged file, "
                    "then type the same command again"
                ) from error


def _compact(run: RunFolder, stage: Stage, policy_id: str, connection: Any) -> None:
    asked, earlier = run.shards(stage), run.earlier_shards(stage)
    metrics = "LEFT JOIN metrics USING (metric_id)" if stage == "scores" else ""
    order = ("item_order", "codecs_order", *(["metrics_order"] if metrics else []))
    known = " AND ".join(f"{name} IS NOT NULL" for name in order)
    connection.execute(
        f"CREATE TABLE counted AS SELECT {', '.join(COLUMNS[stage])}, {', '.join(order)}, "
        f"coalesce(policy_id = $policy_id AND {known}, false) AS is_asked, filename "
        f"FROM {stored(stage, files=True)} LEFT JOIN items USING (corpus, item, item_digest) "
        f"LEFT JOIN codecs USING (codec_id) {metrics} {counting(stage)}",
        {"files": run.all_shards(stage), "policy_id": policy_id},
    )
    kept = connection.execute(
        "SELECT is_asked, filename, count(*) FROM counted GROUP BY is_asked, filename"
    ).fetchall()
    parts = (
        (True, asked, stage, order),
        (False, earlier, f"{EARLIER}/{stage}", CELL[stage]),
    )
    if all(
        _is_tidy(files, [(name, count) for asked_for, name, count in kept if asked_for == is_asked])
        for is_asked, files, _, _ in parts
    ):
        return
    written = [
        write_rows(
            run,
            tree,
            stage,
            f"SELECT * FROM counted WHERE is_asked = {is_asked} ORDER BY {', '.join(by)}",
            connection,
        )
        for is_asked, _, tree, by in parts
        if any(asked_for == is_asked for asked_for, _, _ in kept)
    ]
    for path in {*asked, *earlier} - {*written}:
        path.unlink()


def _is_tidy(files: list[Path], kept: list[tuple[str, int]]) -> bool:
    """Whether there is one file with the rows that are kept and no other, or neither."""
    import pyarrow.parquet

    rows = [(str(path), pyarrow.parquet.read_metadata(path).num_rows) for path in files]
    return rows == kept and len(files) <= 1


def write_rows(run: RunFolder, tree: str, stage: Stage, query: str, connection: Any) -> Path:
    """Write the answer to a query as one file of rows, complete or not at all.

    Args:
        tree: where in the run folder, such as ``earlier/scores``.
        query: of rows that have at least the columns of the stage.
    """
    folder = inside(run.path, tree)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(folder / "rows.parquet")
    try:
        rows = connection.sql(f"SELECT {', '.join(COLUMNS[stage])} FROM ({query})")
        rows.write_parquet(str(temporary))
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        return temporary.replace(folder / f"{name_of(temporary.read_bytes())}.parquet")
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
