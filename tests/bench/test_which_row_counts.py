"""One rule says which stored row counts, and everything that reads a run follows it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pandas
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from synbench.results import compact as compacting
from synbench.results.cells import FAILED, MISSING, OK, STATUS_NAMES, Store
from synbench.results.compact import compact, compact_leftovers
from synbench.results.outcomes import MOST_ATTEMPTS, stored_outcomes
from synbench.results.planned import read_planned
from synbench.results.rows import COLUMNS, DecodeRow, ScoreRow
from synbench.results.store import RunFolder
from synbench.results.stored_files import item_files

ITEMS, CODECS, METRICS = ("a", "b"), ("alpha", "beta"), ("mos", "sdr")
Write = Callable[..., Path]
Command = Callable[..., Any]
FAST = settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def codec_record(name: str) -> dict[str, Any]:
    return {
        "label": name.title(),
        "codec_id": name,
        "spec": name,
        "kind": "neural",
        "nominal_bitrate_bps": None,
        "bits_counted": True,
        "training_note": "",
        "implementation": "by hand",
        "weights": [],
        "source": "",
        "codebook_sizes": [],
        "bits_per_frame": None,
    }


def metric_record(name: str) -> dict[str, Any]:
    return {
        "metric_id": name,
        "column": name,
        "label": name.upper(),
        "unit": "",
        "direction": "up",
        "maximum": None,
        "sample_rates": [16000],
        "implementation": "by hand",
        "version": "1",
        "mode": "",
        "weights_sha256": "",
        "source": "",
    }


def begun(folder: Path) -> RunFolder:
    """A run of two items, codecs and metrics, with no row yet."""
    run = RunFolder(folder)
    manifest = {
        "format": 1,
        "started": "2026-01-01T00:00:00Z",
        "suite": {"name": "made"},
        "policy": {},
        "policy_id": "today",
        "host": {"processor": "an abacus"},
        "packages": {},
        "codecs": [codec_record(name) for name in CODECS],
        "metrics": [metric_record(name) for name in METRICS],
        "corpora": [
            {"name": "speech", "digest": "0" * 16, "items": 2, "seconds": 2.0, "note": ""}
            | {"licence": ""}
        ],
        "skipped": [],
    }
    items = [
        {"corpus": "speech", "item": name, "item_digest": name, "seconds": 1.0} for name in ITEMS
    ]
    run.begin(manifest, items)
    return run


KEYS = st.fixed_dictionaries(
    {
        "item": st.sampled_from(ITEMS),
        "item_digest": st.sampled_from([*ITEMS, "other samples"]),
        "codec_id": st.sampled_from([*CODECS, "alpha of another version"]),
        "policy_id": st.sampled_from(["today", "today", "today", "yesterday"]),
    }
)
FATES = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["ok", "failed"]),
        "transient": st.booleans(),
        "attempt": st.none() | st.integers(1, 3),
        "written": st.sampled_from([1.0, 2.0, 3.0]),
    }
)


def expected(rows: list[dict[str, Any]], cell: tuple[str, ...]) -> dict[tuple[str, ...], Any]:
    """The rule again, in Python: the highest attempt, among equals the last written."""
    latest: dict[tuple[str, ...], Any] = {}
    for row in rows:
        key = tuple(row[name] for name in cell)
        rank = (row["attempt"] or 0, row["written"])
        if key not in latest or rank > latest[key][0]:
            latest[key] = (rank, row)
    return {key: row for key, (_, row) in latest.items()}


@FAST
@given(
    decodes=st.lists(st.tuples(KEYS, FATES), max_size=20),
    scores=st.lists(st.tuples(KEYS, st.sampled_from(METRICS), FATES), max_size=30),
    shards=st.integers(1, 3),
    tidy=st.booleans(),
)
def test_every_reader_takes_the_same_row(
    decodes: list[Any], scores: list[Any], shards: int, tidy: bool, tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("run")
    run = begun(folder)
    # No two rows are written at the same time: which of them counts is nobody's promise.
    for number, (*_, fate) in enumerate([*decodes, *scores]):
        fate["written"] += number / 1000
    decoded = [
        {"corpus": "speech", "codec": "any", **key, **fate}
        | {"reason": f"{fate['attempt']} {fate['written']}", "reconstruction": key["item"]}
        for key, fate in decodes
    ]
    scored = [
        {"corpus": "speech", "codec": "any", "metric": metric, "metric_id": metric, **key, **fate}
        | {"reason": f"{fate['attempt']} {fate['written']} {fate['status']}", "seconds": 1.0}
        | {"value": (fate["attempt"] or 0) + fate["written"] / 10}
        for key, metric, fate in scores
    ]
    for name in ITEMS:
        (folder / name).touch()
    for number in range(shards):
        run.add("decodes", decoded[number::shards])
        run.add("scores", scored[number::shards])
    if tidy:
        compact(run)
    pair = ("item", "item_digest", "codec_id", "policy_id")
    latest_decode, latest_score = expected(decoded, pair), expected(scored, (*pair, "metric_id"))

    planned = read_planned(folder)
    store = Store(planned)
    cells = store.cells("speech")
    files = item_files(planned, "speech")
    outcomes = stored_outcomes(
        folder,
        items=(["speech"] * 2, ITEMS, ITEMS),
        policy_id="today",
        codec_ids=CODECS,
        metric_ids=METRICS,
    )
    unscored = {
        (cell.item_index, cell.codec_id, cell.metric_id): cell.reason
        for cell in store.unscored("speech")
    }
    for (i, item), (c, codec) in product(enumerate(ITEMS), enumerate(CODECS)):
        row = latest_decode.get((item, item, codec, "today"))
        status = MISSING if row is None else OK if row["status"] == "ok" else FAILED
        assert cells.decode_status[i, c] == status
        assert files[i].decoded[c] == (status == OK)
        assert (files[i].reconstructions[c] is not None) == (status == OK)
        known = is_outcome(row)
        assert outcomes.decoded[i, c] == known
        if row is not None and ("ok" not in row["status"]) and known:
            assert outcomes.undecoded[i, c] == row["reason"]
        else:
            assert (i, c) not in outcomes.undecoded
        assert outcomes.decode_attempts[i, c] == ((row or {}).get("attempt") or 0)
        for m, metric in enumerate(METRICS):
            row = latest_score.get((item, item, codec, "today", metric))
            status = MISSING if row is None else OK if row["status"] == "ok" else FAILED
            assert cells.status[i, c, m] == status
            assert outcomes.scored[i, c, m] == is_outcome(row)
            assert outcomes.score_attempts[i, c, m] == ((row or {}).get("attempt") or 0)
            if status == OK:
                assert row is not None
                assert cells.values[i, c, m] == row["value"]
            if status == FAILED:
                assert row is not None
                assert unscored[i, codec, metric] == row["reason"]
    assert len(run.rows("scores", ["item"])) == len(latest_score)
    if tidy:
        asked = [key for key in latest_score if key[0] == key[1] and key[2] in CODECS]
        asked = [key for key in asked if key[3] == "today"]
        assert len(table(folder / "scores")) == len(asked), "one row for each planned cell"
        assert len(table(folder / "earlier" / "scores")) == len(latest_score) - len(asked)


def is_outcome(row: dict[str, Any] | None) -> bool:
    """Whether a next start leaves the cell alone."""
    passing = row is not None and row["status"] == "failed" and row["transient"]
    return row is not None and not (passing and (row["attempt"] or 0) < MOST_ATTEMPTS)


def table(folder: Path) -> pandas.DataFrame:
    """What a stranger's pandas reads."""
    files = sorted(folder.glob("*.parquet"))
    assert len(files) <= 1
    return pandas.read_parquet(files[0]) if files else pandas.DataFrame()


