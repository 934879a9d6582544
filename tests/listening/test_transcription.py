"""Transcription: nobody hears a sentence twice, words are counted as those of recognisers are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from test_simulated_listener import panel

from synbench.errors import UsageError
from synbench_base.errors import NotApplicable
from synbench_listening.analysis.intelligibility import intelligibility_table
from synbench_listening.answers.ratings import Rating, write_ratings
from synbench_listening.answers.session_ratings import session_ratings
from synbench_listening.answers.submission import TranscriptionAnswer, find_problems
from synbench_listening.answers.verdict import too_little_span
from synbench_listening.answers.words import score_words
from synbench_listening.commands.group import listen
from synbench_listening.design.session_plan import plan_session
from synbench_listening.design.study_folder import StudyFolder
from synbench_reports.commands.figures import figures

pytest.importorskip("jiwer", reason="no jiwer: pip install 'synbench[metrics]'")
pytest.importorskip("whisper_normalizer", reason="no whisper-normalizer: synbench[metrics]")
Build = Callable[..., StudyFolder]
TEST = {"test": "transcription", "pages": ["trials", "finish"]}


@pytest.mark.parametrize(
    ("said", "written", "words", "hits", "errors"),
    [
        ("Don\u2019t go there!", "do not GO there", 4, 4, 0),
        ("He paid twenty five dollars.", "he paid $25", 3, 3, 0),
        ("The grey cat slept.", "a gray cat slept soundly", 4, 3, 2),
        ("One two three", "", 1, 0, 1),
        ("the ship sails", "the sheep", 3, 1, 2),
    ],
)
def test_words_are_counted(said: str, written: str, words: int, hits: int, errors: int) -> None:
    # Counted by hand, in the normaliser's forms: "don't" is two words, "twenty five dollars" one,
    # and so is "one two three", a number.
    counted = score_words(said=said, written=written)
    assert (counted.words, counted.hits, counted.errors) == (words, hits, errors)
    assert counted.percent == pytest.approx(100 * hits / words)


def test_nothing_said_cannot_be_scored() -> None:
    with pytest.raises(NotApplicable):
        score_words(said="...", written="anything")


def test_every_sentence_is_heard_once_and_over_the_listeners_in_every_form(build: Build) -> None:
    folder = build(**TEST, items={"count": 3}, systems=["codec-a", "codec-b"])
    key = folder.key()
    heard: Counter[tuple[str, str]] = Counter()
    for block in key.blocks:
        items = [page.item for page in block.pages if page.kind == "transcription"]
        assert len(items) == len(set(items)) == 3
        mine = Counter(key.stimuli[page.stimuli[0]].condition for page in block.pages[:-1])
        assert mine == {"reference": 1, "Codec-A": 1, "Codec-B": 1}
        heard.update(
            (page.item, key.stimuli[page.stimuli[0]].condition) for page in block.pages[:-1]
        )
    assert len(heard) == 9 and len(set(heard.values())) == 1
    # What is said stays with the experimenter.
    plan, _ = plan_session(key, key.blocks[0])
    for text in (plan.model_dump_json(), (folder.path / "study.json").read_text()):
        assert "Sentence" not in text


def test_answers_are_checked_and_become_word_scores(build: Build) -> None:
    folder = build(**TEST, items={"count": 2, "only": ["item-1", "item-2"]}, systems=["codec-a"],
                   listening={"minimum_share": 1.0, "most_plays": 2})  # fmt: skip
    key, public = folder.key(), folder.public()
    block = key.blocks[0]
    plan, _ = plan_session(key, block)
    page = plan.pages[0]
    seconds = page.stimuli[0].samples / plan.sample_rate

    def answer(text: str, plays: int = 1, heard: float = seconds) -> Any:
        entry = {"position": 0, "plays": plays, "seconds": heard}
        return TranscriptionAnswer(kind="transcription", text=text, heard=(entry,))

    assert find_problems(page, answer("x", plays=3), public) == ["played_too_often"]
    assert find_problems(page, answer("x", heard=0.1), public) == ["unheard"]
    assert find_problems(page, answer("", plays=2), public) == []
    said = key.stimuli[block.pages[0].stimuli[0]].transcript
    given = {0: answer(said.upper()), 1: answer("=HYPERLINK()")}
    first, second = session_ratings(
        key, public, block=block.name, session="s", answers=given, simulated=False
    )
    assert (first.score, first.word_errors) == (100, 0)
    assert first.words == score_words(said=said, written="").words
    assert (second.score, second.answer) == (0, "=HYPERLINK()")
    assert too_little_span(block, given, scale=public.scale) is False
    many = block.model_copy(update={"pages": block.pages[:1] * 6})
    same = {n: answer("asdf") for n in range(6)}
    assert too_little_span(many, same, scale=public.scale)


def test_what_makes_no_sense_is_refused(build: Build) -> None:
    for design, message in (
        ({"replicates": 1}, "who has heard a sentence knows it"),
        ({"gold_trials": 1}, "no gold_trials"),
        ({"test": "acr", "listening": {"most_plays": 1}}, "most_plays is for transcription"),
    ):
        with pytest.raises(UsageError, match=message):
            build(**TEST | {"items": {"count": 2}} | design)


def test_a_panel_understands_more_of_the_better_system(build: Build, tmp_path: Path) -> None:
    folder = build(**TEST, items={"count": 4})
    ratings: list[Rating] = []
    for number, (block, answers) in enumerate(panel(folder, 24)):
        ratings += session_ratings(
            folder.key(), folder.public(), block=block, session=f"s{number:02d}", answers=answers,
            simulated=True,
        )  # fmt: skip
    table = tmp_path / "ratings.csv"
    write_ratings(table, ratings)
    out = tmp_path / "tables"
    CliRunner().invoke(listen, ["analyse", str(table), "--out", str(out)], catch_exceptions=False)
    rows = intelligibility_table(ratings, ["Codec-A", "Codec-C"]).rows  # type: ignore[union-attr]
    assert rows[0]["percent"] > rows[1]["percent"]
    for row in rows:
        mine = [rating for rating in ratings if rating.condition == row["condition"]]
        words = sum(rating.words or 0 for rating in mine)
        # All words together, not the mean of the sentences.
        hits = sum(rating.score / 100 * (rating.words or 0) for rating in mine)
        assert row["percent"] == pytest.approx(100 * hits / words)
        assert row["low"] < row["percent"] < row["high"]
        assert row["low_items"] < row["percent"] < row["high_items"]
        assert row["wer"] == pytest.approx(100 - row["percent"])
    names = {path.name for path in out.iterdir()}
    assert {"conditions.csv", "intelligibility.csv", "pairs.csv"} <= names
    scores = str(out / "conditions.csv")
    CliRunner().invoke(figures, [scores, "--format", "svg"], catch_exceptions=False)
    drawn = next(out.glob("*.svg")).read_text()
    assert "words understood (%)" in drawn
    assert "OF SIMULATED LISTENERS: no human gave them" in drawn


def test_intervals_are_over_listeners_and_over_items() -> None:
    """Where every listener's share is the same, they are sure and the items are not."""
    ratings = [
        Rating(session=f"s{who}", listener=f"l{who}", test="transcription", item=f"i{item}",
               condition="c", score=100.0 * (item % 2), answer="x", words=4,
               word_errors=4 * (1 - item % 2))
        for who in range(6)
        for item in range(8)
    ]  # fmt: skip
    (row,) = intelligibility_table(ratings, ["c"]).rows  # type: ignore[union-attr]
    assert (row["percent"], row["wer"]) == (50, 50)
    assert (row["low"], row["high"]) == (50, 50)
    shares = np.array([0, 100] * 4)
    half = 2.364624 * shares.std(ddof=1) / np.sqrt(8)
    assert row["high_items"] - 50 == pytest.approx(half, rel=1e-4)
