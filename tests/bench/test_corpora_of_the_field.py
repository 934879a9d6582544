"""Common Voice, MLS, datasets of the hub and Lhotse manifests, in miniature."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from synbench import corpora
from synbench.errors import EnvironmentFault, UsageError

RATE = 16000


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SYNBENCH_DATA", raising=False)


def sound(path: Path, *, seconds: float = 0.2, level: float = 0.25, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(round(seconds * RATE), level), RATE, **how)
    return path


def test_common_voice_as_it_comes(tmp_path: Path) -> None:
    tree = tmp_path / "cv-corpus-22.0-2025-06-20" / "de"
    for name in ("common_voice_de_1.mp3", "common_voice_de_2.mp3"):
        sound(tree / "clips" / name, format="MP3")
    (tree / "test.tsv").write_text(
        "client_id\tpath\tsentence\tgender\taccents\tlocale\n"
        'ab12\tcommon_voice_de_1.mp3\tSie sagte: "ja.\tfemale_feminine\tÖsterreich\tde\n'
        "cd34\tcommon_voice_de_2.mp3\tNein.\t\t\tde\n"
    )
    corpus = corpora.load(f"common-voice:language=de,path={tmp_path}")
    first, second = corpus.items
    assert (first.id, first.speaker, first.gender) == ("common_voice_de_1", "ab12", "female")
    assert (first.transcript, second.gender, second.language) == ('Sie sagte: "ja.', "", "de")
    assert (first.accent, second.accent) == ("Österreich", "")
    assert not any(item.problem for item in corpus.items)
    assert "coded before" in corpus.note
    with pytest.raises(UsageError, match="tables there: test"):
        corpora.load(f"common-voice:language=de,split=dev,path={tmp_path}")
    with pytest.raises(UsageError, match="common-voice:language=fr"):
        corpora.load(f"common-voice:language=fr,path={tmp_path}")
    sound(tmp_path / "cv-corpus-23.0" / "de" / "clips" / "a.mp3", format="MP3")
    with pytest.raises(UsageError, match="several trees"):
        corpora.load(f"common-voice:language=de,path={tmp_path}")


def test_multilingual_librispeech_as_it_comes(tmp_path: Path) -> None:
    tree = tmp_path / "mls_polish"
    sound(tree / "test" / "audio" / "6892" / "10349" / "6892_10349_000000.flac")
    (tree / "test" / "transcripts.txt").write_text("6892_10349_000000\tjeszcze polska\n")
    (tree / "metainfo.txt").write_text(
        " SPEAKER   |   GENDER   | PARTITION  |  MINUTES   |  BOOK ID\n"
        "  6892     |     M      |    test    |     1.0    |   10349\n"
    )
    (item,) = corpora.load(f"mls:language=polish,path={tmp_path}").items
    assert (item.id, item.speaker, item.gender) == ("6892_10349_000000", "6892", "male")
    assert (item.transcript, item.language) == ("jeszcze polska", "pl")
    with pytest.raises(UsageError, match="splits there: test"):
        corpora.load(f"mls:language=polish,split=dev,path={tmp_path}")
    with pytest.raises(UsageError, match="did you mean"):
        corpora.load("mls:language=polnish")


def encoded(level: float) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full(RATE // 5, level), RATE, format="FLAC")
    return buffer.getvalue()


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    datasets = pytest.importorskip("datasets", reason="pip install 'datasets>=4,<6'")
    files = [tmp_path / f"{name}.flac" for name in "ab"]
    for file, level in zip(files, (0.1, 0.2), strict=True):
        file.write_bytes(encoded(level))
    rows = {
        "audio": list(map(str, files)),
        "text": ["one", "two"],
        "speaker_id": [61, 121],
        "spoken": ["ONE", "TWO"],
    }
    folder = tmp_path / "small"
    folder.mkdir()
    made = datasets.Dataset.from_dict(rows).cast_column("audio", datasets.Audio(decode=False))
    made.to_parquet(folder / "test-00000-of-00001.parquet")
    return folder


def test_a_dataset_of_the_hub(dataset: Path) -> None:
    corpus = corpora.load(f"hf:path={dataset}")
    facts = [(item.id, item.speaker, item.transcript) for item in corpus.items]
    assert facts == [("000000", "61", "one"), ("000001", "121", "two")]
    assert corpus.items[0].path.read_bytes() == encoded(0.1)
    (first,) = corpora.load(f"hf:path={dataset},split='test[:1]',transcript=spoken").items
    assert (first.transcript, first.sha256) == ("ONE", corpus.items[0].sha256)
    with pytest.raises(UsageError, match="did you mean text"):
        corpora.load(f"hf:path={dataset},transcript=txt")
    with pytest.raises(UsageError, match="dataset=OWNER/NAME or path=FOLDER"):
        corpora.load("hf")


def test_a_dataset_that_cannot_be_had_is_an_error_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets", reason="pip install 'datasets>=4,<6'")

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(EnvironmentFault, match="cannot read the dataset nobody/nothing"):
        corpora.load("hf:dataset=nobody/nothing")
    assert not list((tmp_path / "cache").glob("corpora/hf-*"))


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    lhotse = pytest.importorskip("lhotse", reason="pip install 'lhotse>=1.30,<2'")
    names = [sound(tmp_path / f"{name}.wav", seconds=2) for name in "ab"]
    recordings = [lhotse.Recording.from_file(name) for name in names]
    segments = [
        {"id": "a-1", "recording_id": "a", "start": 0.5, "duration": 1.0, "text": "hello"},
        {"id": "b-1", "recording_id": "b", "start": 0.0, "duration": 2.0, "text": "all"},
    ]
    spoken = [
        lhotse.SupervisionSegment(
            **each, speaker="s", gender="F", language="en", custom={"accent": "Irish"}
        )
        for each in segments
    ]
    lhotse.RecordingSet.from_recordings(recordings).to_file(tmp_path / "x_recordings_test.jsonl")
    lhotse.SupervisionSet.from_segments(spoken).to_file(tmp_path / "x_supervisions_test.jsonl")
    return tmp_path / "x_recordings_test.jsonl"


def test_lhotse_recordings_are_cut_to_what_is_spoken(manifests: Path) -> None:
    part, whole = corpora.load(f"lhotse:path={manifests}").items
    assert (part.seconds, part.transcript, part.gender, part.accent) == (
        1.0,
        "hello",
        "female",
        "Irish",
    )
    assert whole.path == manifests.parent / "b.wav"
    samples, _ = soundfile.read(part.path)
    expected, _ = soundfile.read(manifests.parent / "a.wav", start=RATE // 2, frames=RATE)
    assert np.array_equal(samples, expected)


def test_a_lhotse_manifest_starts_no_program(manifests: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in manifests.read_text().splitlines()]
    mark = tmp_path / "ran"
    lines[0]["sources"][0] |= {"type": "command", "source": f"touch {mark}"}
    manifests.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(UsageError, match="is of type command, expected file"):
        corpora.load(f"lhotse:path={manifests}")
    assert not mark.exists()
