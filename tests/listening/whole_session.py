"""A hand that goes through any session in any engine: by mouse, by touch or by keyboard alone.

It reads the page as a listener does, and knows from the study's key what the checks want to hear.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from engines import PATIENCE_SECONDS, Engine

from synbench_listening.design.session_plan import REFERENCE, PlanPage
from synbench_listening.design.study_folder import BlockPage

How = Literal["mouse", "touch", "keyboard"]
# Half of a slider's handle, in CSS px: the ends of its scale lie that far inside.
HALF_HANDLE = 14
# Of silence, after which a listener presses Play once more.
PRESS_AGAIN_SECONDS = 8.0
ON_SLIDERS = ("mushra", "mushra1s", "bs1116")

__all__ = ["Hand", "How"]


class Hand:
    """Answers pages; ``answered`` says what was meant, by page."""

    def __init__(self, engine: Engine, server: Any, how: How) -> None:
        self.engine, self.server, self.how = engine, server, how
        self.overflow = 0
        self.scores: dict[int, dict[int, float]] = {}

    def go_through(self, path: str, language: str = "") -> None:
        """From the address to the last page; in a language that the first page offers."""
        self.begin(path, language)
        for page in self.server.plan.pages[:-1]:
            self.answer(page)
        self.until(lambda: self.server.state == "finished")
        self.engine.wait("!!document.querySelector('.card h1')")
        self.keep("finish")

    def begin(self, path: str, language: str = "") -> None:
        before = len(self.server.sessions)
        self.engine.goto(self.server.url + path)
        self.engine.wait("!!document.querySelector('button.main')")
        if language and self.engine.evaluate("document.documentElement.lang") != language:
            # A browser of another language: the list of the first page changes it.
            self.engine.evaluate(
                f"(() => {{ const e = document.querySelector('select'); e.value = '{language}';"
                "e.dispatchEvent(new Event('change')); return 1; })()"
            )
            self.engine.wait(f"document.documentElement.lang === '{language}'")
        self.keep("consent")
        self.press_main()
        if self.server.public.sound_test:
            self.use_until(".play.large", 0, "!!document.querySelector('button.main:enabled')")
            self.keep("sound")
            self.press_main()
        self.until(lambda: len(self.server.sessions) > before)

    def answer(self, page: PlanPage) -> None:
        block = self.server.key.block(self.server.block).pages[page.n]
        if page.kind != "consent":
            getattr(self, page.kind, self.trial)(page, block)
        self.until(lambda: page.n in self.server.answers)

    # Pages that are no trials

    def instructions(self, page: PlanPage, block: BlockPage) -> None:
        self.keep("instructions")
        self.press_main()

    def __getattr__(self, name: str) -> Any:
        if name == "break":
            return lambda page, block: self.press_main()
        raise AttributeError(name)

    def questionnaire(self, page: PlanPage, block: BlockPage) -> None:
        self.engine.wait("!!document.querySelector('form input, form select')")
        self.keep("questionnaire")
        for question in self.server.public.questionnaire:
            quoted = json.dumps(question.name)
            index = [q.name for q in self.server.public.questionnaire].index(question.name)
            selector = "form input, form select, form textarea"
            if question.type == "choice":
                # A list of the system cannot be pressed from outside in every engine.
                self.focus(selector, index)
                self.engine.press("ArrowDown")
                chosen = f"document.querySelectorAll('{selector}')[{index}].value"
                if self.engine.evaluate(chosen) == "":
                    self.engine.evaluate(
                        f"(() => {{ const e = document.querySelectorAll('{selector}')[{index}];"
                        f"e.value = '0'; e.dispatchEvent(new Event('change')); return {quoted};"
                        "})()"
                    )
            else:
                self.focus(selector, index)
                self.engine.press(*("33" if question.type == "number" else "words"))
        self.press_main()

    def volume(self, page: PlanPage, block: BlockPage) -> None:
        self.use(".play")
        self.engine.wait("!!document.querySelector('button.main:enabled')")
        self.keep("volume")
        self.press_main()

    def headphones(self, page: PlanPage, block: BlockPage) -> None:
        for number, name in enumerate(block.stimuli, start=1):
            self.counted(number)
            self.use(".play")
            self.choose_when_heard(self.right(name), "headphones")

    def environment(self, page: PlanPage, block: BlockPage) -> None:
        for pair in range(len(block.stimuli) // 2):
            self.counted(pair + 1)
            seconds = page.stimuli[2 * pair].samples / self.server.key.sample_rate
            # The second press would cut the first recording short: each is let run to its end.
            for side in itertools.chain.from_iterable(itertools.repeat((0, 1), 8)):
                self.use(".play", side)
                time.sleep(seconds + 0.5)
                self.engine.wait("!document.querySelector('.play[aria-pressed=true]')")
                if side and self.engine.evaluate("!!document.querySelector('.choice:enabled')"):
                    break
            self.choose_when_heard(self.right(block.stimuli[2 * pair]), "environment")

    def digits(self, page: PlanPage, block: BlockPage) -> None:
        for number, name in enumerate(block.stimuli, start=1):
            self.counted(number)
            self.use(".play")
            self.engine.wait("!!document.querySelector('input.digits:enabled')")
            self.keep("digits")
            self.focus("input.digits")
            self.engine.press(*self.server.key.stimuli[name].transcript)
            self.press_main()

    def attention(self, page: PlanPage, block: BlockPage) -> None:
        self.engine.wait("document.querySelectorAll('.choice').length === 6")
        self.use(".play")
        self.choose_when_heard(self.right(block.stimuli[0]) - 1, "attention")

    def right(self, name: str) -> int:
        return int(self.server.key.stimuli[name].answer)

    def counted(self, number: int) -> None:
        self.engine.wait(
            f"(document.querySelector('.count')?.innerText ?? '').includes(' {number} ')"
        )

    def choose_when_heard(self, index: int, name: str) -> None:
        self.engine.wait("!!document.querySelector('.choice:enabled')")
        self.keep(name)
        self.use(".choice", index)

    # Trials

    def trial(self, page: PlanPage, block: BlockPage) -> None:
        self.engine.wait("!!document.querySelector('.trial .play')")
        self.overflow = max(
            self.overflow,
            int(self.engine.evaluate("document.documentElement.scrollWidth - innerWidth")),
        )
        positions = ([REFERENCE] if page.reference else []) + list(range(len(page.stimuli)))
        for index, position in enumerate(positions):
            self.hear(index)
            if page.kind in ON_SLIDERS and position >= 0:
                best = self.server.key.stimuli[block.stimuli[position]].role == "hidden_reference"
                self.grade(page, position, 1.0 if best else 0.25)
        if page.kind == "transcription":
            self.focus(".written")
            self.engine.press(*"some words")
        elif page.kind not in ON_SLIDERS:
            self.choose(page, block)
        self.keep(f"{page.kind}-trial")
        self.press_main()

    def hear(self, index: int) -> None:
        enough = f"document.querySelectorAll('.heard')[{index}].classList.contains('enough')"
        self.use_until(".trial .play", index, enough)

    def grade(self, page: PlanPage, position: int, share: float) -> None:
        low, high = self.server.public.scale
        step = self.server.public.scale_step
        if self.how == "keyboard":
            # The slider that is heard takes the keys, wherever the focus is.
            self.engine.press("End" if share == 1 else "Home")
            steps = 0 if share == 1 else 10
            self.engine.press(*["ArrowUp"] * steps)
            self.scores.setdefault(page.n, {})[position] = (high if share == 1 else low) + (
                steps * step
            )
            return
        left, top, width, height = self.engine.box(".slider", position)
        middle = (left + width / 2, top + height / 2)
        if height > width:
            end = (middle[0], top + HALF_HANDLE + (height - 2 * HALF_HANDLE) * (1 - share))
        else:
            end = (left + HALF_HANDLE + (width - 2 * HALF_HANDLE) * share, middle[1])
        # A drag from the middle; the grade is where it ends.
        self.engine.pointer(middle, end, touch=self.how == "touch")
        self.scores.setdefault(page.n, {})[position] = low + share * (high - low)

    def choose(self, page: PlanPage, block: BlockPage) -> None:
        index = 1
        if page.kind == "abx":
            index = block.x or 0
        elif block.check == "trap" and block.expected:
            index = round(self.server.public.scale[1] - block.expected[0])
        self.engine.wait("!!document.querySelector('fieldset:enabled .option')")
        if self.how == "keyboard":
            self.focus(".option input")
            self.engine.press_focused()
            self.engine.press(*["ArrowDown"] * index)
        else:
            self.engine.click(".option", index, touch=self.how == "touch")

    # Fingers

    def use(self, selector: str, index: int = 0) -> None:
        """Press a button: at its place on the screen, or by Tab and Enter."""
        quoted = json.dumps(selector)
        self.engine.wait(f"document.querySelectorAll({quoted}).length > {index}")
        if self.how == "keyboard":
            self.focus(selector, index)
            self.engine.press_focused()
        else:
            self.engine.click(selector, index, touch=self.how == "touch")

    def use_until(self, selector: str, index: int, condition: str) -> None:
        """Press, and once more where nothing sounds and nothing has come of it.

        A machine that is too busy makes two presses of one, and the second stops the sound.
        """
        playing = "!!document.querySelector('.play[aria-pressed=true]')"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self.use(selector, index)
            quiet_since = time.monotonic()
            while time.monotonic() < quiet_since + PRESS_AGAIN_SECONDS:
                if self.engine.evaluate(condition):
                    return
                if self.engine.evaluate(playing):
                    quiet_since = time.monotonic()
                if time.monotonic() > deadline:
                    break
                time.sleep(0.1)
        self.engine.wait(condition, 0)

    def focus(self, selector: str, index: int = 0) -> None:
        if self.how != "keyboard":
            self.engine.click(selector, index, touch=self.how == "touch")
            return
        here = f"document.activeElement === document.querySelectorAll({json.dumps(selector)})"
        for _ in range(80):
            if self.engine.evaluate(f"{here}[{index}]"):
                return
            # A group of radio buttons is one stop: that of the chosen one, or the first.
            self.engine.press("Tab")
        raise AssertionError(f"the tab key never reaches {selector}, {index}")

    def press_main(self) -> None:
        self.engine.wait("!!document.querySelector('button.main:enabled')")
        self.use("button.main:enabled")

    def until(self, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                text = self.engine.evaluate("document.body.innerText")
                raise AssertionError(f"the page shows: {text}; its log: {self.server.events[-8:]}")
            time.sleep(0.1)

    def keep(self, name: str) -> None:
        """A picture, where a folder for them is named."""
        folder = os.environ.get("SYNBENCH_SCREENSHOTS")
        # WebKit waits for the next frame, and a page on which nothing moves has none.
        if folder and (self.engine.name != "webkit" or name.endswith("-trial")):
            width = self.engine.evaluate("innerWidth")
            file = f"{self.server.public.test}-{name}-{self.engine.name}-{width}-{self.how}.png"
            (Path(folder) / file).write_bytes(self.engine.screenshot())
