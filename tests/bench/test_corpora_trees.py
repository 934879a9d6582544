"""Official trees and archives of LibriSpeech, LibriTTS and VCTK, in miniature."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench import corpora
from synbench.corpora import _openslr, librispeech, libritts, vctk
from synbench.errors import EnvironmentFault, UsageError


@pytest.fixture(autouse=True)
def _offline(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SYNBENCH_OFFLINE", "1")
    monkeypatch.delenv("SYNBENCH_DATA", raising=False)


def sound(path: Path, *, rate=16000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(rate // 100, 0.25), rate)


@pytest.fixture
def speech(tmp_path):
    root = tmp_path / "data"
    chapter = root / "LibriSpeech" / "test-clean" / "61" / "70968"
    for number in range(2):
        sound(chapter / f"61-70968-000{number}.flac")
    (chapter / "61-70968.trans.txt").write_text("61-70968-0000 HE BEGAN\n61-70968-0001 A VOICE\n")
    return root


@pytest.fixture
def tts(tmp_path):
    root = tmp_path / "data"
    stem = root / "LibriTTS" / "test-clean" / "121" / "121726" / "121_121726_000004_000003"
    sound(stem.with_suffix(".wav"), rate=24000)
    stem.with_suffix(".normalized.txt").write_text("Hello there.")
    stem.with_suffix(".original.txt").write_text("Hello there, 4.")
    return root


def packed(root: Path, archive: Path, top: str, distribution, monkeypatch, module, name) -> Path:
    """An archive of a tree, made the official one for the length of a test."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(root / top, arcname=top)
    _make_official(archive, distribution, monkeypatch, module, name)
    return archive


def _make_official(archive, distribution, monkeypatch, module, name):
    digest = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    changed = dataclasses.replace(distribution, md5={**distribution.md5, "test-clean": digest})
    monkeypatch.setattr(module, name, changed)


def test_librispeech_from_a_tree(speech):
    corpus = corpora.load(f"librispeech:path={speech}")
    first, second = corpus.items
    assert (first.id, first.speaker, first.transcript) == ("61-70968-0000", "61", "HE BEGAN")
    assert second.transcript == "A VOICE"
    assert corpus.name == "librispeech-test-clean"
    assert corpus.note == "INCOMPLETE: 2 utterances, LibriSpeech test-clean has 2620"
    assert corpus.target_rate is None


@pytest.mark.parametrize("below", ["LibriSpeech", "LibriSpeech/test-clean"])
def test_the_path_may_name_a_folder_further_down(speech, below):
    assert len(corpora.load(f"librispeech:path={speech / below}").items) == 2


def test_a_complete_tree_has_no_note(speech, monkeypatch):
    changed = dataclasses.replace(librispeech.LIBRISPEECH, counts={"test-clean": 2})
    monkeypatch.setattr(librispeech, "LIBRISPEECH", changed)
    assert corpora.load(f"librispeech:path={speech}").note == ""


def test_more_utterances_than_official_are_named_too():
    assert _openslr.incomplete(3, 2, what="X").startswith("NOT THE OFFICIAL SET")
    assert _openslr.incomplete(3, None, what="X") == ""


def test_libritts_is_evaluated_at_16_khz(tts, monkeypatch):
    monkeypatch.setenv("SYNBENCH_DATA", str(tts))
    corpus = corpora.load("libritts")
    (item,) = corpus.items
    assert (item.id, item.speaker) == ("121_121726_000004_000003", "121")
    assert item.transcript == "Hello there."
    assert item.sample_rate == 24000
    assert corpus.target_rate == 16000
    assert corpus.sample_rates == {16000}
    recorded = corpora.load("libritts:sample_rate=24000")
    assert recorded.target_rate is None
    assert recorded.sample_rates == {24000}
    assert recorded.digest != corpus.digest


@pytest.mark.parametrize("parent", ["", "LibriSpeech"])
def test_an_archive_is_taken_apart(speech, tmp_path, monkeypatch, parent):
    archive = tmp_path / "archives" / parent / "test-clean.tar.gz"
    packed(
        speech, archive, "LibriSpeech", librispeech.LIBRISPEECH, monkeypatch, librispeech,
        "LIBRISPEECH",
    )  # fmt: skip
    corpus = corpora.load(f"librispeech:path={tmp_path / 'archives'}")
    assert corpus.digest == corpora.load(f"librispeech:path={speech}").digest
    assert (tmp_path / "archives/LibriSpeech/test-clean/61").is_dir()
    archive.unlink()
    assert len(corpora.load(f"librispeech:path={tmp_path / 'archives'}").items) == 2


def test_an_archive_of_the_other_corpus_is_left_alone(tts, tmp_path, monkeypatch):
    archive = tmp_path / "archives" / "test-clean.tar.gz"
    packed(tts, archive, "LibriTTS", libritts.LIBRITTS, monkeypatch, libritts, "LIBRITTS")
    with pytest.raises(EnvironmentFault, match="cannot download"):
        corpora.load(f"librispeech:path={tmp_path / 'archives'}")
    assert len(corpora.load(f"libritts:path={tmp_path / 'archives'}").items) == 1


