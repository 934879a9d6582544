"""What lies in folders of speech beside speech: no run hangs on it, and nothing vanishes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench import corpora

RATE = 16000


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "speech"
    root.mkdir()
    return root


def wave() -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(RATE)


def problems(root: Path) -> dict[str, str]:
    return {item.id: item.problem for item in corpora.load(f"folder:path={root}").items}


@pytest.mark.timeout(30)
def test_pipes_devices_and_links_to_nowhere_are_problems(root: Path) -> None:
    soundfile.write(root / "good.wav", wave(), RATE)
    os.mkfifo(root / "pipe.wav")
    (root / "device.wav").symlink_to("/dev/zero")
    (root / "gone.wav").symlink_to("nowhere.wav")
    said = problems(root)
    assert said["good"] == ""
    assert "is a named pipe" in said["pipe"]
    assert "is a device" in said["device"]
    assert "is a link to nowhere.wav" in said["gone"]
    first, second = (corpora.load(f"folder:path={root}").digest for _ in range(2))
    assert first == second


def test_half_a_file_and_opposite_channels_are_problems(root: Path) -> None:
    soundfile.write(root / "cut.wav", wave(), RATE)
    content = (root / "cut.wav").read_bytes()
    (root / "cut.wav").write_bytes(content[: len(content) // 2])
    soundfile.write(root / "opposite.wav", np.stack([wave(), -wave()], axis=1), RATE)
    soundfile.write(root / "stereo.wav", np.stack([wave(), 0.5 * wave()], axis=1), RATE)
    said = problems(root)
    assert "is truncated: the header promises" in said["cut"]
    assert "opposite phase" in said["opposite"]
    assert said["stereo"] == ""


def test_official_trees_are_walked_like_folders(root: Path, tmp_path: Path) -> None:
    """Links to speakers' folders on another disk, and what a Mac leaves beside the files."""
    disk = tmp_path / "disk"
    for speaker in "12":
        chapter = disk / speaker / "7"
        chapter.mkdir(parents=True)
        soundfile.write(chapter / f"{speaker}-7-0000.flac", wave(), RATE)
        (chapter / f"._{speaker}-7-0000.flac").write_bytes(b"\0\5\26\7")
        (chapter / f"{speaker}-7.trans.txt").write_text(f"{speaker}-7-0000 WORDS\n")
        (chapter / f"._{speaker}-7.trans.txt").write_bytes(b"\0\5\26\7")
    tree = root / "LibriSpeech" / "test-clean"
    tree.mkdir(parents=True)
    for speaker in "12":
        (tree / speaker).symlink_to(disk / speaker)
    items = corpora.load(f"librispeech:path={root}").items
    assert [(item.id, item.speaker, item.transcript) for item in items] == [
        ("1-7-0000", "1", "WORDS"),
        ("2-7-0000", "2", "WORDS"),
    ]