@FAST
@given(stop=st.integers(0, 12), shards=st.integers(1, 4))
def test_tidying_may_be_killed_anywhere(
    stop: int, shards: int, tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path_factory.mktemp("run"))
    for number in range(shards):
        for metric in (*METRICS, "of another suite"):
            run.add("scores", [score("alpha", metric, number, attempt=number + 1)])
    before = sorted(run.rows("scores", COLUMNS["scores"]), key=repr)

    class Killed(BaseException):
        pass

    left = [stop]

    def counted(action: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return action(*arguments, **options)

        return step

    with monkeypatch.context() as broken:
        broken.setattr(compacting.os, "fsync", counted(compacting.os.fsync))
        broken.setattr(Path, "replace", counted(Path.replace))
        broken.setattr(Path, "unlink", counted(Path.unlink))
        with contextlib.suppress(Killed):
            compact(run)
    assert sorted(run.rows("scores", COLUMNS["scores"]), key=repr) == before
    compact(run)
    assert sorted(run.rows("scores", COLUMNS["scores"]), key=repr) == before
    assert len(table(run.path / "scores")) == 2
    assert len(table(run.path / "earlier" / "scores")) == 1


def test_what_a_killed_run_left_is_put_together_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path)
    for attempt in range(compacting.FEW_FILES):
        run.add("scores", [score("alpha", "mos", attempt, attempt=attempt + 1)])
    files = set((tmp_path / "scores").iterdir())
    compact_leftovers(run)
    assert set((tmp_path / "scores").iterdir()) == files, "few files are left alone"
    run.add("scores", [score("beta", "mos", 1.0)])
    manifest = run.manifest_path.read_bytes()
    run.manifest_path.write_bytes(manifest[:-9])
    compact_leftovers(run)
    assert set((tmp_path / "scores").iterdir()) > files, "nor is what nobody can read"
    run.manifest_path.write_bytes(manifest)
    before = sorted(run.rows("scores", COLUMNS["scores"]), key=repr)
    listed = RunFolder.all_shards

    def then_one_more(self: RunFolder, stage: Any) -> list[str]:
        files = listed(self, stage)
        monkeypatch.setattr(RunFolder, "all_shards", listed)
        run.add("scores", [score("beta", "sdr", 2.0)])
        return files

    # A worker of the killed run may still write.
    monkeypatch.setattr(RunFolder, "all_shards", then_one_more)
    compact_leftovers(run)
    assert len(table(tmp_path / "scores")) == 3
    after = run.rows("scores", COLUMNS["scores"])
    assert sorted(row for row in map(repr, after) if "'sdr'" not in row) == list(map(repr, before))
    assert len(after) == len(before) + 1


