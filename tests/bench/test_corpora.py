"""Items, ids, digests and limits, on folders of audio."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from synbench import corpora
from synbench.corpora import Entry
from synbench.corpora._subset import subset
from synbench.errors import UsageError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SYNBENCH_DATA", raising=False)


def write(path: Path, *, seed=0, samples=800, rate=16000, channels=1, subtype="PCM_16"):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (samples, channels) if channels > 1 else samples
    wave = np.random.default_rng(seed).integers(-9000, 9000, shape).astype(np.int16)
    soundfile.write(path, wave, rate, subtype=subtype)
    return path


@pytest.fixture
def speech(tmp_path):
    """Three files of two speakers."""
    folder = tmp_path / "speech"
    write(folder / "anna" / "one.wav", seed=1)
    write(folder / "anna" / "two.flac", seed=2)
    write(folder / "bert" / "one.wav", seed=3, samples=1600)
    (folder / "anna" / "one.txt").write_text("raw text\n")
    (folder / "anna" / "one.normalized.txt").write_text("normalized text\n")
    (folder / "bert" / "one.txt").write_text("bert's text")
    return folder


def load(folder, **more):
    return corpora.load(f"folder:path={folder}", **more)


def test_a_folder_becomes_items(speech):
    corpus = corpora.load(f"folder:path={speech},speaker=parent")
    assert [item.id for item in corpus.items] == ["anna/one", "anna/two", "bert/one"]
    assert [item.speaker for item in corpus.items] == ["anna", "anna", "bert"]
    assert [item.transcript for item in corpus.items] == ["normalized text", "", "bert's text"]
    assert [item.problem for item in corpus.items] == ["", "", ""]
    assert corpus.items[2].seconds == 0.1
    assert corpus.items[0].path == speech / "anna" / "one.wav"
    assert corpus.name == "speech"
    assert corpus.sample_rates == {16000}
    assert corpus.seconds == pytest.approx(0.2)
    assert corpora.load(corpus.spec) == corpus


def test_the_digest_is_about_samples_and_ids_alone(speech, tmp_path):
    digest = load(speech).digest
    assert load(Path(shutil.copytree(speech, tmp_path / "elsewhere" / "moved"))).digest == digest
    wave, rate = soundfile.read(speech / "anna" / "one.wav")
    soundfile.write(speech / "anna" / "one.flac", wave, rate)
    (speech / "anna" / "one.wav").unlink()
    assert load(speech).digest == digest
    wave[5] += 2**-15
    soundfile.write(speech / "anna" / "one.flac", wave, rate)
    assert load(speech).digest != digest


def test_the_digest_ignores_order_and_knows_the_target_rate():
    pairs = [("b", "2"), ("a", "1")]
    digest = corpora.corpus_digest(pairs)
    assert corpora.corpus_digest(reversed(pairs)) == digest
    assert corpora.corpus_digest(pairs, target_rate=16000) != digest


def test_files_that_cannot_be_used_stay_with_a_reason(tmp_path):
    folder = tmp_path / "bad"
    write(folder / "good.wav")
    write(folder / "stereo.wav", channels=2)
    write(folder / "empty.wav", samples=0)
    (folder / "garbage.wav").write_bytes(b"RIFF, but no audio")
    (folder / "nothing.flac").write_bytes(b"")
    soundfile.write(folder / "nan.wav", np.array([0.1, np.nan]), 16000, subtype="FLOAT")
    soundfile.write(folder / "infinite.wav", np.array([0.1, np.inf]), 16000, subtype="FLOAT")
    items = {item.id: item for item in load(folder).items}
    assert items["good"].problem == "" == items["stereo"].problem
    assert items["stereo"].channels == 2
    assert items["empty"].problem.startswith("empty")
    assert items["nan"].problem == "contains NaN"
    assert items["infinite"].problem == "contains infinite samples"
    for name in ("garbage", "nothing"):
        assert "cannot read" in items[name].problem
        assert items[name].sha256.startswith("file:")
        assert (items[name].seconds, items[name].sample_rate) == (0, 0)


def test_hidden_files_and_loops_of_links_are_left_out(speech):
    write(speech / "._one.wav")
    write(speech / ".cache" / "three.wav")
    (speech / "anna" / "loop").symlink_to(speech, target_is_directory=True)
    assert len(load(speech).items) == 3


def test_an_id_twice_is_refused(speech):
    write(speech / "anna" / "one.flac")
    with pytest.raises(UsageError, match=r"anna/one.*one\.flac.*one\.wav"):
        load(speech)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match=rf"{tmp_path} holds no file .*\.flac"):
        load(tmp_path)
    with pytest.raises(UsageError, match="found nothing at"):
        load(tmp_path / "absent")


@pytest.mark.parametrize(
    ("rule", "message"),
    [("'(a'", "one group"), ("a", "0 groups"), ("^(zzz)", "in none of the ids")],
)
def test_a_speaker_rule_that_cannot_work_is_refused(speech, rule, message):
    with pytest.raises(UsageError, match=message):
        corpora.load(f"folder:path={speech},speaker={rule}")


def test_a_speaker_can_come_from_a_regular_expression(speech):
    corpus = corpora.load(f"folder:path={speech},speaker=^(.)")
    assert [item.speaker for item in corpus.items] == ["a", "a", "b"]


def test_another_digest_than_expected_is_explained(speech):
    digest = load(speech).digest
    assert load(speech, expected_digest=digest).digest == digest
    write(speech / "bert" / "one.wav", seed=9)
    write(speech / "bert" / "new.wav", seed=10)
    (speech / "anna" / "two.flac").unlink()
    with pytest.raises(UsageError) as caught:
        load(speech, expected_digest=digest)
    for part in (digest, "absent: anna/two", "added: bert/new", "altered: bert/one", "3 items"):
        assert part in str(caught.value)
    with pytest.raises(UsageError, match="found digest"):
        load(speech, expected_digest="never seen")


def test_a_limit_spreads_over_the_speakers_and_says_so(speech):
    corpus = corpora.load(f"folder:path={speech},speaker=parent", limit=2)
    assert {item.speaker for item in corpus.items} == {"anna", "bert"}
    assert corpus.note == "2 of its 3 utterances"
    assert load(speech, limit=9).note == ""
    with pytest.raises(UsageError, match="at least 1"):
        load(speech, limit=0)


names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6)
listings = st.dictionaries(names, st.sampled_from("abc"), min_size=1, max_size=30).map(
    lambda speakers: [Entry(id=key, path=Path(key), speaker=who) for key, who in speakers.items()]
)


@given(listings, st.integers(1, 35), st.randoms())
def test_a_limit_is_stable_balanced_and_grows(entries, limit, random):
    chosen = subset(entries, limit)
    shuffled = random.sample(entries, len(entries))
    assert subset(shuffled, limit) == chosen
    assert [entry.id for entry in chosen] == sorted(entry.id for entry in chosen)
    assert len(chosen) == min(limit, len(entries))
    assert {e.id for e in chosen} <= {e.id for e in subset(entries, limit + 1)}
    totals = {who: sum(e.speaker == who for e in entries) for who in "abc"}
    taken = {who: sum(e.speaker == who for e in chosen) for who in "abc"}
    rest = [taken[who] for who in "abc" if taken[who] < totals[who]]
    assert not rest or max(taken.values()) <= min(rest) + 1


def test_every_corpus_describes_itself():
    known = ["default", "folder", "librispeech", "librispeech-dummy"]
    known += ["libritts", "manifest", "synthetic", "vctk"]
    assert set(known) <= set(corpora.names())
    for name in known:
        assert corpora.describe(name).startswith(f"{name}: ")
    assert "subset='test-clean'" in corpora.describe("librispeech")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("foldr:path=x", "did you mean folder?"),
        ("zzzz", "there are: common-voice, default, folder"),
        ("folder", "folder:path=..."),
        ("folder:pth=x", "did you mean path?"),
        ("folder:path", "option=value"),
        ("libritts:sample_rate=high", "expects int, got 'high'"),
        ("libritts:sample_rate=48000", "4000 to 24000 Hz"),
        ("librispeech:subset=test-claen", "did you mean test-clean?"),
        ("vctk:split=dev", "test, train, all"),
    ],
)
def test_a_misspelt_spec_gets_a_hint(spec, message):
    with pytest.raises(UsageError) as caught:
        corpora.load(spec)
    assert message in str(caught.value)


def test_a_bare_path_gets_a_hint(speech):
    with pytest.raises(UsageError, match=f"folder:path={speech}"):
        corpora.load(str(speech))


def test_an_installed_package_can_offer_a_corpus(speech, monkeypatch):
    from synbench.corpora import _registry

    class Point:
        def load(self):
            def mine(progress, *, count: int = 1):
                entries = (Entry(id="x", path=speech / "anna" / "one.wav"),)
                return corpora.Listing(name=f"mine{count}", entries=entries, where="nowhere")

            return mine

    monkeypatch.setattr(_registry.registry, "entry_points", {"mine": Point()})
    assert corpora.load("mine:count=2").name == "mine2"
    assert "mine" in corpora.names()
