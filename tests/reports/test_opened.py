"""A run opened in Python: its frames against plain pandas over the stored files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from click.testing import CliRunner

import synbench
from synbench.errors import UsageError
from synbench_reports.commands.compare import compare
from synbench_reports.commands.show_and_export import export

NAMES = [f"i{number:02}" for number in range(24)]


@pytest.fixture
def talking_run(empty_run: Any) -> Any:
    """24 items of six speakers; failures, a cell never tried, items without a score."""
    empty_run.items = {"speech": {name: 1.0 + k / 10 for k, name in enumerate(NAMES)}}
    empty_run.begin()
    table = pandas.read_parquet(empty_run.folder / "items.parquet")
    table["speaker"] = [f"s{number // 4}" for number in range(len(NAMES))]
    table.to_parquet(empty_run.folder / "items.parquet")
    generator = np.random.default_rng(3)
    for k, name in enumerate(NAMES):
        for codec, level in (("reference", 5.0), ("alpha", 3.0), ("beta", 3.3)):
            if codec == "beta" and k == 5:
                empty_run.decode(codec, name, status="failed", reason="crashed", payload_bits=None)
                empty_run.score(codec, name, "mos", reason="crashed")
                continue
            empty_run.decode(codec, name, payload_bits=1000 + 100 * k)
            empty_run.score(codec, name, "mos", level + generator.normal() / 10)
            if k != 7:
                empty_run.score(codec, name, "error", abs(generator.normal()))
    empty_run.save()
    return empty_run


def stored(folder: Path, stage: str) -> pandas.DataFrame:
    """What lies in the files, read without synbench."""
    return pandas.concat(map(pandas.read_parquet, sorted((folder / stage).glob("*.parquet"))))


def test_scores_have_one_row_for_each_item_codec_and_metric(talking_run: Any) -> None:
    run = synbench.open(talking_run.folder)
    scores = run.scores()
    assert len(scores) == 24 * 3 * 2
    assert not scores.duplicated(["corpus", "item", "codec", "metric"]).any()
    own = stored(talking_run.folder, "scores")
    expected = own[own["status"] == "ok"].groupby(["codec_id", "metric_id"])["value"]
    groups = scores.groupby(["codec_id", "metric_id"])["value"]
    pandas.testing.assert_series_equal(groups.mean(), expected.mean())
    pandas.testing.assert_series_equal(groups.count(), expected.count())
    assert scores["status"].value_counts().to_dict() == {"ok": 139, "missing": 4, "failed": 1}
    (failed,) = scores[scores["status"] == "failed"].to_dict("records")
    assert (failed["item"], failed["codec"], failed["reason"]) == ("i05", "Beta", "crashed")
    assert scores.loc[scores["status"] != "ok", ["value", "weight"]].isna().all(axis=None)


def test_an_own_statistic_by_speaker(talking_run: Any) -> None:
    scores = synbench.open(talking_run.folder).scores()
    chosen = scores[(scores["metric"] == "mos") & (scores["codec"] == "Alpha")]
    assert chosen.groupby("speaker").size().to_dict() == {f"s{k}": 4 for k in range(6)}
    own = stored(talking_run.folder, "scores")
    items = pandas.read_parquet(talking_run.folder / "items.parquet")
    joined = own.merge(items, on=["corpus", "item", "item_digest"], suffixes=("", "_of_item"))
    joined = joined[(joined["metric"] == "mos") & (joined["codec"] == "alpha")]
    expected = joined.groupby("speaker")["value"].median()
    pandas.testing.assert_series_equal(chosen.groupby("speaker")["value"].median(), expected)


def test_decodes_have_rates_durations_and_files(talking_run: Any) -> None:
    decodes = synbench.open(talking_run.folder).decodes()
    assert len(decodes) == 24 * 3
    own = stored(talking_run.folder, "decodes").set_index(["item", "codec_id"])
    by_item = decodes.set_index(["item", "codec_id"])
    seconds = by_item["seconds"]
    rates = own["payload_bits"].reindex(by_item.index) / seconds / 1000
    pandas.testing.assert_series_equal(by_item["payload_kbps"], rates, check_names=False)
    assert by_item.loc[("i05", "beta"), "status"] == "failed"
    assert by_item.loc[("i05", "beta"), "reason"] == "crashed"
    assert np.isnan(by_item.loc[("i05", "beta"), "payload_bits"])


def test_the_table_is_the_exported_one(talking_run: Any, tmp_path: Path) -> None:
    options = [str(talking_run.folder), "--format", "csv", "--out", str(tmp_path / "table.csv")]
    assert CliRunner().invoke(export, options, catch_exceptions=False).exit_code == 0
    exported = pandas.read_csv(tmp_path / "table.csv")
    table = synbench.open(talking_run.folder).table()
    assert table["codec"].tolist() == exported["codec"].tolist()
    for name in ("mean", "low", "high", "n_scored", "n_missing", "n_planned"):
        pandas.testing.assert_series_equal(
            table[name].astype("float64"), exported[name].astype("float64")
        )
    mos = table[(table["column"] == "mos") & (table["codec"] == "Alpha")].iloc[0]
    own = stored(talking_run.folder, "scores")
    values = own[(own["codec"] == "alpha") & (own["metric"] == "mos")]["value"]
    assert mos["mean"] == pytest.approx(values.mean())
    assert mos["low"] < mos["mean"] < mos["high"]
    assert mos["n_scored"] == 24
    only = synbench.open(talking_run.folder).table(metrics=["error"])
    assert set(only[only["group"] == "metric"]["column"]) == {"error"}


def test_pairs_are_those_of_the_command(talking_run: Any) -> None:
    options = [str(talking_run.folder), "--format", "csv", "--margin", "mos=0.5"]
    done = CliRunner().invoke(compare, options, catch_exceptions=False)
    exported = pandas.read_csv(pandas.io.common.StringIO(done.output))
    pairs = synbench.open(talking_run.folder).compare(margins={"mos": 0.5})
    pandas.testing.assert_frame_equal(pairs, exported, check_dtype=False)
    own = stored(talking_run.folder, "scores")
    mos = own[(own["metric"] == "mos") & (own["status"] == "ok")]
    wide = mos.pivot_table(index="item", columns="codec", values="value").dropna()
    (pair,) = pairs[pairs["metric"] == "mos"].to_dict("records")
    expected = (wide["beta"] - wide["alpha"]).mean()
    assert pair["difference"] == pytest.approx(expected)
    assert (pair["first"], pair["second"], pair["items"]) == ("Beta", "Alpha", 23)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"against": "Gamma"}, "no codec 'Gamma'"),
        ({"margins": {"mos": 0.0}}, "above 0"),
        ({"margins": {"stoi": 0.1}}, "no metric 'stoi'"),
        ({"metrics": ["mso"]}, "did you mean"),
    ],
)
def test_what_the_run_does_not_have_is_named(
    made_run: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        synbench.open(made_run.folder).compare(**options)


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("rate_quality", "mos"),
        ("score_spread", "mos"),
        ("speaker_spread", "mos"),
        ("quality_cost", "mos"),
        ("correlation", None),
    ],
)
def test_figures_are_axes(talking_run: Any, tmp_path: Path, name: str, needs: str | None) -> None:
    pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'synbench[reports]'")
    from matplotlib.axes import Axes

    draw = getattr(synbench.open(talking_run.folder), name)
    axes = draw(needs) if needs else draw()
    assert isinstance(axes, Axes)
    axes.figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000
    if needs and name != "speaker_spread":
        assert "MOS" in axes.get_xlabel() + axes.get_ylabel()


def test_a_run_says_what_it_is(made_run: Any) -> None:
    run = synbench.open(str(made_run.folder))
    assert repr(run) == "<run 'made': 3 items, codecs Reference, Alpha, Beta; metrics mos, error>"
    assert run.items()["item"].tolist() == ["a", "b", "c"]
    with pytest.raises(UsageError, match="no run"):
        synbench.open("never-made")


def test_an_empty_run_has_its_rows(empty_run: Any) -> None:
    run = synbench.open(empty_run.folder)
    assert set(run.scores()["status"]) == {"missing"}
    assert set(run.decodes()["status"]) == {"missing"}


def test_importing_synbench_imports_neither_pandas_nor_reports() -> None:
    script = (
        "import sys, synbench; assert 'open' in dir(synbench); "
        "heavy = {'pandas', 'duckdb', 'torch', 'synbench_reports'}; "
        "sys.exit(' '.join(heavy & {*sys.modules}) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
