"""Drives the page in a browser as a listener would: by mouse or by keyboard alone."""

from __future__ import annotations

import time
from typing import Any

from synbench_listening.design.session_plan import PlanPage
from synbench_listening.design.study_folder import BlockPage


class VirtualListener:
    """Knows from the server what the right answers of checks are, and from the page the rest."""

    def __init__(self, page: Any, server: Any, *, by_keyboard: bool = False) -> None:
        self.page, self.server, self.by_keyboard = page, server, by_keyboard
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def press_main(self) -> None:
        button = self.page.locator("button.main").first
        button.wait_for()
        if not self.by_keyboard:
            return button.click()
        self.tab_to("button.main")
        self.page.keyboard.press("Enter")
        return None

    def sound_test(self) -> None:
        """Play the tones, and say that they are heard."""
        self.use(".play.large")
        self.page.locator("button.main:enabled").wait_for()
        self.press_main()

    def tab_to(self, selector: str) -> None:
        """Move the focus by the tab key alone."""
        for _ in range(80):
            focused = self.page.locator(":focus")
            if focused.count() and focused.evaluate("(e, s) => e.matches(s)", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the tab key never reaches {selector}")

    def begin(self, path: str = "/s/by-hand") -> None:
        before = len(self.server.sessions)
        self.page.goto(self.server.url + path)
        self.press_main()
        if self.server.public.sound_test:
            self.sound_test()
        deadline = time.monotonic() + 10
        while len(self.server.sessions) == before:
            assert time.monotonic() < deadline, "no session was begun"
            self.page.wait_for_timeout(20)

    def answer(self, plan: PlanPage) -> None:
        """Answer a page and wait until the server has it."""
        kind = plan.kind
        block = self.server.key.block(self.server.session.block).pages[plan.n]
        if kind in ("instructions", "break"):
            self.press_main()
        elif kind != "consent":
            act = getattr(self, kind, self.trial)
            act(plan, block)
        self.wait_for_answer(plan.n)

    def wait_for_answer(self, n: int) -> None:
        deadline = time.monotonic() + 20
        while n not in self.server.session.answers:
            if time.monotonic() > deadline:
                text = self.page.locator("body").inner_text()
                raise AssertionError(f"page {n} was not saved; {self.errors}; it shows: {text}")
            self.page.wait_for_timeout(20)

    def questionnaire(self, *_: Any, text: str = "") -> None:
        self.page.locator("form").wait_for()
        for index, value in enumerate(("33", text)):
            box = self.page.locator("form input, form textarea").nth(index)
            if self.by_keyboard:
                self.tab_to("form input" if index == 0 else "form textarea")
                self.page.keyboard.insert_text(value)
            else:
                box.fill(value)
        self.press_main()

    def volume(self, *_: Any) -> None:
        self.page.locator("input[type=range]").wait_for()
        self.use(".play")
        if self.by_keyboard:
            self.tab_to("input[type=range]")
            self.page.keyboard.press("ArrowRight")
        self.page.locator("button.main:enabled").wait_for()
        self.press_main()

    def headphones(self, plan: PlanPage, block: BlockPage) -> None:
        for number, name in enumerate(block.stimuli, start=1):
            self.page.locator(f".count:has-text('{number} ')").wait_for()
            self.beeps(str((self.server.key.stimuli[name].answer or 0) + 1))

    def environment(self, plan: PlanPage, block: BlockPage) -> None:
        for pair in range(len(block.stimuli) // 2):
            self.page.locator(f".count:has-text('{pair + 1} ')").wait_for()
            playing = self.page.locator(".play[aria-pressed=true]")
            options = self.page.locator(".choice:enabled")
            seconds = plan.stimuli[2 * pair].samples / self.server.key.sample_rate
            # The second press would cut the first recording short: each is let run to its end.
            while not options.count():
                for key, side in (("1", 0), ("2", 1)):
                    if self.by_keyboard:
                        self.page.keyboard.press(key)
                    else:
                        self.page.locator(".play").nth(side).click()
                    self.page.wait_for_timeout(1000 * seconds + 500)
                    playing.wait_for(state="detached", timeout=60_000)
            right = self.server.key.stimuli[block.stimuli[2 * pair]].answer
            self.page.locator(".choice:enabled").nth(right or 0).click()

    def attention(self, plan: PlanPage, block: BlockPage) -> None:
        self.page.locator(".choice").first.wait_for()
        self.beeps(str(self.server.key.stimuli[block.stimuli[0]].answer))

    def beeps(self, answer: str) -> None:
        self.use(".play")
        self.page.locator(".choice:enabled").first.wait_for(timeout=20_000)
        if self.by_keyboard:
            self.page.keyboard.press(answer)
        else:
            self.page.locator(".choice", has_text=answer).click()

    def use(self, selector: str) -> None:
        self.page.locator(selector).first.wait_for()
        if self.by_keyboard:
            self.tab_to(selector)
            self.page.keyboard.press("Enter")
        else:
            self.page.locator(selector).first.click()

    def trial(self, plan: PlanPage, block: BlockPage, *, leave: bool = True) -> None:
        """Hear everything, then grade: the hidden reference 100, the others less and less."""
        self.page.locator(".play").first.wait_for()
        rated = plan.kind in ("mushra", "mushra1s", "bs1116")
        positions = ([-1] if plan.reference else []) + list(range(len(plan.stimuli)))
        for index, position in enumerate(positions):
            self.hear(index, position)
            if rated and position >= 0:
                role = self.server.key.stimuli[block.stimuli[position]].role
                self.grade(position, best=role == "hidden_reference")
        if not rated:
            self.choose(1 if plan.kind == "abx" and block.x == 1 else 0)
        if leave:
            self.press_main()

    def hear(self, index: int, position: int) -> None:
        if self.by_keyboard:
            self.page.keyboard.press("r" if position < 0 else str(position + 1))
        else:
            self.page.locator(".play").nth(index).click()
        # The marks lie in the order of the buttons.
        mark = self.page.locator(".heard").nth(index)
        mark.and_(self.page.locator(".enough")).wait_for(timeout=15_000)

    def grade(self, position: int, *, best: bool) -> None:
        slider = self.page.locator(".slider").nth(position)
        wanted = 100 if best else 20 + 5 * position
        if self.server.public.test == "bs1116":
            wanted = 5 if best else 3
        if self.by_keyboard:
            low = self.server.public.scale[0]
            self.page.keyboard.press("ArrowUp")
            self.page.keyboard.press("End" if best else "Home")
            for _ in range(
                0 if best else round((wanted - low) / self.server.public.scale_step / 10)
            ):
                self.page.keyboard.press("Shift+ArrowUp")
        else:
            slider.scroll_into_view_if_needed()
            box = slider.bounding_box()
            low, high = self.server.public.scale
            # Both ends of the scale lie half a handle inside of the box.
            share, half = (wanted - low) / (high - low), 14
            if box["height"] > box["width"]:
                along = half + (box["height"] - 2 * half) * (1 - share)
                self.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + along)
            else:
                along = half + (box["width"] - 2 * half) * share
                self.page.mouse.click(box["x"] + along, box["y"] + box["height"] / 2)

    def choose(self, index: int) -> None:
        if self.by_keyboard:
            self.tab_to(".option input")
            self.page.keyboard.press("Space")
            for _ in range(index):
                self.page.keyboard.press("ArrowDown")
        else:
            self.page.locator(".option").nth(index).click()

    def go_through(self) -> None:
        """Everything that is left, to the end."""
        for plan in self.server.session.plan.pages[:-1]:
            if plan.n not in self.server.session.answers:
                self.answer(plan)
        deadline = time.monotonic() + 10
        while self.server.session.state != "finished":
            assert time.monotonic() < deadline, self.page.locator("body").inner_text()
            self.page.wait_for_timeout(20)
