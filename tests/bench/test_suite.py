"""Suites: short forms, close names, paths, budgets; the published schema is the model's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import synbench_codecs
from synbench.errors import UsageError
from synbench.suite import Suite, find_suite, load_suite, packaged_suites
from synbench_base.errors import Unavailable
from synbench_codecs import format_spec

GOOD: dict[str, Any] = {
    "name": "mine",
    "corpora": ["folder:path=speech"],
    "codecs": ["opus:bitrate_bps=6000", {"codec": "passthrough", "label": "Ours"}],
    "metrics": ["si_sdr"],
}
SCHEMA = Path(__file__).resolve().parents[2] / "bench" / "suites" / "schema.json"


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "suite.yaml"
    path.write_text(yaml.safe_dump(GOOD | changes), encoding="utf-8")
    return path


def test_short_and_long_forms_are_the_same(tmp_path: Path) -> None:
    long = [{"codec": "opus", "options": {"bitrate_bps": 6000}}, GOOD["codecs"][1]]
    short_suite = load_suite(write(tmp_path))
    assert short_suite == load_suite(write(tmp_path, codecs=long))
    assert short_suite.codecs[0].options == {"bitrate_bps": 6000}


def test_paths_count_from_the_suite(tmp_path: Path) -> None:
    recordings = {"codec": "recordings", "options": {"folder": "../theirs", "bitrate_bps": 500}}
    suite = load_suite(write(tmp_path, codecs=[recordings]))
    assert suite.corpora[0].options["path"] == str(tmp_path / "speech")
    assert suite.codecs[0].options["folder"] == str(tmp_path.parent / "theirs")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metric": ["stoi"]}, "did you mean metrics?"),
        ({"codecs": [{"codec": "opus", "lable": "x"}]}, "did you mean label?"),
        ({"corpora": [{"corpus": "demo", "limits": 3}]}, "did you mean limit?"),
        ({"comparisons": [{"first": "A", "secnd": "B"}]}, "did you mean second?"),
        ({"comparisons": [{"first": "A", "second": "B", "share_of": ["C"]}]}, "two labels"),
        ({"metrics": []}, "metrics"),
        ({"codecs": []}, "codecs"),
        ({"failure_budget": "many"}, "such as '5%'"),
        ({"failure_budget": -1}, "such as '5%'"),
        ({"unavailable": "ignore"}, "'stop' or 'skip'"),
        ({"name": "../escape"}, "name"),
        ({"corpora": [{"corpus": "demo", "limit": 0}]}, "limit"),
    ],
)
def test_what_is_refused_and_what_is_said(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        load_suite(write(tmp_path, **changes))
    assert said in str(caught.value)
    assert "suite.yaml" in str(caught.value)


@pytest.mark.parametrize("text", ["- a\n- b\n", "", "name: [unclosed", "just words"])
def test_files_that_are_no_suite(text: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"suite\.yaml"):
        load_suite(path)


@pytest.mark.parametrize(("budget", "allowed"), [(0, 0), (3, 3), ("5%", 10), ("0.4%", 0)])
def test_failure_budget(budget: int | str, allowed: int, tmp_path: Path) -> None:
    assert load_suite(write(tmp_path, failure_budget=budget)).allowed_failures(200) == allowed


def test_a_misspelt_suite_offers_the_close_one() -> None:
    with pytest.raises(UsageError, match="did you mean demo"):
        find_suite("demos")


def test_the_published_schema_is_the_models() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == Suite.model_json_schema()


@pytest.mark.parametrize("path", packaged_suites().values(), ids=packaged_suites())
def test_packaged_suites_are_valid_for_us_and_for_editors(path: Path) -> None:
    load_suite(path)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    jsonschema.validate(content, Suite.model_json_schema())


def test_the_demo_is_ordered_by_bit_rate_from_the_neural_codecs_on() -> None:
    pytest.importorskip("torch")
    suite = load_suite(packaged_suites()["demo"])
    rates = {}
    for entry in suite.codecs:
        spec = format_spec(entry.codec, entry.options)
        try:
            rates[spec] = synbench_codecs.load(spec).info.nominal_bitrate_bps or 0
        except Unavailable:  # a library that this machine has not; the suite skips it too
            assert suite.unavailable == "skip"
    assert list(rates.values()) == sorted(rates.values())
    assert rates["p2psyncodec"] == rates["mdctcodec:model=demo-one-book"] == 500


def test_an_editor_refuses_an_unknown_key() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(GOOD | {"codec": []}, Suite.model_json_schema())


@pytest.mark.parametrize("name", ["007", "1.10", "no", "2024-01-01", "0011", "1:30", "2024"])
def test_a_folder_is_called_what_is_written(name: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(
        f"name: x\ncorpora:\n  - corpus: folder\n    options: {{path: {name}}}\n"
        f"  - folder:path={name}\n"
        f"codecs: [{{codec: recordings, options: {{folder: {name}, label: {name}}}}}]\n"
        "metrics: [stoi]\n",
        encoding="utf-8",
    )
    suite = load_suite(path)
    assert [entry.options["path"] for entry in suite.corpora] == [str(tmp_path / name)] * 2
    assert suite.codecs[0].options["folder"] == str(tmp_path / name)
    assert str(suite.codecs[0].options["label"]) == name
