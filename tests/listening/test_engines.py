"""Whole sessions of every kind in Chromium, Firefox and WebKit, by mouse, touch and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from engines import absent, launched
from whole_session import Hand, How

from synbench_listening.design.study import Listening
from synbench_listening.design.study_folder import StudyFolder

SIZES = {"desktop": (1366, 650), "phone": (375, 667)}
KINDS = (
    "mushra", "mushra1s", "bs1116", "abx", "ab", "acr", "dcr", "ccr", "effort", "transcription",
)  # fmt: skip
ENGINES = ("chromium", "firefox", "webkit")
CHECKS = (("headphones",), ("environment",), ("digits",))
HOWS: tuple[How, ...] = ("mouse", "touch", "keyboard")
QUESTIONS = [
    {"name": "age", "label": {"en": "Age", "de": "Alter"}, "type": "number"},
    {"name": "hearing", "label": {"en": "Normal hearing?", "de": "Hören Sie normal?"},
     "type": "choice", "choices": [{"en": "yes", "de": "ja"}, {"en": "no", "de": "nein"}]},
]  # fmt: skip


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if missing := absent(name):
        pytest.skip(missing)
    return name


@pytest.mark.slow
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("size", list(SIZES))
def test_grades_are_where_the_hand_put_them(
    engine_name: str, study_by_hand: Callable[..., StudyFolder], serve: Any, how: How, size: str
) -> None:
    if how == "touch" and engine_name == "webkit":
        pytest.skip("WebKitWebDriver has no touch")
    # An odd number of 24-bit samples: the data have an odd size.
    server = serve(study_by_hand(listening=Listening(minimum_share=0.1), sample_rate=16001))
    with launched(engine_name, *SIZES[size]) as engine:
        hand = Hand(engine, server, how)
        hand.go_through("/s/by-hand")
    assert hand.overflow <= 0
    for n in (2, 3):
        scores = {rating.position: rating.score for rating in server.answers[n].answer.ratings}
        # A pixel of the slider is less than one point on a desk, and about one on a phone.
        close = 0 if how == "keyboard" else 1.0
        assert scores == pytest.approx(hand.scores[n], abs=close)


def spoken_digits(folder: Path) -> Path:
    """Recordings to choose from, one for each digit."""
    for digit in range(10):
        noise = np.random.default_rng(digit).normal(0, 0.1, 4800)
        soundfile.write(folder / f"{digit}.wav", noise, 16000)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("test", KINDS)
def test_a_whole_session_of_every_kind(
    engine_name: str, build: Callable[..., StudyFolder], serve: Any, test: str, tmp_path: Path
) -> None:
    """Hand, size, language and checks take turns: each kind meets in some engine each hand and both
    sizes and languages, each engine meets them all, and each check each hand in each engine."""
    number, turn = KINDS.index(test), ENGINES.index(engine_name)
    how = HOWS[(number + turn) % 3]
    if how == "touch" and engine_name == "webkit":
        how = "mouse"
    size = ("desktop", "phone")[(number // 3 + turn) % 2]
    language = ("en", "de")[(number + turn) % 2]
    checks = CHECKS[(number // 3) % len(CHECKS)]
    folder = build(
        test=test,
        systems=["codec-a", "codec-b"] if test in ("ab", "mushra") else ["codec-a"],
        items={"count": 2, "maximum_seconds": 1.55},
        languages=["en", "de"],
        questionnaire=QUESTIONS,
        headphones={"trials": 3, "needed": 3},
        environment={"trials": 2, "needed": 2},
        digits={"trials": 2, "needed": 2, "folder": str(spoken_digits(tmp_path))},
        pages=["consent", "questionnaire", "volume", *checks, "training", "trials", "finish"],
        attention_checks=int("headphones" in checks),
        two_ear_checks=int("digits" in checks),
        break_after=2,
        traps=1 if test in ("acr", "dcr", "effort") else 0,
        listening={"minimum_share": 0.3},
        completion_code="C0DE",
    )  # fmt: skip
    server = serve(folder)
    with launched(engine_name, *SIZES[size], language=language) as engine:
        hand = Hand(engine, server, how)
        hand.go_through("/s/made", language)
        assert "C0DE" in engine.evaluate("document.body.innerText")
        shown = engine.evaluate("document.documentElement.lang")
    assert hand.overflow <= 0
    assert shown == language
    answers = {n: sent.answer for n, sent in server.answers.items()}
    rated = [page.n for page in server.plan.pages if page.kind == test]
    assert rated and all(answers[n].kind == test for n in rated)
    passed = server._rows("SELECT kind, passed FROM check_result")
    with_ears = {"ears"} if "digits" in checks else set()
    assert {kind for kind, _ in passed} >= {*checks, *with_ears}
    assert all(right for _, right in passed), passed
    block = server.key.block(server.block)
    for n in rated:
        if test == "abx":
            assert answers[n].choice == block.pages[n].x
        if test == "transcription":
            assert answers[n].text == "some words"
