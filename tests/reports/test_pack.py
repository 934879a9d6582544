"""``synbench pack``: what a supplement holds, that it names nobody, and that others can read it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench_reports.boards.document import results_schema
from synbench_reports.commands.pack import pack

jsonschema = pytest.importorskip("jsonschema")


def packed(*arguments: object) -> None:
    done = CliRunner().invoke(pack, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_a_supplement_has_what_others_need(made_run: Any, tmp_path: Path) -> None:
    out = tmp_path / "supplement"
    packed(made_run.folder, "--out", out)
    names = {path.name for path in out.iterdir()}
    assert names == {
        "README.md",
        "results.json",
        "results.schema.json",
        "scores.parquet",
        "table.csv",
        "table.md",
        "table.tex",
        "report.html",
        "CITATION.txt",
        "LICENCES.md",
        "huggingface.yaml",
        "snippet.md",
        "manifest.json",
        "SHA256SUMS",
    }
    document = json.loads((out / "results.json").read_text())
    assert json.loads((out / "results.schema.json").read_text()) == results_schema()
    jsonschema.validate(document, results_schema())
    for line in (out / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    with pytest.raises(UsageError, match="holds files"):
        packed(made_run.folder, "--out", out)


def test_the_metadata_of_a_card_is_the_hubs_model_index(made_run: Any, tmp_path: Path) -> None:
    out = tmp_path / "supplement"
    packed(made_run.folder, "--out", out)
    entries = yaml.safe_load((out / "huggingface.yaml").read_text())["model-index"]
    # The reference is an anchor and no model.
    assert [entry["name"] for entry in entries] == ["Alpha", "Beta"]
    result = entries[0]["results"][0]
    assert result["dataset"]["name"] == "speech"
    assert result["task"]["type"] == "audio-to-audio"
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values == {"mos": 2.0, "error": 0.25}
    front = (out / "README.md").read_text().split("---")[1]
    assert yaml.safe_load(front)["license"] == "other"
    assert "| Beta | 0.75 | **3.00** ± 1.24 | 0.500 ± 0.000 |" in (out / "snippet.md").read_text()


def test_a_listening_test_goes_with_it_and_its_listeners_do_not(
    made_run: Any, mushra_analysis: Path, tmp_path: Path
) -> None:
    out = tmp_path / "supplement"
    packed(made_run.folder, "--out", out, "--listening", f"Evening={mushra_analysis}")
    document = json.loads((out / "results.json").read_text())
    jsonschema.validate(document, results_schema())
    (test,) = document["listening"]
    assert (test["name"], test["test"], test["simulated"]) == ("Evening", "mushra", False)
    assert test["excluded"] == 1
    tables = {table["name"]: table["rows"] for table in test["tables"]}
    conditions = {row["condition"]: row for row in tables["conditions"]}
    # Of the five who stayed: (20 + 22 + 24 + 26 + 28) / 5, with t(4) * sqrt(10) / sqrt(5).
    assert conditions["Alpha"]["mean"] == pytest.approx(24)
    assert conditions["Alpha"]["high"] == pytest.approx(24 + 2.776445 * 2**0.5)
    lines = (out / "listening/1-conditions.csv").read_text().splitlines()
    assert lines[0].startswith("condition,test,role,mean,low,high")
    texts = [path.read_text() for path in (out / "listening").iterdir()]
    assert not [text for text in (*texts, json.dumps(test)) if "L5" in text]
    with pytest.raises(UsageError, match="listen analyse RATINGS --out"):
        packed(made_run.folder, "--out", tmp_path / "no", "--listening", tmp_path)


def test_an_archive_is_the_same_twice_and_opens_into_one_folder(
    made_run: Any, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        packed(made_run.folder, "--out", tmp_path / name / "supplement.zip")
    first, second = (tmp_path / name / "supplement.zip" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"supplement"}
        assert archive.testzip() is None


def test_what_names_somebody_is_refused(made_run: Any, tmp_path: Path) -> None:
    made_run.corpus_notes["speech"] = "read from /home/gracehopper/speech"
    made_run.begin()
    with pytest.raises(UsageError, match="gracehopper"):
        packed(made_run.folder, "--out", tmp_path / "supplement")
    assert not (tmp_path / "supplement").exists()
