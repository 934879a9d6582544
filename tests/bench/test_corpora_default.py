"""Which corpus somebody gets who named none; the small real one; the synthesised one."""

from __future__ import annotations

import functools
import hashlib
import http.server
import importlib
import io
import logging
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench import corpora, download
from synbench.corpora import librispeech_dummy, synthetic
from synbench.errors import EnvironmentFault, UsageError

SHARED = Path(__file__).parents[3] / "shared" / "speech16"


@pytest.fixture(autouse=True)
def _offline(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SYNBENCH_OFFLINE", "1")
    monkeypatch.delenv("SYNBENCH_DATA", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)


@pytest.fixture
def spoken():
    return pytest.importorskip("espeakng_loader", reason="espeakng-loader is not installed")


def sound(path: Path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(160, 0.25), 16000)


def taken(monkeypatch, *folders):
    monkeypatch.setenv("SYNBENCH_DATA", os.pathsep.join(map(str, folders)))
    return corpora.load("default").spec


def test_a_folder_of_audio(tmp_path, monkeypatch):
    sound(tmp_path / "data" / "deep" / "a.wav")
    assert taken(monkeypatch, tmp_path / "data") == f"folder:path={tmp_path / 'data'}"


def test_a_tree_comes_before_loose_audio_and_a_manifest_before_both(tmp_path, monkeypatch):
    data = tmp_path / "data"
    sound(data / "a.wav")
    sound(data / "LibriTTS" / "dev-clean" / "1" / "2" / "1_2_3_4.wav")
    assert taken(monkeypatch, data) == f"libritts:path={data},subset=dev-clean"
    sound(data / "LibriSpeech" / "test-clean" / "1" / "2" / "1-2-3.flac")
    assert taken(monkeypatch, data) == f"librispeech:path={data},subset=test-clean"
    assert taken(monkeypatch, data / "LibriSpeech").startswith("librispeech:")
    (data / "manifest.csv").write_text("file\na.wav\n")
    assert taken(monkeypatch, data) == f"manifest:path={data / 'manifest.csv'}"


def test_an_empty_tree_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "data" / "LibriSpeech" / "test-clean").mkdir(parents=True)
    sound(tmp_path / "data" / "a.wav")
    assert taken(monkeypatch, tmp_path / "data") == f"folder:path={tmp_path / 'data'}"


def test_vctk_and_manifests_one_level_down(tmp_path, monkeypatch):
    data = tmp_path / "data"
    sound(data / "set" / "a.wav")
    (data / "other").mkdir()
    (data / "other" / "manifest.csv").write_text("no,use\n1,2\n")
    (data / "set" / "manifest.csv").write_text("file\na.wav\n")
    assert taken(monkeypatch, data) == f"manifest:path={data / 'set' / 'manifest.csv'}"
    sound(data / "VCTK-Corpus-0.92" / "wav48_silence_trimmed" / "p360" / "p360_001_mic2.flac")
    assert taken(monkeypatch, data) == f"vctk:path={data}"


def test_the_first_folder_with_speech_wins(tmp_path, monkeypatch):
    (tmp_path / "none").mkdir()
    for name in ("one", "two"):
        sound(tmp_path / name / "a.wav")
    folders = [tmp_path / name for name in ("none", "one", "two")]
    assert taken(monkeypatch, *folders) == f"folder:path={tmp_path / 'one'}"


def test_a_folder_that_does_not_exist_is_refused(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="SYNBENCH_DATA: expected a folder, found nothing"):
        taken(monkeypatch, tmp_path / "absent")


@pytest.mark.shared("speech16")
def test_real_recordings(monkeypatch):
    assert taken(monkeypatch, SHARED) == f"manifest:path={SHARED / 'manifest.csv'}"


def test_without_recordings_and_network_speech_is_made_and_that_is_said(
    spoken, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("SYNBENCH_DATA", str(tmp_path))
    with caplog.at_level(logging.WARNING, "synbench"):
        corpus = corpora.load("default", limit=3)
    assert corpus.spec == corpus.name == "synthetic"
    assert corpus.note.startswith("SYNTHETIC SPEECH (espeak-ng 1.")
    assert "scores say nothing about real speech" in corpus.note
    assert "SYNTHETIC SPEECH" in caplog.text
    assert "huggingface.co" in caplog.text
    assert "SYNBENCH_DATA holds no speech" in caplog.text


def test_with_nothing_at_all_every_reason_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(EnvironmentFault) as caught:
        corpora.load("default")
    for part in ("huggingface.co", "pip install 'espeakng-loader", "SYNBENCH_DATA=<folder>"):
        assert part in str(caught.value)


def test_synthesised_speech_is_the_same_every_time(spoken, tmp_path, monkeypatch):
    first = corpora.load("synthetic")
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "another"))
    assert corpora.load("synthetic").digest == first.digest
    assert len(first.items) == 40
    assert len({item.speaker for item in first.items}) == 8
    assert first.sample_rates == {16000}
    assert not [item for item in first.items if item.problem]
    assert all(0.5 < item.seconds < 5 and item.transcript for item in first.items)