def score(codec: str, metric: str, value: float | None, **changes: Any) -> ScoreRow:
    values: dict[str, Any] = {
        "corpus": "speech",
        "item": "a",
        "item_digest": "a",
        "codec": codec,
        "codec_id": codec,
        "metric": metric,
        "metric_id": metric,
        "policy_id": "today",
        "status": "ok",
        "value": value,
        "seconds": 1.0,
    }
    return ScoreRow(**values | changes)


def test_tidying_again_changes_nothing(tmp_path: Path) -> None:
    run = begun(tmp_path)
    run.add("scores", [score("alpha", "mos", 1.0), score("gone", "mos", 2.0)])
    compact(run)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    compact(run)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == files


def test_a_reader_follows_a_run_that_is_tidied_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path)
    for number in range(3):
        run.add("scores", [score("alpha", "mos", number, attempt=number + 1)])
    listed = RunFolder.all_shards

    def then_tidied(self: RunFolder, stage: Any) -> list[str]:
        files = listed(self, stage)
        monkeypatch.setattr(RunFolder, "all_shards", listed)
        compact(run)
        return files

    monkeypatch.setattr(RunFolder, "all_shards", then_tidied)
    rows = Store(read_planned(tmp_path)).cells("speech")
    assert rows.values[0, 0, 0] == 2


def test_a_clock_that_went_back_makes_no_failure_permanent(tmp_path: Path) -> None:
    run = begun(tmp_path)
    failed = score("alpha", "mos", None, status="failed", transient=True)
    run.add("scores", [failed])
    later = score("alpha", "mos", 4.0, attempt=2, written=failed.written - 1e6)
    run.add("scores", [later])
    assert Store(read_planned(tmp_path)).cells("speech").values[0, 0, 0] == 4.0


def test_rows_of_a_version_that_counted_no_attempts_read_unchanged(tmp_path: Path) -> None:
    run = begun(tmp_path)
    for name in ("decodes", "scores"):
        (tmp_path / name).mkdir()
    old = pyarrow.schema(
        [(name, pyarrow.string()) for name in ("corpus", "item", "item_digest", "codec")]
        + [(name, pyarrow.string()) for name in ("codec_id", "metric", "metric_id", "policy_id")]
        + [("status", pyarrow.string()), ("value", pyarrow.float64()), ("reason", pyarrow.string())]
        + [("transient", pyarrow.bool_()), ("written", pyarrow.float64())]
        + [("seconds", pyarrow.float64()), ("cpu_seconds", pyarrow.float64())]
    )
    key = ("speech", "a", "a", "alpha", "alpha", "mos", "mos", "today")
    rows = [
        (*key, "failed", None, "away", True, 10.0, 1.0, 0.0),
        (*key, "ok", 3.5, "", False, 20.0, 1.0, 0.1),
    ]
    written = pyarrow.Table.from_pylist(
        [dict(zip(old.names, row, strict=True)) for row in rows], schema=old
    )
    pyarrow.parquet.write_table(written, tmp_path / "scores" / "0123456789abcdef.parquet")
    assert Store(read_planned(tmp_path)).cells("speech").values[0, 0, 0] == 3.5
    run.add("scores", [score("alpha", "sdr", 7.0)])
    compact(run)
    values = Store(read_planned(tmp_path)).cells("speech").values
    assert values[0, 0].tolist() == [3.5, 7.0]
    assert table(tmp_path / "scores")["attempt"].isna().tolist() == [True, False]


