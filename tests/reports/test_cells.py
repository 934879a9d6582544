"""Which stored rows count, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synbench.errors import UsageError
from synbench.results.cells import FAILED, MISSING, NOT_APPLICABLE, OK, Cells, Store
from synbench.results.planned import read_planned
from synbench.results.store import RunFolder

ALPHA, BETA, MOS, ERROR = 1, 2, 0, 1


def read(folder: Path, corpus: str = "speech") -> Cells:
    return Store(read_planned(folder)).cells(corpus)


def test_a_run_killed_before_its_first_score_is_all_missing(empty_run: Any) -> None:
    cells = read(empty_run.folder)
    assert cells.status.shape == (3, 3, 2)
    assert (cells.status == MISSING).all()
    assert (cells.decode_status == MISSING).all()
    assert np.isnan(cells.values).all()
    assert cells.failures == ()


def test_every_status_is_told_apart(empty_run: Any) -> None:
    empty_run.score("alpha", "a", "mos", 3.5)
    empty_run.score("alpha", "b", "mos", reason="crashed")
    empty_run.score("alpha", "c", "mos", status="not_applicable", reason="too short")
    cells = read(empty_run.save())
    assert cells.status[:, ALPHA, MOS].tolist() == [OK, FAILED, NOT_APPLICABLE]
    assert cells.values[0, ALPHA, MOS] == 3.5
    assert np.isnan(cells.values[1:, ALPHA, MOS]).all()
    assert cells.failures == (("crashed", 1),)
    assert (cells.status[:, BETA] == MISSING).all()


def test_the_last_written_row_of_a_cell_counts_whatever_its_file(empty_run: Any) -> None:
    empty_run.score("alpha", "a", "mos", 2.0, written=50.0)
    empty_run.score("alpha", "a", "mos", 4.0, written=70.0)
    empty_run.save()
    empty_run.score("alpha", "a", "mos", reason="older failure", written=60.0)
    cells = read(empty_run.save())
    assert cells.values[0, ALPHA, MOS] == 4.0
    assert cells.failures == ()


def test_a_later_failure_replaces_a_score(empty_run: Any) -> None:
    empty_run.score("alpha", "a", "mos", 2.0, written=50.0)
    empty_run.score("alpha", "a", "mos", reason="gone", written=60.0)
    cells = read(empty_run.save())
    assert cells.status[0, ALPHA, MOS] == FAILED
    assert np.isnan(cells.values[0, ALPHA, MOS])


@pytest.mark.parametrize(
    "other",
    [
        {"policy_id": "policy-of-yesterday"},
        {"item_digest": "digest of other samples"},
        {"metric_id": "mos of another version"},
        {"codec_id": "alpha with other weights"},
        {"corpus": "another corpus"},
        {"item": "an item that is no longer there"},
    ],
)
def test_a_row_of_another_plan_is_not_the_cell(empty_run: Any, other: dict[str, str]) -> None:
    empty_run.score("alpha", "a", "mos", 2.0)
    empty_run.rows["scores"][-1] |= other
    assert (read(empty_run.save()).status == MISSING).all()


def test_a_removed_metric_leaves_the_others_in_place(made_run: Any) -> None:
    del made_run.metrics[0]
    cells = read(made_run.begin())
    assert cells.values.shape == (3, 3, 1)
    assert cells.values[:, ALPHA, 0].tolist() == [0.25] * 3


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_an_ok_row_without_a_number_is_a_failure(empty_run: Any, value: float | None) -> None:
    empty_run.score("alpha", "a", "mos", value, status="ok")
    cells = read(empty_run.save())
    assert cells.status[0, ALPHA, MOS] == FAILED
    assert cells.failures == (("the stored score is not a finite number", 1),)


def test_corpora_are_kept_apart_though_their_items_share_names(empty_run: Any) -> None:
    empty_run.items["noise"] = {"b": 1.0, "a": 3.0}
    empty_run.begin()
    empty_run.score("alpha", "a", "mos", 2.0)
    empty_run.score("alpha", "a", "mos", 4.0, corpus="noise")
    empty_run.decode("alpha", "b", corpus="noise", payload_bits=77)
    folder = empty_run.save()
    assert read(folder).values[0, ALPHA, MOS] == 2.0
    noise = read(folder, "noise")
    assert noise.seconds.tolist() == [1.0, 3.0]
    assert noise.values[1, ALPHA, MOS] == 4.0
    assert noise.measures["payload_bits"][0, ALPHA] == 77


def test_decodes_follow_the_same_rules(empty_run: Any) -> None:
    empty_run.decode("alpha", "a", written=50.0, payload_bits=1)
    empty_run.decode("alpha", "a", written=60.0, payload_bits=2)
    empty_run.decode("alpha", "b", policy_id="old")
    empty_run.decode("alpha", "c", status="failed", payload_bits=None, lag_seconds=None)
    cells = read(empty_run.save())
    assert cells.decode_status[:, ALPHA].tolist() == [OK, MISSING, FAILED]
    assert cells.measures["payload_bits"][0, ALPHA] == 2
    assert np.isnan(cells.measures["payload_bits"][1:, ALPHA]).all()


def test_half_written_files_are_not_read(made_run: Any) -> None:
    (made_run.folder / "scores" / ".x.parquet.1.tmp").write_bytes(b"PAR1 half")
    (made_run.folder / "scores" / ".hidden.parquet").write_bytes(b"PAR1 half")
    assert (read(made_run.folder).status == OK).all()


def test_rows_name_every_planned_cell_in_the_order_of_the_plan(empty_run: Any) -> None:
    empty_run.score("beta", "b", "error", 0.25)
    empty_run.score("alpha", "c", "mos", reason="crashed")
    (rows,) = Store(read_planned(empty_run.save())).rows()
    assert len(rows) == 3 * 3 * 2
    assert [row[1] for row in rows[::6]] == ["a", "b", "c"]
    known = {(row[1], row[3], row[6]): row[-4:] for row in rows}
    assert known["b", "Beta", "error"] == ("ok", 0.25, 1.0, "")
    assert known["c", "Alpha", "mos"] == ("failed", None, None, "crashed")
    assert known["a", "Reference", "mos"] == ("missing", None, None, "")


def test_a_damaged_file_is_named(made_run: Any) -> None:
    (made_run.folder / "scores" / "ffff.parquet").write_bytes(b"this is no parquet")
    with pytest.raises(UsageError, match=r"ffff\.parquet"):
        Store(read_planned(made_run.folder))


def test_an_absent_list_of_items_is_named(made_run: Any) -> None:
    (made_run.folder / "items.parquet").unlink()
    with pytest.raises(UsageError, match=r"items\.parquet"):
        Store(read_planned(made_run.folder))


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "cannot read"), ("[]", "damaged"), ('{"format": 99}', "99"), ('{"format": 1}', "suite")],
)
def test_a_damaged_or_foreign_manifest_is_refused(made_run: Any, text: str, message: str) -> None:
    RunFolder(made_run.folder).manifest_path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_planned(made_run.folder)
