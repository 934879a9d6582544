"""Texts that read the same cost the same, whatever they were typed with."""

from __future__ import annotations

import unicodedata

import pytest

from synbench_metrics import other_scripts
from synbench_metrics._written_text import normalised

pytest.importorskip("whisper_normalizer", reason="pip install 'synbench[metrics]'")
pytest.importorskip("jiwer", reason="pip install 'synbench[metrics]'")

from synbench_metrics.word_errors import count_errors


@pytest.mark.parametrize(
    ("plain", "typed"),
    [
        ("I don't know what it's for", "I don\u2019t know what it\u2019s for"),
        ("we can't", "we can\u02bct"),
        ("rock 'n' roll", "rock \u2018n\u2019 roll"),
        ("cooperate now", "co\u00adoper\u200bate now"),
        ("hello world", "\ufeffhello\u2060 wor\u200dld"),
        ("café", unicodedata.normalize("NFD", "café")),
        ("ten words", "ten\u00a0words"),
    ],
)
def test_what_reads_the_same_is_the_same(plain: str, typed: str) -> None:
    errors = count_errors(reference=plain, hypothesis=typed, unit="words")
    assert errors.value == 0
    assert errors.details["reference"] == errors.details["hypothesis"]
    assert "other_scripts" not in errors.details


@pytest.mark.parametrize(
    ("one", "other", "script"),
    [
        ("हिन्दी", "हन्द", "Devanagari"),  # vowel signs are the difference
        ("がき", "かき", "Hiragana"),
        ("мой", "мои", "Cyrillic"),
        ("కి", "కు", "Telugu"),
    ],
)
def test_vowel_signs_of_other_scripts_count(one: str, other: str, script: str) -> None:
    errors = count_errors(reference=f"{one} x", hypothesis=f"{other} x", unit="words")
    assert errors.value == 0.5
    assert errors.details["reference"] == f"{one} x"
    assert errors.details["other_scripts"] == script
    assert count_errors(reference=one, hypothesis=one, unit="characters").value == 0


def test_the_normaliser_itself_is_left_as_it_is() -> None:
    """On text of a typewriter nothing changes."""
    from whisper_normalizer.english import EnglishTextNormalizer

    whisper = EnglishTextNormalizer()
    for text in (
        "Mr. Smith isn't here; he'll arrive at 5:30 p.m. on January 2nd!",
        "The colour of naïve résumés cost $3.50, or twenty-one pounds.",
        "(inaudible) um, well... we've GOT 1,000 reasons",
    ):
        assert normalised(text, whisper) == whisper(text).strip()


def test_scripts_are_named() -> None:
    assert other_scripts("plain café ªº 12 \uff21\uff22") == ()
    assert other_scripts("да, 漢字 और") == ("Cyrillic", "Devanagari", "Han")