@pytest.mark.parametrize(("row", "stage"), [(DecodeRow, "decodes"), (ScoreRow, "scores")])
def test_a_row_has_the_columns_of_its_schema(row: Any, stage: Any) -> None:
    assert list(row.__dataclass_fields__) == list(COLUMNS[stage])


def test_a_repaired_file_leaves_no_trace_of_its_failure(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    good = (speech_folder / "b.wav").read_bytes()
    (speech_folder / "b.wav").write_bytes(b"garbage")
    suite, run = write_suite(speech_folder, metrics=["si_sdr"], failure_budget=5), tmp_path / "run"
    assert "b.wav: Format not recognised" in synbench("run", suite, "--out", run).stderr
    assert "b.wav" in str(pandas.read_parquet(run / "scores")["reason"].tolist())
    (speech_folder / "b.wav").write_bytes(good)
    assert synbench("run", suite, "--out", run).returncode == 0
    shown = synbench("show", run)
    assert shown.returncode == 0, shown.stderr
    assert "2/3" not in shown.stdout
    assert synbench("report", run, "--out", tmp_path / "report.html").returncode == 0
    page = (tmp_path / "report.html").read_text()
    parts = re.findall(r'data-part="[^"]*-items">(.*?)</script>', page)
    assert [(part["reasons"], part["unscored"]) for part in map(json.loads, parts)] == [([], {})]
    assert "Format not recognised" not in page
    assert read_tidy(run) == [("a", "ok"), ("b", "ok"), ("c", "ok")]


def read_tidy(run: Path) -> list[tuple[str, str]]:
    rows = pandas.read_parquet(run / "scores")
    return sorted(zip(rows["item"], rows["status"], strict=True))


def test_another_version_of_a_codec_moves_the_old_rows_aside_and_back(
    speech_folder: Path, write_suite: Write, synbench: Command, plugin: Path, tmp_path: Path
) -> None:
    suite = write_suite(speech_folder, codecs=["slow"], metrics=["si_sdr"])
    run, module = tmp_path / "run", plugin / "outsider.py"
    first = module.read_text()

    def started() -> list[str]:
        done = synbench("run", suite, "--out", run, paths=(plugin,))
        assert done.returncode == 0, done.stderr
        rows = pandas.read_parquet(run / "scores")
        assert sorted(rows["item"]) == ["a", "b", "c"], "one row for each item"
        assert len(pandas.read_parquet(run / "decodes")) == 3
        return sorted(set(rows["codec_id"])) + re.findall(r"all \d scores are there", done.stderr)

    old = started()
    module.write_text(first.replace("adapter_version=1", "adapter_version=2"))
    new = started()
    assert len(old) == len(new) == 1
    assert new != old
    assert set(pandas.read_parquet(run / "earlier" / "scores")["codec_id"]) == set(old)
    module.write_text(first)
    assert started() == [*old, "all 3 scores are there"], "nothing is computed again"
    assert set(pandas.read_parquet(run / "earlier" / "scores")["codec_id"]) == set(new)


def test_a_cell_tried_again_counts_its_attempts(
    speech_folder: Path, write_suite: Write, synbench: Command, tmp_path: Path
) -> None:
    suite, run = write_suite(speech_folder, metrics=["si_sdr"]), tmp_path / "run"
    assert synbench("run", suite, "--out", run).returncode == 0
    (shard,) = (run / "scores").glob("*.parquet")
    rows = pyarrow.parquet.read_table(shard).to_pylist()
    # A passing failure, stored by a clock that ran a day ahead.
    rows[0] |= {"status": "failed", "value": None, "transient": True, "attempt": 2}
    rows[0] |= {"written": rows[0]["written"] + 86400}
    shard.unlink()
    RunFolder(run).add("scores", rows)
    assert synbench("run", suite, "--out", run).returncode == 0
    scores = pandas.read_parquet(run / "scores").set_index("item")
    assert scores["status"].tolist() == ["ok"] * 3
    assert scores.loc[rows[0]["item"], "attempt"] == 3
    assert sorted(scores["attempt"]) == [1, 1, 3]
    assert json.loads((run / "manifest.json").read_text())["format"] == 1
    assert duckdb.sql(f"SELECT count(*) FROM '{run}/scores/*.parquet'").fetchall() == [(3,)]
    assert STATUS_NAMES[OK] == "ok"
