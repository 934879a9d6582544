"""One walk through folders and one rule of matching, for every command."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from synbench_base.errors import EnvironmentFault
from synbench_base.folders import AudioFiles, audio_files, file_id, visible_files


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def ids(root: Path) -> list[str]:
    return [file_id(path, below=root) for path in audio_files(root)]


def test_what_a_mac_leaves_is_left_out(tmp_path: Path) -> None:
    make(
        tmp_path, "a.wav", "._a.wav", "__MACOSX/._a.wav", "__MACOSX/a.wav", ".cache/b.wav", "c.txt"
    )
    assert ids(tmp_path) == ["a"]


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    disk = make(tmp_path / "disk", "s1/a.wav", "s2/b.wav")
    root = tmp_path / "root"
    root.mkdir()
    for name in ("s1", "s2"):
        (root / name).symlink_to(disk / name)
    (disk / "s1" / "again").symlink_to(root)
    assert ids(root) == ["s1/a", "s2/b"]


def test_what_cannot_be_read_is_handed_out(tmp_path: Path) -> None:
    make(tmp_path, "a.wav")
    (tmp_path / "gone.wav").symlink_to("nowhere.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    assert ids(tmp_path) == ["a", "gone", "pipe"]


def test_a_folder_that_cannot_be_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.wav", "locked/b.wav")
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(EnvironmentFault, match=r"cannot list .*locked: Permission denied"):
        ids(tmp_path)
    with pytest.raises(EnvironmentFault, match="cannot list"):
        visible_files(tmp_path / "none", (".csv",))


def test_accents_are_composed(tmp_path: Path) -> None:
    name = "Zoë"
    make(tmp_path, f"{unicodedata.normalize('NFD', name)}/é.wav".replace("é", "e\u0301"))
    assert ids(tmp_path) == [f"{name}/é"]
    files = AudioFiles(tmp_path)
    assert len(files.matching(f"{name}/é")) == 1
    assert files.matching(unicodedata.normalize("NFD", f"{name}/é"))


@pytest.mark.parametrize(
    ("name", "item", "belongs"),
    [
        ("clip.wav.flac", "clip.wav", True),
        ("clip.wav", "clip.wav", True),  # an id that a table gave with its ending
        ("clip.wav.flac", "clip", False),
        ("clip.wav", "clip", True),
        ("a.b.wav", "a.b", True),
        ("a.b.wav", "a", False),
        ("dev/s1/x.wav", "s1/x", True),
        ("s1/x.wav", "dev/s1/x", True),
        ("x.wav", "dev/s1/x", True),
        ("s2/x.wav", "dev/s1/x", True),
    ],
)
def test_which_file_belongs_to_an_item(name: str, item: str, belongs: bool, tmp_path: Path) -> None:
    make(tmp_path, name)
    assert bool(AudioFiles(tmp_path).matching(item)) is belongs


def test_the_better_match_wins_and_equal_ones_are_all_given(tmp_path: Path) -> None:
    make(tmp_path, "s1/x.wav", "s2/x.wav", "clip.wav.flac", "clip.wav")
    files = AudioFiles(tmp_path)
    assert [path.name for path in files.matching("clip.wav")] == ["clip.wav.flac"]
    assert [path.name for path in files.matching("clip")] == ["clip.wav"]
    assert len(files.matching("dev/s1/x")) == 1
    assert len(files.matching("s3/x")) == 2
