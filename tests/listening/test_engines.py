"""Whole sessions in Firefox and in WebKit, by mouse, by touch and by keyboard."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engines import Engine, absent, launched

from synbench_listening.design.session_plan import PlanPage
from synbench_listening.design.study import Listening
from synbench_listening.design.study_folder import StudyFolder

BRIEF = Listening(minimum_share=0.1)
SIZES = {"desktop": (1366, 650), "phone": (375, 667)}
HALF_HANDLE = 14


@pytest.fixture(params=["firefox", "webkit"])
def engine_name(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if missing := absent(name):
        pytest.skip(missing)
    return name


@pytest.fixture(params=list(SIZES))
def engine(engine_name: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    with launched(engine_name, *SIZES[str(request.param)]) as made:
        yield made


class Hand:
    """Goes through a session; where no slider is touched by hand, keys do it."""

    def __init__(self, engine: Engine, server: Any, how: str) -> None:
        self.engine, self.server, self.how = engine, server, how

    def press_main(self) -> None:
        self.engine.wait("!!document.querySelector('button.main:enabled')")
        self.engine.click("button.main:enabled", touch=self.how == "touch")

    def begin(self, path: str) -> None:
        self.engine.goto(self.server.url + path)
        self.press_main()
        self.engine.click(".play.large", touch=self.how == "touch")
        self.press_main()
        self.until(lambda: bool(self.server.sessions))

    def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(self.engine.evaluate("document.body.innerText"))
            time.sleep(0.1)

    def hear(self, place: int) -> None:
        self.engine.click(".play", place, touch=self.how == "touch")
        self.engine.wait(
            f"document.querySelectorAll('.heard')[{place}].classList.contains('enough')"
        )

    def grade(self, position: int, share: float) -> None:
        """By the place that a hand would press, or by keys."""
        if self.how == "keyboard":
            # The slider that is heard takes the arrows, wherever the focus is.
            self.engine.press("End" if share == 1 else "Home")
            self.engine.press(*["ArrowUp"] * round(0 if share == 1 else share * 10))
            return
        left, top, width, height = self.engine.box(".slider", position)
        middle = (left + width / 2, top + height / 2)
        if height > width:
            end = (middle[0], top + HALF_HANDLE + (height - 2 * HALF_HANDLE) * (1 - share))
        else:
            end = (left + HALF_HANDLE + (width - 2 * HALF_HANDLE) * share, middle[1])
        # A drag from the middle; the grade is where it ends.
        self.engine.pointer(middle, end, touch=self.how == "touch")

    def mushra(self, plan: PlanPage, shares: list[float]) -> None:
        self.engine.wait("document.querySelectorAll('.slider').length > 0")
        self.hear(0)
        for position in range(len(plan.stimuli)):
            self.hear(position + 1)
            self.grade(position, shares[position])
        self.keep()
        self.press_main()
        self.until(lambda: plan.n in self.server.answers)

    def keep(self) -> None:
        folder = os.environ.get("SYNBENCH_SCREENSHOTS")
        if folder:
            width = self.engine.evaluate("innerWidth")
            place = Path(folder) / f"{self.engine.name}-{width}-{self.how}.png"
            place.write_bytes(self.engine.screenshot())


@pytest.mark.slow
@pytest.mark.parametrize("how", ["mouse", "touch", "keyboard"])
def test_a_mushra_session(
    engine: Engine, study_by_hand: Callable[..., StudyFolder], serve: Any, how: str
) -> None:
    if how == "touch" and engine.name == "webkit":
        pytest.skip("WebKitWebDriver has no touch")
    # An odd number of 24-bit samples: the data have an odd size.
    server = serve(study_by_hand(listening=BRIEF, sample_rate=16000))
    hand = Hand(engine, server, how)
    hand.begin("/s/by-hand")
    engine.wait("!!document.querySelector('form input')")
    engine.click("form input")
    engine.press(*"33")
    hand.press_main()
    hand.until(lambda: 1 in server.answers)
    shares = [0.2, 1.0, 0.0, 0.63]
    for plan in server.plan.pages[2:4]:
        overflow = engine.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0
        hand.mushra(plan, shares)
    hand.until(lambda: server.state == "finished")
    for n in (2, 3):
        scores = [rating.score for rating in server.answers[n].answer.ratings]
        wanted = [2, 100, 0, 6] if how == "keyboard" else [100 * share for share in shares]
        # A pixel of the slider is less than one point on a desk, and about one on a phone.
        assert scores == pytest.approx(wanted, abs=0 if how == "keyboard" else 1.0)


@pytest.mark.slow
def test_clips_of_odd_size_and_choices(
    engine_name: str, build: Callable[..., StudyFolder], serve: Any
) -> None:
    """An odd number of 24-bit samples needs a pad byte, which no decoder trips over any more."""
    folder = build(
        test="abx", systems=["codec-a"], items={"count": 1, "only": ["item-3"]},
        pages=["trials", "finish"], listening={"minimum_share": 0.1}, languages=["de"],
    )  # fmt: skip
    server = serve(folder)
    with launched(engine_name, 1366, 650) as engine:
        hand = Hand(engine, server, "mouse")
        hand.begin("/s/made")
        block = server.key.block(server.block)
        for plan in server.plan.pages[:-1]:
            for place in range(3):
                hand.hear(place)
            engine.click(".option", block.pages[plan.n].x or 0)
            hand.press_main()
            hand.until(lambda n=plan.n: n in server.answers)
            assert server.answers[plan.n].answer.choice == block.pages[plan.n].x
        hand.until(lambda: server.state == "finished")
