"""What `codecs`, `metrics`, `corpora` and `weights list` print fits a terminal of 80 columns."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import synbench_codecs
from synbench.__main__ import cli
from synbench.weights import known_checkpoints

WIDTH = 80
SPECS = ("opus:bitrate_bps=24000,sample_rate=48000", "amr-nb:bitrate_bps=4750", "passthrough")


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch):
    """What a command prints on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setattr(synbench_codecs, "names", lambda: ["amr-nb", "opus", "passthrough"])

    def run(*words: str) -> str:
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_a_codec_is_one_line(printed) -> None:
    lines = printed("codecs").splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["amr-nb", "opus", "passthrough"]
    assert "4.75 to 12.2" in lines[1]
    assert all(len(line) <= WIDTH for line in lines)


def test_no_spec_is_broken(printed) -> None:
    text = printed("codecs", "amr-nb", "opus", "passthrough")
    assert [spec for spec in SPECS if f"{spec} " not in text] == []
    assert "options of opus: bitrate_bps, sample_rate" in text


def test_an_unknown_codec_gets_the_close_names(printed) -> None:
    result = CliRunner().invoke(cli, ["codecs", "opuss"])
    assert result.exit_code != 0
    assert "opus" in str(result.exception)


def test_no_checkpoint_is_broken(printed) -> None:
    words = {line.partition(" ")[0] for line in printed("weights", "list").splitlines()}
    assert set(known_checkpoints()) <= words


def test_corpora_are_described_without_marks(printed) -> None:
    assert "`" not in printed("corpora")
