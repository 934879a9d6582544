"""What is wrong with a YAML file is said with its line and the name that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from synbench.suite import load_suite, make_suite
from synbench_base.errors import UsageError
from synbench_listening.design.study import load_study

SUITE = """\
name: mine
corpora: ["folder:path=speech"]
codecs:
  - passthrough
  - codec: opus
    optoins: {bitrate_bps: 6000}
metrics: [stoi]
"""


def refused(path: Path, text: str, load=load_suite) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(path)
    return str(caught.value)


def test_an_unknown_key_of_an_entry(tmp_path: Path) -> None:
    said = refused(tmp_path / "s.yaml", SUITE)
    assert "line 6: codecs.1.optoins: unknown key; did you mean options?" in said


def test_several_problems_are_all_said(tmp_path: Path) -> None:
    said = refused(tmp_path / "s.yaml", SUITE.replace("metrics:", "metrcs:") + "failure_budget: -1")
    assert "line 7: metrcs: unknown key; did you mean metrics?" in said
    assert "metrics: Field required" in said
    assert "line 8: failure_budget: expected a count such as 3" in said


def test_a_key_that_is_there_twice(tmp_path: Path) -> None:
    said = refused(tmp_path / "s.yaml", SUITE + "metrics: [pesq_wb]\n")
    assert said.endswith("s.yaml:8: metrics is there twice, first in line 7")


@pytest.mark.parametrize("text", ["- a list", "", "name: [", "a: &x [*x]", "\x00"])
def test_what_is_no_mapping_or_no_yaml(tmp_path: Path, text: str) -> None:
    assert "s.yaml" in refused(tmp_path / "s.yaml", text)


def test_aliases_are_no_way_to_keep_it_busy(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "unknown key" in refused(tmp_path / "s.yaml", "\n".join(lines))


def test_a_design_of_a_listening_test_says_it_the_same_way(tmp_path: Path) -> None:
    text = "name: x\ntest: mushra\nitems:\n  cuont: 3\nheadphones: {trails: 3}\n"
    said = refused(tmp_path / "d.yaml", text, load_study)
    assert "line 4: items.cuont: unknown key; did you mean count?" in said
    assert "line 5: headphones.trails: unknown key; did you mean trials?" in said


def test_a_suite_made_in_python(tmp_path: Path) -> None:
    content = {"name": "x", "corpora": ["folder:path=a"], "codecs": ["opus"], "metrics": ["stoi"]}
    assert make_suite(content).corpora[0].options == {"path": str(Path("a").resolve())}
    with pytest.raises(UsageError, match="this suite is not a valid suite:\n  codcs: unknown key"):
        make_suite(content | {"codcs": []})
