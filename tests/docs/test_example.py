"""The example site of the documentation: made by this code, small, whole, naming no machine."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

import pytest

from synbench_reports.boards.document import results_schema

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
EXAMPLE = ROOT / "docs/example"


def test_its_pages_are_those_of_today() -> None:
    tool = importlib.import_module("write_example")
    old = [name for name, text in tool.pages().items() if (EXAMPLE / name).read_text() != text]
    assert old == [], "type: make reference"


def test_its_numbers_are_of_the_demonstration_and_keep_the_schema() -> None:
    results = json.loads((EXAMPLE / "results.json").read_text(encoding="utf-8"))
    assert [run["name"] for run in results["runs"]] == ["demo-custom"]
    assert len(results["boards"][0]["rows"]) >= 10
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(results, results_schema())


def test_it_is_small_and_names_licences_and_no_machine() -> None:
    tool = importlib.import_module("write_example")
    assert tool.size_bytes() <= tool.MOST_BYTES
    licences = (EXAMPLE / "LICENCES.txt").read_text(encoding="utf-8")
    # Nobody's recording lies in the repository.
    assert "- synthetic: public domain sentences, synthesised" in licences
    assert "LICENCES.txt" in (EXAMPLE / "index.html").read_text(encoding="utf-8")
    texts = [path.read_text() for path in EXAMPLE.rglob("*") if path.suffix in (".js", ".json")]
    assert not [text for text in texts if re.search(r"(?<![\w.])/(home|root|tmp|Users)/", text)]


def test_all_that_it_plays_is_there() -> None:
    items = (EXAMPLE / "data/board0-items.js").read_text(encoding="utf-8")
    part = json.loads(items.removeprefix('synbench("board0-items",').removesuffix(");\n"))
    played = [system["start"] + rest for system in part["files"] for rest in system["rest"] if rest]
    # The recording and every codec of one item.
    assert len(played) == len(part["files"])
    assert [name for name in played if not (EXAMPLE / name).is_file()] == []
