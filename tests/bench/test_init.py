"""`synbench init`: a suite from a folder of decoded systems that runs as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from synbench.__main__ import cli
from synbench.errors import UsageError
from synbench.suite import load_suite


@pytest.fixture
def decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Originals and two systems, one of them with a file short."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "decoded"
    noise = np.random.default_rng(0).uniform(-0.2, 0.2, 16000)
    for name in ("Original/a", "Original/b", "opus_6kbps/a", "opus_6kbps/b", "mine/a"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{name}.wav", noise, 16000)
    (folder / "notes").mkdir()
    return folder


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["init", *arguments])


def test_one_row_for_each_sub_folder(decoded: Path, tmp_path: Path) -> None:
    done = invoke("decoded")
    assert done.exit_code == 0, done.output
    assert "opus_6kbps: 2 of 2 items, 6000 bit/s" in done.output
    assert "mine: 1 of 2 items" in done.output
    suite = load_suite(tmp_path / "decoded.yaml")
    assert suite.corpora[0].options == {"path": str(decoded / "Original")}
    assert [
        (one.codec, one.options["label"], one.options["bitrate_bps"]) for one in suite.codecs
    ] == [
        ("recordings", "mine", 0),
        ("recordings", "opus_6kbps", 6000),
    ]
    planned = CliRunner().invoke(cli, ["plan", "decoded.yaml"])
    assert planned.exit_code == 0, planned.output


def test_other_originals_are_named_and_nothing_is_written_over(decoded: Path) -> None:
    assert invoke("decoded", "mine.yaml", "--reference", "mine").exit_code == 0
    again = invoke("decoded", "mine.yaml", "--reference", "mine")
    assert isinstance(again.exception, UsageError)
    assert "mine.yaml is there already" in str(again.exception)


def test_without_originals_the_folders_are_listed(decoded: Path) -> None:
    (decoded / "Original").rename(decoded / "zero")
    error = invoke("decoded").exception
    assert isinstance(error, UsageError)
    assert "holds mine, opus_6kbps, zero: say which one with --reference NAME" in str(error)
    for name in ("mine", "opus_6kbps", "zero"):
        for file in (decoded / name).iterdir():
            file.unlink()
    assert "no sub-folder with sound files" in str(invoke("decoded").exception)
