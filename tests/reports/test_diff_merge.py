"""``synbench diff`` and ``synbench merge`` on runs made by hand."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from click.testing import CliRunner, Result

from synbench.errors import UsageError
from synbench.results.cells import Store
from synbench.results.planned import read_planned
from synbench.statistics.means import estimate_means
from synbench_reports.commands.compare import compare
from synbench_reports.commands.diff import diff
from synbench_reports.commands.merge import merge
from synbench_reports.render.layout import cell_text
from synbench_reports.run_comparison.run_diff import Change, corpus_diffs
from synbench_reports.tables.build_report import build_report, read_selection

NAMES = [f"i{number}" for number in range(30)]


@pytest.fixture
def long_run(empty_run: Any) -> Any:
    """Thirty items, alpha around 3 and beta around 3.1, the reference at 5."""
    empty_run.items = {"speech": dict.fromkeys(NAMES, 1.0)}
    return empty_run


def filled(run: Any, folder: Path, *, shift: float = 0.0, noise: float = 0.0) -> Path:
    """A copy of a run in a folder of its own, its alpha moved and shaken."""
    made = copy.deepcopy(run)
    made.folder = folder
    made.begin()
    generator = np.random.default_rng(1)
    for number, name in enumerate(NAMES):
        moved = 3 + number % 7 / 10 + shift + noise * generator.normal()
        values = {"alpha": moved, "beta": 3.1 + number % 7 / 10, "reference": 5.0}
        for codec, value in values.items():
            made.decode(codec, name)
            made.score(codec, name, "mos", value)
    return Path(made.save())


def changes(first: Path, second: Path) -> dict[str, Change]:
    (diff,) = corpus_diffs(read_planned(first), read_planned(second))
    return {change.codec: change for change in diff.changes if change.metric == "MOS"}


def run_diff(*folders: Path) -> Result:
    return CliRunner().invoke(diff, list(map(str, folders)), catch_exceptions=False)


def test_a_run_is_identical_with_itself(long_run: Any, tmp_path: Path) -> None:
    first, second = (filled(long_run, tmp_path / name) for name in "ab")
    assert {change.verdict for change in changes(first, second).values()} == {"identical"}
    done = run_diff(first, second)
    assert done.exit_code == 0
    assert "0 changes matter" in done.output
    assert "Settings that differ" not in done.output


@pytest.mark.parametrize(
    ("shift", "noise", "verdict", "matters"),
    [
        (1e-6, 0.0, "not printed", False),
        (0.0, 0.05, "not told apart", False),
        (0.2, 0.05, "differs", True),
        (0.006, 0.0, "differs", False),
    ],
)
def test_every_verdict(
    long_run: Any, tmp_path: Path, shift: float, noise: float, verdict: str, matters: bool
) -> None:
    first = filled(long_run, tmp_path / "a")
    second = filled(long_run, tmp_path / "b", shift=shift, noise=noise)
    by_codec = changes(first, second)
    assert by_codec["Alpha"].verdict == verdict
    assert by_codec["Alpha"].matters == matters
    assert by_codec["Beta"].verdict == "identical"
    assert run_diff(first, second).exit_code == int(matters)


def test_the_difference_has_its_interval_and_its_p(long_run: Any, tmp_path: Path) -> None:
    first = filled(long_run, tmp_path / "a")
    second = filled(long_run, tmp_path / "b", shift=0.02, noise=0.05)
    change = changes(first, second)["Alpha"]
    noise = np.random.default_rng(1).normal(size=30)
    expected = 0.02 + 0.05 * noise
    assert change.difference == pytest.approx(expected.mean())
    assert change.low < change.difference < change.high
    # Skewed against the difference: the corrected p is somewhat larger than that of a plain t-test.
    assert scipy.stats.ttest_1samp(expected, 0).pvalue < change.p_holm < 0.1
    assert change.p_holm == pytest.approx(estimate_means(expected[:, None]).p()[0])
    assert (change.p_holm < 0.05) == (change.low > 0)


def test_codecs_that_change_places_are_named(long_run: Any, tmp_path: Path) -> None:
    first = filled(long_run, tmp_path / "a")
    second = filled(long_run, tmp_path / "b", shift=0.2)
    assert "MOS: Alpha and Beta changed places" in run_diff(first, second).output


def test_settings_identities_and_coverage_are_said(long_run: Any, tmp_path: Path) -> None:
    first = filled(long_run, tmp_path / "a")
    newer = copy.deepcopy(long_run)
    newer.codecs[1] = dataclasses.replace(newer.codecs[1], implementation="libcodec 2.0")
    newer.metrics[0] = dataclasses.replace(newer.metrics[0], version="1.1")
    newer.codecs.append(dataclasses.replace(newer.codecs[2], spec="gamma", label="Gamma"))
    second = filled(newer, tmp_path / "b")
    manifest = json.loads((second / "manifest.json").read_text())
    manifest["codecs"][1]["codec_id"] = "another"
    manifest["metrics"][0]["metric_id"] = "another"
    manifest["packages"]["scipy"] = "1.99"
    (second / "manifest.json").write_text(json.dumps(manifest))
    done = run_diff(first, second)
    for text in (
        "package scipy: absent -> 1.99",
        "codec Alpha: implementation made by hand -> libcodec 2.0",
        "metric mos: version 1.0 -> 1.1",
        "codec Gamma: only in B",
        "coverage: 30 only in A, 0 only in B",
    ):
        assert text in done.output
    assert done.exit_code == 1


def test_altered_items_are_left_out_and_counted(long_run: Any, tmp_path: Path) -> None:
    from synbench.results.store import ITEM_COLUMNS, write_table

    first, second = (filled(long_run, tmp_path / name) for name in "ab")
    items = [
        {"corpus": "speech", "item": name, "item_digest": f"digest {name}", "seconds": 1.0}
        for name in [*NAMES[1:], "new"]
    ]
    items[0]["item_digest"] = "other samples"
    write_table(second / "items.parquet", items, ITEM_COLUMNS)
    (diff,) = corpus_diffs(read_planned(first), read_planned(second))
    assert (diff.common, diff.only_a, diff.only_b, diff.altered) == (28, 1, 1, 1)


def halves(run: Any, tmp_path: Path) -> list[Path]:
    """Alpha computed in one run, beta and the reference in another."""
    folders = []
    for name, codecs in (("one", ["Alpha"]), ("two", ["Reference", "Beta"])):
        made = copy.deepcopy(run)
        made.folder = tmp_path / name
        made.codecs = [codec for codec in made.codecs if codec.label in codecs]
        made.begin()
        for codec in made.codecs:
            for item in ("a", "b", "c"):
                file = made.folder / "reconstructions" / codec.spec / f"{item}.flac"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(codec.spec.encode())
                path = str(file.relative_to(made.folder))
                made.decode(codec.spec, item, reconstruction=path)
                made.score(codec.spec, item, "mos", 4.0)
                made.score(codec.spec, item, "error", 0.5)
        folders.append(made.save())
    return folders


def merged(*arguments: object) -> Result:
    return CliRunner().invoke(merge, list(map(str, arguments)), catch_exceptions=False)


def test_parts_of_two_machines_become_one_table(empty_run: Any, tmp_path: Path) -> None:
    folders = halves(empty_run, tmp_path)
    done = merged(*folders, "--out", tmp_path / "both")
    assert "3 codecs, 2 metrics, 1 corpora from 2 runs" in done.output
    (table,) = build_report(read_selection(tmp_path / "both")).tables
    assert [row.codec.label for row in table.rows] == ["Alpha", "Reference", "Beta"]
    column_index = [column.name for column in table.columns].index("mos")
    assert [row.cells[column_index].scored for row in table.rows] == [3, 3, 3]
    assert (tmp_path / "both/reconstructions/alpha/a.flac").read_bytes() == b"alpha"
    assert json.loads((tmp_path / "both/manifest.json").read_text())["merged"][1]["folder"] == "two"


def test_the_same_cells_twice_are_one(empty_run: Any, tmp_path: Path) -> None:
    one, two = halves(empty_run, tmp_path)
    merged(one, two, "--out", tmp_path / "both")
    done = merged(tmp_path / "both", one, "--out", tmp_path / "again")
    assert "6 scores in several runs, 0 of them different" in done.output
    assert changes(tmp_path / "both", tmp_path / "again")["Alpha"].verdict == "identical"


def parts(run: Any, tmp_path: Path) -> list[Path]:
    """Alpha on speech by both metrics, beta on speech by one of them, and on music by both."""
    folders = []
    for name, codec, metrics, corpus in (
        ("one", "Alpha", 2, "speech"),
        ("two", "Beta", 1, "speech"),
        ("three", "Beta", 2, "music"),
    ):
        made = copy.deepcopy(run)
        made.folder = tmp_path / name
        made.codecs = [one for one in made.codecs if one.label == codec]
        made.metrics = made.metrics[:metrics]
        made.items = {corpus: made.items["speech"]}
        made.begin()
        for item in ("a", "b"):  # c is planned, and missing
            made.decode(codec.lower(), item, corpus)
            for metric in made.metrics:
                made.score(codec.lower(), item, metric.column, 1.0, corpus=corpus)
        folders.append(made.save())
    return folders


def test_what_no_part_planned_is_neither_missing_nor_failed(empty_run: Any, tmp_path: Path) -> None:
    one, two, three = parts(empty_run, tmp_path)
    merged(one, two, "--out", tmp_path / "speech")
    merged(tmp_path / "speech", three, "--out", tmp_path / "all")
    report = build_report(read_selection(tmp_path / "all"))
    texts = {
        (table.corpus.name, row.codec.label): {
            column.name: dataclasses.astuple(cell_text(column, cell))
            for column, cell in zip(table.columns, row.cells, strict=True)
        }
        for table in report.tables
        for row in table.rows
    }
    assert list(texts) == [("speech", "Alpha"), ("speech", "Beta"), ("music", "Beta")]
    assert texts["speech", "Beta"]["error"] == ("not run", "", "")
    assert texts["speech", "Beta"]["mos"][2] == "(2/3)"
    assert texts["speech", "Beta"]["missing"][0] == "1"
    assert texts["music", "Beta"]["missing"][0] == "2"
    missing = [
        note.text.partition(";")[0]
        for table in report.tables
        for note in table.notes
        if note.subject == "Missing scores"
    ]
    assert missing == ["3 of 9 planned", "2 of 6 planned"]
    planned = read_planned(tmp_path / "all")
    rows = [row for batch in Store(planned).rows() for row in batch]
    assert len(rows) == 9 + 6
    assert sum(row[8] == "missing" for row in rows) == 5
    assert compared(tmp_path / "all", "--against", "Alpha")


def compared(*arguments: object) -> str:
    return CliRunner().invoke(compare, list(map(str, arguments)), catch_exceptions=False).output


def test_different_results_of_one_cell_are_refused(empty_run: Any, tmp_path: Path) -> None:
    one, _ = halves(empty_run, tmp_path)
    other = copy.deepcopy(empty_run)
    other.folder, other.codecs = tmp_path / "other", other.codecs[1:2]
    other.begin()
    other.clock = 9000.0
    other.score("alpha", "a", "mos", 4.5)
    other.save()
    with pytest.raises(UsageError, match="1 of 1 scores that several runs have are different"):
        merged(one, tmp_path / "other", "--out", tmp_path / "both")
    assert not (tmp_path / "both").exists()
    merged(one, tmp_path / "other", "--out", tmp_path / "both", "--allow-differences")
    (table,) = build_report(read_selection(tmp_path / "both", metrics=["mos"])).tables
    column_index = [column.name for column in table.columns].index("mos")
    assert table.rows[0].cells[column_index].mean == pytest.approx((4.5 + 4 + 4) / 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("policy_id", "another"), "different policies"),
        (("codecs", "implementation"), "Alpha is not the same"),
        (("metrics", "version"), "mos is not the same"),
        (("corpora", "digest"), "speech is not the same"),
        (("format", 99), "has format 99, expected 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    empty_run: Any, tmp_path: Path, change: tuple[str, Any], message: str
) -> None:
    one, _ = halves(empty_run, tmp_path)
    other = copy.deepcopy(empty_run)
    other.folder = tmp_path / "other"
    other.begin()
    manifest = json.loads((other.folder / "manifest.json").read_text())
    part, value = change
    if isinstance(manifest[part], list):
        entry = manifest[part][1 if part == "codecs" else 0]
        entry[value] = "another"
        entry[{"codecs": "codec_id", "metrics": "metric_id", "corpora": "digest"}[part]] = "another"
    else:
        manifest[part] = value
    (other.folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match=message):
        merged(one, other.folder, "--out", tmp_path / "both")


def test_one_run_or_a_taken_folder_is_refused(empty_run: Any, tmp_path: Path) -> None:
    folders = halves(empty_run, tmp_path)
    with pytest.raises(UsageError, match="two or more"):
        merged(folders[0], "--out", tmp_path / "both")
    with pytest.raises(UsageError, match="holds a run already"):
        merged(*folders, "--out", folders[0])