def test_an_archive_that_is_not_the_official_one_is_refused(speech, tmp_path):
    archive = tmp_path / "archives" / "test-clean.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(speech / "LibriSpeech", arcname="LibriSpeech")
    with pytest.raises(UsageError, match=r"expected md5 32fa31.*openslr\.org"):
        corpora.load(f"librispeech:path={archive.parent}")


def _member(name, kind=tarfile.REGTYPE, link=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@pytest.mark.parametrize(
    "member",
    [
        _member("LibriSpeech/../../escaped.txt"),
        _member("/escaped.txt"),
        _member("LibriSpeech/test-clean/link", tarfile.SYMTYPE, "/etc/passwd"),
        _member("LibriSpeech/test-clean/hard", tarfile.LNKTYPE, "../../secret"),
        _member("LibriSpeech/test-clean/device", tarfile.CHRTYPE),
    ],
    ids=lambda member: member.name,
)
def test_a_malicious_archive_is_refused(tmp_path, monkeypatch, member):
    archive = tmp_path / "archives" / "test-clean.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(_member("LibriSpeech/test-clean/README"), io.BytesIO())
        tar.addfile(member, io.BytesIO())
    _make_official(archive, librispeech.LIBRISPEECH, monkeypatch, librispeech, "LIBRISPEECH")
    with pytest.raises(UsageError, match="not the official archive"):
        corpora.load(f"librispeech:path={archive.parent}")
    assert not list(tmp_path.rglob("escaped.txt"))
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_truncated_archive_is_refused(speech, tmp_path, monkeypatch):
    archive = tmp_path / "archives" / "test-clean.tar.gz"
    packed(
        speech, archive, "LibriSpeech", librispeech.LIBRISPEECH, monkeypatch, librispeech,
        "LIBRISPEECH",
    )  # fmt: skip
    archive.write_bytes(archive.read_bytes()[:-200])
    _make_official(archive, librispeech.LIBRISPEECH, monkeypatch, librispeech, "LIBRISPEECH")
    with pytest.raises(UsageError, match="fetch it again"):
        corpora.load(f"librispeech:path={archive.parent}")
    assert not (tmp_path / "archives/LibriSpeech/test-clean").exists()


def test_without_a_tree_and_a_network_the_message_says_what_to_do():
    with pytest.raises(EnvironmentFault) as caught:
        corpora.load("libritts")
    for part in ("www.openslr.org/resources/60/test-clean.tar.gz", "us.openslr.org",
                 "libritts:path=<folder>", "SYNBENCH_DATA=<folder>"):  # fmt: skip
        assert part in str(caught.value)


@pytest.fixture
def accents(tmp_path):
    tree = tmp_path / "data" / "VCTK-Corpus-0.92"
    for speaker in ("p225", "p280", "p360", "s5"):
        sound(tree / vctk.AUDIO / speaker / f"{speaker}_001_mic1.flac", rate=48000)
        if speaker != "p280":
            sound(tree / vctk.AUDIO / speaker / f"{speaker}_001_mic2.flac", rate=48000)
        (tree / "txt" / speaker).mkdir(parents=True)
        (tree / "txt" / speaker / f"{speaker}_001.txt").write_text("Please call Stella.\n")
    (tree / "speaker-info.txt").write_text(
        "ID  AGE  GENDER  ACCENTS  REGION COMMENTS\n"
        "p225  23  F    English    Southern  England\n"
        "p360  19  M    American   New Jersey\n"
    )
    return tree


def test_vctk_has_the_split_of_the_paper(accents):
    spec = f"vctk:path={accents.parent}"
    test = corpora.load(spec)
    assert [item.id for item in test.items] == ["p360_001", "s5_001"]
    assert test.items[0].transcript == "Please call Stella."
    assert (test.items[0].speaker, test.items[0].gender) == ("p360", "male")
    assert [item.accent for item in test.items] == ["American", ""]
    assert test.sample_rates == {48000}
    assert test.note == "INCOMPLETE: 2 utterances, VCTK 0.92 test has 2937"
    train = corpora.load(f"{spec},split=train")
    assert [item.id for item in train.items] == ["p225_001"]
    assert len(corpora.load(f"vctk:path={accents},split=all").items) == 3
    assert vctk.COUNTS["all"] == vctk.COUNTS["train"] + vctk.COUNTS["test"]


def test_a_complete_vctk_has_no_note(accents, monkeypatch):
    monkeypatch.setitem(vctk.COUNTS, "test", 2)
    assert corpora.load(f"vctk:path={accents}").note == ""


def test_vctk_that_is_absent_says_where_to_get_it(tmp_path):
    with pytest.raises(UsageError, match=r"datashare\.ed\.ac\.uk.*SYNBENCH_DATA"):
        corpora.load(f"vctk:path={tmp_path}")


def test_a_tree_of_other_files_is_refused(tmp_path):
    sound(tmp_path / "LibriSpeech" / "test-clean" / "loose.flac")
    with pytest.raises(UsageError, match="<speaker>/<chapter>"):
        corpora.load(f"librispeech:path={tmp_path}")
