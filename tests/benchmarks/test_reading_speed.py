"""How long a million stored scores take to become a table."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from synbench_reports.build_report import build_report, read_selection
from synbench_reports.cells import OK, Store
from synbench_reports.planned import read_planned

MAKER = Path(__file__).parents[1] / "reports" / "conftest.py"
ITEMS, CODECS, METRICS, SHARDS = 5000, 20, 10, 200


def write_scores(folder: Path, policy_id: str) -> None:
    """One million rows in shards of 5000, as a long run leaves them."""
    (folder / "scores").mkdir(exist_ok=True)
    generator = np.random.default_rng(0)
    per_shard = ITEMS // SHARDS
    codecs = np.tile(np.repeat(np.arange(CODECS), METRICS), per_shard)
    metrics = np.tile(np.arange(METRICS), per_shard * CODECS)
    for shard in range(SHARDS):
        first = shard * per_shard
        items = np.repeat(np.arange(first, first + per_shard), CODECS * METRICS)
        names = [f"item{number}" for number in items]
        count = len(items)
        columns: dict[str, Any] = {
            "corpus": ["speech"] * count,
            "item": names,
            "item_digest": [f"digest {name}" for name in names],
            "codec": [f"codec{number}" for number in codecs],
            "codec_id": [f"codec{number}" for number in codecs],
            "metric": [f"metric{number}" for number in metrics],
            "metric_id": [f"metric{number}" for number in metrics],
            "policy_id": [policy_id] * count,
            "status": ["ok"] * count,
            "value": generator.normal(3, 1, count),
            "reason": [""] * count,
            "transient": [False] * count,
            "written": np.arange(count, dtype=float),
            "cpu_seconds": np.ones(count),
        }
        path = folder / "scores" / f"{shard:04}.parquet"
        pyarrow.parquet.write_table(pyarrow.table(columns), path)


def maker() -> Any:
    """The helpers of the tests of reports, which make run folders by hand."""
    spec = importlib.util.spec_from_file_location("made_runs", MAKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.benchmark
def test_a_million_scores_are_read_in_under_two_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = maker()
    folder = made.MadeRun(
        folder=tmp_path,
        codecs=[made.codec(f"codec{number}") for number in range(CODECS)],
        metrics=[made.metric(f"metric{number}") for number in range(METRICS)],
        items={"speech": {f"item{number}": 1.0 for number in range(ITEMS)}},
    ).begin()
    write_scores(folder, read_planned(folder).policy_id)
    start = time.perf_counter()
    cells = Store(read_planned(folder)).cells("speech")
    read = time.perf_counter() - start
    build_report(read_selection(folder))
    built = time.perf_counter() - start - read
    with capsys.disabled():
        print(f"\n{cells.status.size} scores: read {read:.2f} s; with intervals {built:.2f} s")
    assert (cells.status == OK).all()
    assert read < 2
