"""Word errors: counts, corpus rate, empty references, normaliser; PocketSphinx on real speech."""

import json

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from synbench_metrics import NotApplicable, load, score, score_batch
from synbench_metrics import word_errors as words
from synbench_metrics.word_errors import count_errors

pytest.importorskip("jiwer", reason="pip install 'synbench[metrics]'")
pytest.importorskip("whisper_normalizer", reason="pip install 'synbench[metrics]'")

TEN = "one by one the long ships came out of fog"


def test_a_corpus_rate_is_no_mean_of_rates():
    """The two-line list: 1 error in 11 words, not the mean of 0 and 1."""
    rows = [
        count_errors(reference=TEN, hypothesis=TEN, unit="words"),
        count_errors(reference="a", hypothesis="b", unit="words"),
    ]
    values, weights = (
        np.array([getattr(row, name) for row in rows]) for name in ("value", "weight")
    )
    assert np.average(values, weights=weights) == pytest.approx(1 / 11, abs=1e-12)
    assert np.mean(values) == 0.5
    assert load("wer_pocketsphinx_english").info.pooling == "weighted_mean"


def edits(said: list[str], heard: list[str]) -> int:
    """Levenshtein distance by the book."""
    row = list(range(len(heard) + 1))
    for row_index, word in enumerate(said, start=1):
        before, row[0] = row[0], row_index
        for other, heard_word in enumerate(heard, start=1):
            before, row[other] = (
                row[other],
                min(row[other] + 1, row[other - 1] + 1, before + (word != heard_word)),
            )
    return row[-1]


