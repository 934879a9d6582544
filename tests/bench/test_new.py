"""``synbench new``: what is written passes its own test as it is, and nothing is written over."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench.commands.new import new
from synbench.errors import UsageError
from synbench.suite import load_suite

Command = Callable[..., Any]
NAMES = {"codec": "law-8", "metric": "law_8_db", "corpus": "law-voices", "suite": "law-suite"}


def make(kind: str, name: str, folder: Path) -> str:
    """What is printed; an error is raised."""
    arguments = [kind, name, "--folder", str(folder)]
    return CliRunner().invoke(new, arguments, catch_exceptions=False).output


def test_all_four_pass_their_tests(tmp_path: Path) -> None:
    for kind, name in NAMES.items():
        make(kind, name, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "17 passed" in done.stdout
    assert load_suite(tmp_path / "law-suite.yaml").name == "law-suite"


def slow(*values: str) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("good", "broken"),
    [
        ("np.round((loud + 1)", "np.round(np.random.default_rng().random() + (loud + 1)"),
        ("payload_bits=BITS * len(payload)", "payload_bits=BITS * len(payload) - 9"),
        slow("return wave.astype(np.float32)", "return wave.astype(np.float32)[:-1]"),
        slow("        check_encoded(encoded, info=self.info)\n", ""),
        slow(
            "np.clip(check_wave(wave, sample_rate, info=self.info), -1, 1)", "np.clip(wave, -1, 1)"
        ),
    ],
    ids=["random", "bits", "short", "any stream", "any wave"],
)
def test_the_codecs_test_finds_a_broken_codec(good: str, broken: str, tmp_path: Path) -> None:
    make("codec", "law-8", tmp_path)
    path = tmp_path / "law_8.py"
    text = path.read_text()
    assert good in text
    path.write_text(text.replace(good, broken))
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout


def test_the_codec_runs_in_the_bench_as_its_last_lines_say(
    tmp_path: Path, synbench: Command, install: Callable[..., Path], speech_folder: Path
) -> None:
    printed = make("codec", "law-8", tmp_path)
    assert printed.endswith('[project.entry-points."synbench.codecs"]\nlaw-8 = "law_8:Law8"\n')
    module = (tmp_path / "law_8.py").read_text()
    package = install(module, {"synbench.codecs": {"law-8": "Law8"}})
    coded = synbench("encode", "law-8", speech_folder / "a.wav", "a.syn", paths=(package,))
    assert coded.returncode == 0, coded.stderr
    shown = synbench("info", "a.syn", paths=(package,))
    assert "law-8" in shown.stdout


@pytest.mark.parametrize("written", ["law_8.py", "test_law_8.py"])
def test_nothing_is_written_over(written: str, tmp_path: Path) -> None:
    (tmp_path / written).write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        make("codec", "law-8", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [written]
    assert (tmp_path / written).read_text() == "mine"


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("codec", "opus", "there is a codec 'opus' already; see: synbench codecs"),
        ("corpus", "folder", "see: synbench corpora"),
        ("suite", "demo", "there is a suite 'demo' already"),
        ("metric", "numpy", "would hide the Python module numpy"),
        ("codec", "../up", "small letters"),
        ("codec", "class", "cannot be a name"),
        ("codec", "Mine", "small letters"),
    ],
)
def test_names_that_are_refused(kind: str, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        make(kind, name, tmp_path)
    assert not list(tmp_path.iterdir())
