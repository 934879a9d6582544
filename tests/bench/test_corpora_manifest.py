"""Tables of audio files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench import corpora
from synbench.errors import UsageError

SHARED = Path(__file__).parents[3] / "shared" / "speech16"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "recordings"
    (folder / "clips").mkdir(parents=True)
    for number in range(2):
        soundfile.write(folder / "clips" / f"{number}.wav", np.full(160, 0.1 * number), 16000)
    return folder


def load(table, text=None, **more):
    if text is not None:
        table.write_text(text, encoding="utf-8")
    return corpora.load(f"manifest:path={table}", **more)


def test_a_table_names_files_speakers_and_texts(folder):
    corpus = load(
        folder / "manifest.csv",
        "file,item,speaker,transcript,licence\n"
        'clips/0.wav,first,anna,"Yes, indeed",CC0\nclips/1.wav,second,,,CC BY 4.0\n',
    )
    first, second = corpus.items
    assert (first.id, first.speaker, first.transcript) == ("first", "anna", "Yes, indeed")
    assert (second.id, second.speaker, second.transcript) == ("second", "", "")
    assert corpus.name == "recordings"
    assert corpus.licence == "CC BY 4.0; CC0"


@pytest.mark.parametrize("header", ["path", "file", "\ufefffile"])
def test_ids_come_from_the_path_where_there_is_no_id(folder, header):
    corpus = load(folder / "list.csv", f"{header},text\nclips/0.wav,zero\n../recordings/a.wav,\n")
    assert [item.id for item in corpus.items] == ["clips/0", "recordings/a"]
    assert corpus.items[0].transcript == "zero"
    assert corpus.name == "list"


def test_a_folder_and_a_table_of_it_have_the_same_digest(folder):
    table = load(folder / "list.csv", "file\nclips/1.wav\nclips/0.wav\n")
    assert table.digest == corpora.load(f"folder:path={folder}").digest


def test_tabs_and_parquet_are_read_too(folder):
    import pyarrow
    import pyarrow.parquet

    rows = {"path": ["clips/0.wav"], "id": ["zero"], "speaker": [17], "text": [None]}
    pyarrow.parquet.write_table(pyarrow.table(rows), folder / "list.parquet")
    (item,) = load(folder / "list.parquet").items
    assert (item.id, item.speaker, item.transcript) == ("zero", "17", "")
    (same,) = load(folder / "list.tsv", "file\tid\tspeaker\nclips/0.wav\tzero\t17\n").items
    assert same == item


def test_a_file_that_is_absent_stays_as_an_item(folder):
    corpus = load(folder / "list.csv", "file\nclips/0.wav\nclips/gone.wav\n")
    gone = corpus.items[1]
    assert gone.sha256 == "absent:clips/gone"
    assert "no such file" in gone.problem
    assert (gone.seconds, gone.sample_rate, gone.channels) == (0, 0, 0)
    assert corpus.sample_rates == {16000}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sound,speaker\na.wav,b\n", "expected the column 'file' or 'path'.*sound, speaker"),
        ("file,speaker\n,anna\n", "row 1 .* names no file"),
        ("file\n/elsewhere/a.wav\n", "relative to the manifest"),
        ("file,id\nclips/0.wav,../../0\n", "cannot be part of a path"),
        ("file,id\nclips/0.wav,/0\n", "cannot be part of a path"),
        ("file,id\nclips/0.wav,a\nclips/1.wav,a\n", "two items have the id 'a'"),
        ("file\n", "has no rows"),
        ("", "expected the column"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(folder, text, message):
    with pytest.raises(UsageError, match=message):
        load(folder / "list.csv", text)


def test_what_is_no_table_is_refused(folder):
    with pytest.raises(UsageError, match="folder:path="):
        load(folder)
    (folder / "list.parquet").write_bytes(b"no parquet")
    with pytest.raises(UsageError, match="cannot read the manifest"):
        load(folder / "list.parquet")


@pytest.mark.shared("speech16")
def test_real_recordings(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    corpus = load(SHARED / "manifest.csv")
    assert corpus.name == "speech16"
    assert corpus.sample_rates == {16000}
    assert not [item for item in corpus.items if item.problem]
    assert all(item.speaker and item.transcript for item in corpus.items)
    assert load(SHARED / "manifest.csv", expected_digest=corpus.digest) == corpus