some_words = st.lists(st.sampled_from(["red", "boat", "sails", "north"]), max_size=6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(said=some_words.filter(bool), heard=some_words)
def test_errors_are_the_edit_distance(said, heard):
    measured = count_errors(reference=" ".join(said), hypothesis=" ".join(heard), unit="words")
    assert measured.weight == len(said)
    assert round(measured.value * measured.weight) == edits(said, heard)
    counts = measured.details
    errors = sum(counts[name] for name in ("substitutions", "deletions", "insertions"))
    assert errors == edits(said, heard)
    assert counts["hits"] + counts["substitutions"] + counts["deletions"] == len(said)


def test_characters_count_spaces():
    errors = count_errors(reference="a boat", hypothesis="a coat", unit="characters")
    assert (errors.value, errors.weight) == (1 / 6, 6.0)


@pytest.mark.parametrize("reference", ["", "   ", "...", "[noise]"])
def test_an_empty_reference_has_no_rate(reference):
    """The library would return the number of insertions."""
    with pytest.raises(NotApplicable, match="no word"):
        count_errors(reference=reference, hypothesis="two words", unit="words")


def test_an_empty_hypothesis_is_all_deletions():
    errors = count_errors(reference="two words", hypothesis="", unit="words")
    assert (errors.value, errors.details["deletions"]) == (1.0, 2)


@pytest.mark.parametrize(
    ("reference", "hypothesis"),
    [
        ("MISTER QUILTER'S MANNER", "Mr. Quilter's manner."),
        ("I won't do it", "i will not do it"),
        ("twenty five colours", "25 colors"),
    ],
)
def test_the_normaliser_forgives_spelling(reference, hypothesis):
    assert count_errors(reference=reference, hypothesis=hypothesis, unit="words").value == 0.0


@pytest.fixture
def heard(monkeypatch):
    """A recogniser that says what it is told, and counts how often it is asked."""
    asked = []

    def transcripts(recogniser, waves):
        asked.append(len(waves))
        return ["a boat sails" if wave[0] > 0 else "a goat sails" for wave in waves]

    monkeypatch.setattr(words, "transcripts", transcripts)
    return asked


def test_a_batch_has_the_counts_of_single_waves(heard, synthetic):
    metric = load("dwer_pocketsphinx_english")
    reference = synthetic(16000).reference.copy()
    first, second = reference.copy(), reference.copy()
    reference[0], first[0], second[0] = 0.1, 0.1, -0.1
    outcomes = score_batch(
        metric, reference=reference, degraded=[first, second, first[:-1]], sample_rate=16000
    )
    assert [outcome.value for outcome in outcomes] == [0.0, pytest.approx(1 / 3), None]
    assert outcomes[2].status == "failed"
    assert outcomes[1].details["hypothesis"] == "a goat sails"
    single = score(metric, reference=reference, degraded=second, sample_rate=16000)
    assert single == outcomes[1]


def test_pocketsphinx_hears_read_speech(available, truth_folder):
    """The corpus's own transcript, with one slip at most."""
    metric = available("wer_pocketsphinx_english")
    manifest = truth_folder.parent / "speech16"
    name, said = (
        "codec_bigcodec__1580-141083-0013.flac",
        "ABOVE ALL THINGS I DESIRE TO SETTLE THE MATTER QUIETLY AND DISCREETLY",
    )
    if not (manifest / name).is_file():
        pytest.skip("read speech (../shared/speech16) is not beside the repository")
    wave, rate = soundfile.read(manifest / name)
    clean = score(metric, degraded=wave, sample_rate=rate, transcript=said)
    assert clean.value <= 1 / 12
    assert clean.weight == 12
    assert json.dumps(dict(clean.details))
    # What was heard before must not change what is heard now.
    from synbench_metrics import _remember

    _remember.forget()
    assert score(metric, degraded=wave, sample_rate=rate, transcript=said) == clean


def test_every_column_names_measure_recogniser_and_normaliser():
    for measure in ("wer", "cer", "dwer"):
        for recogniser in ("pocketsphinx", "whisper_large_v3", "whisper_small"):
            info = load(f"{measure}_{recogniser}_english").info
            assert "English normaliser of whisper_normalizer" in info.mode
            assert info.needs == {"reference" if measure == "dwer" else "transcript"}
            assert info.languages == ("en",)


@pytest.mark.parametrize(
    ("language", "reference", "hypothesis", "unit", "errors"),
    [
        # By the words themselves: no English spelling, numbers or contractions.
        ("de", "Die Straße ist 20 Meter lang!", "die straße ist 20 meter lang", "words", 0),
        ("de", "Er mag colours", "er mag colors", "words", 1),
        ("fr", "L\u2019été, c'est fini.", "l'été c'est fini", "words", 0),
        ("fr", "été", "ete", "characters", 2),
        ("hi", "हिन्दी", "हन्दी", "characters", 1),
        ("zh", "你好\uff0c世界。", "你 好 世 间", "characters", 1),
        ("ja", "がっこう", "かっこう", "characters", 1),
    ],
)
def test_other_languages_are_compared_as_they_are_written(
    language, reference, hypothesis, unit, errors
):
    counted = count_errors(
        reference=reference, hypothesis=hypothesis, unit=unit, language=language
    ).details
    assert counted["substitutions"] + counted["deletions"] + counted["insertions"] == errors


def test_an_english_column_has_no_score_of_another_language(heard, synthetic):
    wave = synthetic(16000).reference
    metric = load("wer_pocketsphinx_english")
    given = {"degraded": wave, "sample_rate": 16000, "transcript": "a boat sails"}
    for language in ("", "en", "en-GB", "English"):
        assert score(metric, **given, language=language).status == "ok"
    outcome = score(metric, **given, language="de-AT")
    assert outcome.status == "not_applicable" and "is for en, the item is in de" in outcome.reason
    (outcome,) = score_batch(metric, **{**given, "degraded": [wave]}, language="deu")
    assert outcome.status == "not_applicable"


def test_a_column_by_language_is_told_which(monkeypatch, synthetic):
    told = []

    def transcripts(recogniser, waves):
        told.append(recogniser)
        return ["ein Boot"] * len(waves)

    monkeypatch.setattr(words, "transcripts", transcripts)
    given = {"degraded": synthetic(16000).reference, "sample_rate": 16000}
    metric = load("wer_whisper_small_multilingual")
    assert score(metric, **given, transcript="Ein Boot.", language="German").value == 0
    assert told == ["whisper_small:de"]
    outcome = score(metric, **given, transcript="Ein Boot.")
    assert outcome.status == "not_applicable" and "names no language" in outcome.reason
    outcome = score(metric, **given, transcript="船", language="zh-CN")
    assert outcome.status == "not_applicable" and "cer_*_multilingual" in outcome.reason
    characters = load("cer_whisper_small_multilingual")
    assert score(characters, **given, transcript="船", language="zh").status == "ok"
