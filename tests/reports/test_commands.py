"""``synbench show`` and ``synbench export`` as a user types them."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from synbench.errors import EnvironmentFault, UsageError
from synbench_reports.commands.show_and_export import export, show


def shown(*arguments: object) -> str:
    return _invoke(show, arguments).output


def exported(*arguments: object) -> bytes:
    return _invoke(export, arguments).stdout_bytes


def _invoke(command: Any, arguments: tuple[object, ...]) -> Result:
    return CliRunner().invoke(command, [str(text) for text in arguments], catch_exceptions=False)


def lines(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_show_ends_with_what_to_type_next(made_run: Any) -> None:
    text = shown(made_run.folder)
    assert "2.00  ± " in text
    assert f"Reconstructions  {made_run.folder}/reconstructions" in text
    assert text.rstrip().endswith(f"synbench export {made_run.folder} --format csv --rows")


def test_a_run_is_also_found_by_the_name_of_its_suite(
    made_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made_run.folder.parent.parent)
    assert "Alpha" in shown("made")
    with pytest.raises(UsageError, match="did you mean made"):
        shown("mad")
    with pytest.raises(UsageError, match="runs here: made"):
        shown("quite-another")


def test_a_path_that_is_no_run_says_what_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"neither nothing/manifest\.json nor runs/nothing/"):
        shown("nothing")


def test_show_takes_a_corpus_metrics_and_a_width(made_run: Any) -> None:
    text = shown(made_run.folder, "--corpus", "speech", "--metrics", "mos, ", "--width", 60)
    assert "ERROR" not in text
    assert max(len(line) for line in text.splitlines()[:20]) <= 60


def test_tidy_lines_have_full_precision_and_all_counts(made_run: Any) -> None:
    made_run.score("alpha", "a", "mos", 1 / 3)
    made_run.score("alpha", "b", "mos", 2 / 3)
    made_run.score("alpha", "c", "mos", reason="crashed")
    rows = lines(exported(made_run.save(), "--format", "csv"))
    assert len(rows) == 3 * (3 + 2 + 4)
    (line,) = (line for line in rows if (line["codec"], line["column"]) == ("Alpha", "mos"))
    assert float(line["mean"]) == 0.5
    # Of two items: the quantile of t for one degree of freedom is 12.706.
    half = 12.7062047 / 6
    assert float(line["low"]) == pytest.approx(0.5 - half)
    assert float(line["high"]) == pytest.approx(0.5 + half)
    counts = [line[f"n_{name}"] for name in ("planned", "scored", "failed", "missing")]
    assert counts == ["3", "2", "1", "0"]


def test_rows_have_status_value_and_reason(made_run: Any) -> None:
    made_run.score("alpha", "a", "mos", 1 / 3)
    made_run.score("alpha", "b", "mos", reason="crashed, twice")
    rows = lines(exported(made_run.save(), "--format", "csv", "--rows"))
    assert len(rows) == 18
    alpha = {
        line["item"]: line for line in rows if (line["codec"], line["metric"]) == ("Alpha", "mos")
    }
    assert float(alpha["a"]["value"]) == 1 / 3
    assert (alpha["b"]["status"], alpha["b"]["value"], alpha["b"]["reason"]) == (
        "failed",
        "",
        "crashed, twice",
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_neutralised(empty_run: Any, start: str) -> None:
    formula = f"{start}cmd|' /C calc'!A0"
    empty_run.items["speech"] = {formula: 1.0}
    empty_run.codecs[1] = dataclasses.replace(empty_run.codecs[1], label=formula)
    empty_run.begin()
    empty_run.score("alpha", formula, "mos", reason=formula)
    empty_run.score("beta", formula, "mos", -1.5)
    folder = empty_run.save()
    safe = "'" + formula.replace("\r", "\n")
    rows = lines(exported(folder, "--format", "csv", "--rows"))
    failed = next(line for line in rows if line["status"] == "failed")
    assert [failed[name] for name in ("item", "codec", "reason")] == [safe] * 3
    assert next(line for line in rows if line["status"] == "ok")["value"] == "-1.5"
    assert lines(exported(folder, "--format", "csv"))[9]["codec"] == safe


@pytest.mark.parametrize("rows", [(), ("--rows",)])
@pytest.mark.parametrize("form", ["csv", "parquet", "markdown", "latex"])
def test_the_same_rows_give_the_same_bytes(made_run: Any, form: str, rows: tuple[str, ...]) -> None:
    if rows and form in ("markdown", "latex"):
        with pytest.raises(UsageError, match="csv or parquet"):
            exported(made_run.folder, "--format", form, *rows)
        return
    first = exported(made_run.folder, "--format", form, *rows)
    for path in (made_run.folder / "scores").iterdir():
        path.rename(path.with_name("0" + path.name))
    assert exported(made_run.folder, "--format", form, *rows) == first


def test_parquet_holds_what_csv_holds(made_run: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    exported(made_run.folder, "--format", "parquet", "--out", path)
    table = pyarrow.parquet.read_table(path).to_pylist()
    text = lines(exported(made_run.folder, "--format", "csv"))
    assert [line["mean"] or 0.0 for line in table] == [float(line["mean"] or 0) for line in text]
    assert list(table[0]) == list(text[0])


def test_an_empty_run_exports_its_missing_cells(empty_run: Any) -> None:
    rows = lines(exported(empty_run.folder, "--format", "csv", "--rows"))
    assert {line["status"] for line in rows} == {"missing"}
    assert len(rows) == 18


def test_a_file_that_cannot_be_written_is_named(made_run: Any, tmp_path: Path) -> None:
    target = tmp_path / "absent" / "table.csv"
    with pytest.raises(EnvironmentFault, match=r"table\.csv"):
        exported(made_run.folder, "--format", "csv", "--out", target)


def test_a_terminal_without_the_letters_gets_question_marks(made_run: Any) -> None:
    command = [sys.executable, "-m", "synbench", "show", str(made_run.folder)]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "2.00  ? " in done.stdout


def test_nothing_heavy_is_imported(made_run: Any) -> None:
    program = (
        "import sys; import synbench_reports.commands.show_and_export as c\n"
        "early = {'duckdb', 'numpy', 'rich'} & set(sys.modules)\n"
        f"c.show.main([{str(made_run.folder)!r}], standalone_mode=False)\n"
        "late = {'pandas', 'scipy', 'pyarrow', 'torch', 'pydantic'} & set(sys.modules)\n"
        "assert not early | late, (early, late)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
