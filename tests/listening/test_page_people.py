"""Who is at the browser: one listener after the other, numbers, platform ids, no sound at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from test_page import BRIEF, open_page
from virtual_listener import VirtualListener

from synbench_listening.design.study_folder import StudyFolder

Write = Callable[..., StudyFolder]


def finished(listener: VirtualListener, path: str = "/s/by-hand") -> None:
    listener.begin(path)
    listener.go_through()
    listener.page.get_by_text("Thank you!").wait_for()


def test_the_next_person_begins_anew(browser: Any, study_by_hand: Write, serve: Any) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    finished(VirtualListener(page, server))
    assert page.get_by_role("button", name="Withdraw").count() == 0
    # In a tab of its own the code of the one before is not shown, and no way to delete anything.
    other = page.context.new_page()
    other.goto(server.url + "/s/by-hand")
    other.get_by_text("already taken part in this study with this browser").wait_for()
    assert other.locator("code").count() == 0
    assert other.get_by_role("button", name="Withdraw").count() == 0
    listener = VirtualListener(other, server)
    other.get_by_role("button", name="Somebody else").click()
    listener.press_main()
    listener.sound_test()
    other.locator("form").wait_for()
    assert len(server.sessions) == 2
    # In mid-session too: the question comes before anything of the first one is seen.
    third = page.context.new_page()
    third.goto(server.url + "/s/by-hand")
    third.get_by_text("Welcome back").wait_for()
    third.get_by_role("button", name="Somebody else").click()
    third.get_by_role("button", name="I agree").wait_for()


@pytest.mark.slow
def test_another_platform_id_is_another_session(
    browser: Any, study_by_hand: Write, serve: Any
) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    first = VirtualListener(page, server)
    first.begin("/s/by-hand?PROLIFIC_PID=p1")
    page.locator("form").wait_for()
    page.goto(server.url + "/s/by-hand?PROLIFIC_PID=p2")
    page.get_by_role("button", name="I agree").wait_for()
    finished(first, "/s/by-hand?PROLIFIC_PID=p2")
    assert page.get_by_role("button", name="Somebody else").count() == 0
    assert len(server.sessions) == 2
    # The first one comes back to the first session; the second cannot take part again.
    page.goto(server.url + "/s/by-hand?PROLIFIC_PID=p1")
    page.get_by_text("Welcome back").wait_for()
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "p1" not in json.loads(kept).values() and "p2" not in json.loads(kept).values()


@pytest.mark.slow
def test_a_number_in_the_address_is_the_listener(
    browser: Any, study_by_hand: Write, serve: Any
) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin("/s/by-hand?listener=07")
    assert page.url.endswith("/s/by-hand")
    listener.begin("/s/by-hand?listener=08")
    page.goto(server.url + "/s/by-hand?listener=07")
    page.get_by_text("Welcome back").wait_for()
    assert server.listeners == ["07", "08"]


@pytest.mark.slow
def test_a_laboratory_asks_for_the_number(browser: Any, study_by_hand: Write, serve: Any) -> None:
    server = serve(study_by_hand(listening=BRIEF), lab=True)
    page = open_page(browser)
    listener = VirtualListener(page, server)
    page.goto(server.url + "/s/by-hand")
    listener.press_main()
    page.get_by_text("Please answer: Listener number").wait_for()
    page.get_by_label("Listener number").fill("07")
    listener.press_main()
    listener.sound_test()
    page.locator("form").wait_for()
    listener.go_through()
    page.get_by_role("button", name="Next listener").click()
    page.get_by_label("Listener number").fill("08")
    listener.press_main()
    listener.sound_test()
    page.locator("form").wait_for()
    assert server.listeners == ["07", "08"]
    # On another computer the number goes on where it was.
    elsewhere = open_page(browser)
    elsewhere.goto(server.url + "/s/by-hand?listener=08")
    other = VirtualListener(elsewhere, server)
    other.press_main()
    other.sound_test()
    elsewhere.locator("form").wait_for()
    assert len(server.sessions) == 2


@pytest.mark.slow
def test_no_sound_is_said_before_anything_else(
    browser: Any, study_by_hand: Write, serve: Any
) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    # As without a sound device: the context says that it runs, and its clock stands still.
    page.add_init_script(
        """window.AudioContext = class extends AudioContext {
          get currentTime() { return window.plugged ? super.currentTime : 0; }
        };"""
    )
    page.goto(server.url + "/s/by-hand")
    page.locator("button.main").click()
    page.locator(".play.large").click()
    page.get_by_text("finds no sound device").wait_for()
    assert page.locator("button.main").is_disabled() and not server.sessions
    page.evaluate("window.plugged = true")
    page.locator(".play.large").click()
    page.locator("button.main:enabled").click()
    page.locator("form").wait_for()
    assert len(server.sessions) == 1


@pytest.mark.slow
def test_a_way_back_to_the_trial_before(browser: Any, study_by_hand: Write, serve: Any) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin()
    listener.questionnaire()
    plan, block = server.plan, server.key.block(server.block)
    listener.trial(plan.pages[2], block.pages[2])
    listener.wait_for_answer(2)
    first = server.answers[2].answer
    page.get_by_text("Recording 2 of 2").wait_for()
    # Half of the second is graded, then the listener goes back, and comes again.
    listener.hear(0, -1)
    listener.hear(2, 1)
    listener.grade(1, best=False)
    page.get_by_role("button", name="Back").click()
    page.get_by_text("Recording 1 of 2").wait_for()
    before = [s.get_attribute("aria-valuenow") for s in page.get_by_role("slider").all()]
    assert before == [str(int(r.score)) for r in first.ratings]
    listener.hear(4, 3)
    listener.grade(3, best=False)
    page.keyboard.press("ArrowUp")
    listener.press_main()
    page.get_by_text("Recording 2 of 2").wait_for()
    texts = [s.get_attribute("aria-valuetext") for s in page.get_by_role("slider").all()]
    assert texts[1] == "25, Poor" and texts[0] == "not rated"
    listener.go_through()
    changed = {r.position: r.score for r in server.answers[2].answer.ratings}
    assert changed == {r.position: r.score for r in first.ratings} | {3: 36}
    assert server.answers[2].revision > 1