def test_synthesised_speech_has_one_level(spoken):
    for item in corpora.load("synthetic", limit=8).items:
        wave, _ = soundfile.read(item.path)
        assert 20 * np.log10(np.sqrt(np.mean(wave**2))) == pytest.approx(-26, abs=0.1)
        assert np.abs(wave).max() < 1


def test_a_voice_that_espeak_lacks_is_named(spoken, monkeypatch):
    monkeypatch.setattr(synthetic, "SPEAKERS", (("xx-none", 50, 50, 170),))
    with pytest.raises(EnvironmentFault, match="no voice xx-none"):
        corpora.load("synthetic")


def _flac(samples=160, kind="FLAC"):
    file = io.BytesIO()
    soundfile.write(file, np.linspace(-0.5, 0.5, samples), 16000, format=kind)
    return file.getvalue()


@pytest.fixture
def parquet(tmp_path, monkeypatch):
    """A small file with the columns of the real one, made the expected one for a test."""
    pyarrow = pytest.importorskip("pyarrow")
    module = importlib.import_module("pyarrow.parquet")
    table = pyarrow.table(
        {
            "file": ["/somewhere/1272-128104-0000.flac", "/somewhere/2277-149896-0000.flac"],
            "audio": [
                {"bytes": _flac(), "path": "1272-128104-0000.flac"},
                {"bytes": _flac(320, "WAV"), "path": "2277-149896-0000.wav"},
            ],
            "text": ["MISTER QUILTER", "HE WAS"],
            "speaker_id": [1272, 2277],
            "chapter_id": [128104, 149896],
            "id": ["1272-128104-0000", "2277-149896-0000"],
        }
    )
    path = tmp_path / "served" / "validation.parquet"
    path.parent.mkdir()
    module.write_table(table, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(librispeech_dummy, "CHECKSUM", f"sha256:{digest}")
    return path


def check_dummy(corpus):
    assert [item.id for item in corpus.items] == ["1272-128104-0000", "2277-149896-0000"]
    assert [item.speaker for item in corpus.items] == ["1272", "2277"]
    assert corpus.items[0].transcript == "MISTER QUILTER"
    assert corpus.items[1].seconds == 0.02
    assert {item.path.suffix for item in corpus.items} == {".flac"}
    assert corpus.spec == corpus.name == "librispeech-dummy"
    assert "LibriSpeech" in corpus.licence


def test_the_small_real_corpus_from_a_file_fetched_by_hand(parquet):
    check_dummy(corpora.load(f"librispeech-dummy:path={parquet}"))
    check_dummy(corpora.load("librispeech-dummy"))  # unpacked: no file, no network needed


def test_another_file_is_refused(parquet):
    parquet.write_bytes(parquet.read_bytes() + b"x")
    with pytest.raises(UsageError, match="wrong checksum"):
        corpora.load(f"librispeech-dummy:path={parquet}")
    with pytest.raises(UsageError, match="no such file"):
        corpora.load("librispeech-dummy:path=absent.parquet")


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_the_default_is_downloaded_where_there_is_a_network(parquet, monkeypatch):
    name = librispeech_dummy.REPOSITORY.removeprefix("huggingface.co/")
    path = parquet.parent / name / "resolve"
    path = path / librispeech_dummy.REVISION / librispeech_dummy.FILE
    path.parent.mkdir(parents=True)
    parquet.rename(path)
    monkeypatch.delenv("SYNBENCH_OFFLINE")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "_unreachable", {})
    handler = functools.partial(Handler, directory=parquet.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}/")
        seen = []
        check_dummy(corpora.load("default", progress=lambda *done: seen.append(done)))
        server.shutdown()
    assert seen[0] == (path.stat().st_size, path.stat().st_size)
    assert seen[-1] == (2, 2)
