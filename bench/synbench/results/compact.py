"""Tidying the rows of a run when it ends, or after it was killed: one file a stage, one row a cell.

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

from synbench.errors import EnvironmentFault, UsageError
from synbench.results.confined import inside
from synbench.results.counting import CELL, counting, stored
from synbench.results.planned import read_planned
from synbench.results.rows import COLUMNS, STAGES, Stage
from synbench.results.store import EARLIER_ROWS_FOLDER, RunFolder, name_of
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

_AXES: dict[Stage, tuple[str, ...]] = {
    "decodes": ("item_order", "codecs_order"),
    "scores": ("item_order", "codecs_order", "metrics_order"),
}

# So many are read at once as quickly as they are put together.
FEW_FILES = 20

__all__ = ["compact", "compact_leftovers", "write_rows"]


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


def compact_leftovers(run: RunFolder) -> None:
    """Put the many files of a run that was killed together before the next start reads them.

    A start reads all rows several times. Where the folder cannot be read nothing is done: planning
    tells why, or a new manifest is written.

    Raises:
        OSError: the disk is full or read-only; every row is still there.
    """
    files = [sum(1 for _ in inside(run.path, stage).glob("[!.]*.parquet")) for stage in STAGES]
    if max(files) <= FEW_FILES:
        return
    with contextlib.suppress(UsageError, EnvironmentFault):
        read_planned(run.path)
        compact(run)


def _compact(run: RunFolder, stage: Stage, policy_id: str, connection: Any) -> None:
    asked, earlier = run.shards(stage), run.earlier_shards(stage)
    axes = _AXES[stage]
    metrics = "LEFT JOIN metrics USING (metric_id)" if stage == "scores" else ""
    joined = (
        f"LEFT JOIN items USING (corpus, item, item_digest) "
        f"LEFT JOIN codecs USING (codec_id) {metrics}"
    )
    known = " AND ".join(f"{name} IS NOT NULL" for name in axes)
    is_asked = f"coalesce(policy_id = $policy_id AND {known}, false)"
    if _is_tidy(asked, earlier, f"{is_asked} AS is_asked", joined, axes, policy_id, connection):
        return
    connection.execute(
        f"CREATE TABLE counted AS SELECT {', '.join(COLUMNS[stage])}, {', '.join(axes)}, "
        f"{is_asked} AS is_asked FROM {stored(stage, files=True)} {joined} {counting(stage)}",
        {"files": run.all_shards(stage), "policy_id": policy_id},
    )
    kept = connection.execute("SELECT DISTINCT is_asked FROM counted").fetchall()
    written = [
        write_rows(
            run,
            tree,
            stage,
            f"SELECT * FROM counted WHERE is_asked = {part} ORDER BY {', '.join(order)}",
            connection,
        )
        for part, tree, order in (
            (True, stage, axes),
            (False, f"{EARLIER_ROWS_FOLDER}/{stage}", CELL[stage]),
        )
        if (part,) in kept
    ]
    for path in {*asked, *earlier} - {*written}:
        path.unlink()


def _is_tidy(
    asked: list[Path],
    earlier: list[Path],
    is_asked: str,
    joined: str,
    axes: tuple[str, ...],
    policy_id: str,
    connection: Any,
) -> bool:
    """Whether every row is where it belongs, and once; costs a fraction of tidying."""
    if len(asked) > 1 or len(earlier) > 1:
        return False
    for files, expected in ((asked, True), (earlier, False)):
        if not files:
            continue
        rows, right, cells = connection.execute(
            f"SELECT count(*), count(*) FILTER (is_asked = {expected}), "
            f"count(DISTINCT hash({', '.join(axes)})) FILTER (is_asked) "
            f"FROM (SELECT {is_asked}, {', '.join(axes)} FROM read_parquet($files) {joined})",
            {"files": [str(path) for path in files], "policy_id": policy_id},
        ).fetchall()[0]
        if right != rows or cells != (rows if expected else 0):
            return False
    return True


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
