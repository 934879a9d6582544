"""``synbench suites``: shown as written, and copied without loss of anything that was there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench.commands.suites import suites
from synbench.errors import UsageError
from synbench.suite import load_suite, packaged_suites


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def output(*arguments: str) -> str:
    """What is printed; an error is raised."""
    return CliRunner().invoke(suites, arguments, catch_exceptions=False).output


def test_shown_as_it_is_written_and_for_programs() -> None:
    assert output("show", "demo") == packaged_suites()["demo"].read_text(encoding="utf-8")
    read = json.loads(output("show", "demo", "--json"))
    assert read["name"] == "demo"
    assert {"codec", "options", "label"} <= set(read["codecs"][0])
    assert "demo" in json.loads(output("--json"))


@pytest.mark.parametrize("name", packaged_suites())
def test_a_copy_is_the_same_suite_by_another_name(name: str, tmp_path: Path) -> None:
    assert output("copy", name, "2026.yaml").endswith("synbench run 2026.yaml\n")
    copy: dict[str, Any] = load_suite(tmp_path / "2026.yaml").model_dump()
    assert copy == load_suite(packaged_suites()[name]).model_dump() | {"name": "2026"}


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        output("copy", "demo")
    assert (tmp_path / "demo.yaml").read_text() == "mine"


def test_an_unusable_name_leaves_nothing_and_a_misspelt_one_is_offered(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name"):
        output("copy", "demo", "no name.yaml")
    with pytest.raises(UsageError, match="did you mean demo"):
        output("copy", "demos")
    assert not list(tmp_path.iterdir())
