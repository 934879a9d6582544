"""Stored rows come back exactly, and storing them stays cheap to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synbench.results.store import SCORE_COLUMNS, RunFolder, write_table

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"item": TEXT, "transient": st.booleans()},
        optional={
            "reason": TEXT,
            "value": st.floats(allow_nan=False) | st.none(),
            "seconds": st.floats(0, 1e6),
            "vector": st.binary(max_size=9) | st.none(),
        },
    ),
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=ROWS)
def test_rows_come_back_exactly(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    write_table(tmp_path / "rows.parquet", rows, SCORE_COLUMNS)
    table = pyarrow.parquet.read_table(tmp_path / "rows.parquet")
    assert table.schema.names == list(SCORE_COLUMNS)
    blank = dict.fromkeys(SCORE_COLUMNS)
    assert table.to_pylist() == [blank | row for row in rows]


def test_a_column_that_nobody_declared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pyarrow.ArrowInvalid, match="unexpected field"):
        write_table(tmp_path / "rows.parquet", [{"item": "a", "score": 1.0}], SCORE_COLUMNS)
    assert not list(tmp_path.iterdir())


def test_storing_and_reading_import_no_pandas(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    script = (
        "import sys; from pathlib import Path; from synbench.results.store import RunFolder;"
        "run = RunFolder(Path(sys.argv[1]));"
        "run.add('scores', [{'item': 'a', 'value': 1.5, 'vector': b'1'}]);"
        "assert run.rows('scores', ['item', 'value']) == [('a', 1.5)];"
        "sys.exit('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == 0
    assert RunFolder(tmp_path).rows("scores", ["reason"]) == [(None,)]
