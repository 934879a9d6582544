"""Part of a suite: what is taken, what is refused, and that cells stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synbench.errors import UsageError
from synbench.narrowing import narrowed
from synbench.suite import Suite, make_suite

Command = Callable[..., Any]

SUITE = {
    "name": "broad",
    "corpora": [
        {"corpus": "folder:path=near", "name": "near", "limit": 5, "digest": "ab" * 32},
        {"corpus": "folder:path=far", "name": "far"},
    ],
    "codecs": [
        "opus:bitrate_bps=6000",
        "opus:bitrate_bps=12000,complexity=5",
        "lowpass-3k5",
        {"codec": "passthrough", "label": "As it was"},
    ],
    "metrics": ["pesq_wb", "SI-SDR", "stoi"],
}


@pytest.fixture
def suite() -> Suite:
    return make_suite(SUITE)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (["opus"], [0, 1]),
        (["opus:bitrate_bps=6000"], [0]),
        (["opus:complexity=5,bitrate_bps=12000"], [1]),
        (["as it was,opus:bitrate_bps=12000,complexity=5"], [1, 3]),
        (["Anchor 3.5 kHz", "passthrough"], [2, 3]),
    ],
)
def test_codecs_by_name_spec_and_label(wanted: list[str], taken: list[int], suite: Suite) -> None:
    assert narrowed(suite, codecs=wanted).codecs == [suite.codecs[number] for number in taken]


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [(["STOI,pesq_wb"], ["pesq_wb", "stoi"]), (["si_sdr"], ["SI-SDR"]), (["si-sdr"], ["SI-SDR"])],
)
def test_metrics_whatever_their_case(wanted: list[str], taken: list[str], suite: Suite) -> None:
    assert narrowed(suite, metrics=wanted).metrics == taken


def test_a_limit_only_takes_away(suite: Suite) -> None:
    assert [entry.limit for entry in narrowed(suite, limit=9).corpora] == [5, 9]
    assert narrowed(suite, limit=9).corpora[0].digest == "ab" * 32
    few = narrowed(suite, limit=2).corpora
    assert [(entry.limit, entry.digest) for entry in few] == [(2, None), (2, None)]


def test_nothing_asked_for_is_the_whole(suite: Suite) -> None:
    assert narrowed(suite) == suite


def test_a_corpus_of_the_suite_and_a_folder_instead(suite: Suite, tmp_path: Path) -> None:
    near = narrowed(suite, corpora=["near"])
    assert (near.name, near.corpora) == ("broad", suite.corpora[:1])
    other = narrowed(suite, corpora=[str(tmp_path)], limit=3)
    assert other.name == "broad-custom"
    assert other.corpora[0].options == {"path": str(tmp_path)}
    assert other.corpora[0].limit == 3
    assert narrowed(suite, corpora=["synthetic"]).corpora[0].corpus == "synthetic"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"codecs": ["opsu:bitrate_bps=6000"]}, "has no codec 'opsu.*did you mean opus:bitrate"),
        ({"codecs": ["g722"]}, "has no codec 'g722'.*synbench suites copy broad"),
        ({"metrics": ["stio"]}, "did you mean stoi"),
        ({"corpora": ["neer"]}, "has no corpus 'neer'.*did you mean near"),
    ],
)
def test_what_a_suite_has_not(part: dict[str, Any], said: str, suite: Suite) -> None:
    with pytest.raises(UsageError, match=said):
        narrowed(suite, **part)


def test_a_part_uses_the_whole_and_the_whole_the_part(
    speech_folder: Path, write_suite: Callable[..., Path], synbench: Command, tmp_path: Path
) -> None:
    suite = write_suite(speech_folder, codecs=["lowpass-3k5", "passthrough"])
    common = (suite, "--out", tmp_path / "run")
    part = ("--limit", "2", "--codecs", "lowpass-3k5", "--metrics", "SI_SDR")
    first = synbench("run", *common, *part, "--workers", "0")
    assert first.returncode == 0, first.stderr
    assert "2 of 2 scores to compute" in first.stderr
    assert "10 of 12 scores to compute (2 are there)" in synbench("plan", *common).stdout
    assert synbench("run", *common, "--workers", "0", "--quiet").returncode == 0
    assert "all 2 scores are there" in synbench("run", *common, *part).stderr
    assert "0 of 12 scores to compute (12 are there)" in synbench("plan", *common).stdout
