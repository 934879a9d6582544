"""The page in a real Chromium: whole sessions, reloads, lost saves, what it shows and what not."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from virtual_listener import VirtualListener

from synbench_listening.design.study import Listening
from synbench_listening.design.study_folder import StudyFolder

Write = Callable[..., StudyFolder]
BRIEF = Listening(minimum_share=0.1)
PAGES = [
    "consent", "questionnaire", "headphones", "environment", "volume", "training", "trials",
    "finish",
]  # fmt: skip
QUESTIONS = [
    {"name": "age", "label": "Age", "type": "number", "minimum": 18, "maximum": 120},
    {"name": "remark", "label": "Remark", "type": "long_text", "optional": True},
]
HOSTILE = 'a & b + c % "d"\n=HYPERLINK("x") 😀 <img src=x onerror=alert(1)>'


def open_page(browser: Any, **options: Any) -> Any:
    context = browser.new_context(**{"locale": "en"} | options)
    context.set_default_timeout(10_000)
    return context.new_page()


def test_a_short_session_by_keyboard(browser: Any, study_by_hand: Write, serve: Any) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    listener = VirtualListener(page, server, by_keyboard=True)
    listener.begin()
    listener.go_through()
    session = server.session
    scores = [
        {rating.position: rating.score for rating in session.answers[n].answer.ratings}
        for n in (2, 3)
    ]
    assert scores == [{0: 100, 1: 20, 2: 30, 3: 40}] * 2
    assert "C0DE" in page.locator("code").inner_text()
    assert listener.errors == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["mouse", "keyboard", "phone"])
@pytest.mark.parametrize("test", ["mushra", "abx"])
def test_a_whole_session(browser: Any, build: Any, serve: Any, test: str, how: str) -> None:
    folder = build(
        test=test,
        systems=["codec-a"],
        pages=PAGES,
        items={"count": 2},
        questionnaire=QUESTIONS,
        headphones={"trials": 3, "needed": 2},
        environment={"trials": 2, "needed": 1},
        attention_checks=1,
        break_after=1,
        comments=True,
        completion_url="https://example.org/done",
    )
    server = serve(folder)
    size = {"width": 375, "height": 700} if how == "phone" else {"width": 1100, "height": 800}
    page = open_page(browser, viewport=size, has_touch=how == "phone")
    listener = VirtualListener(page, server, by_keyboard=how == "keyboard")
    listener.begin("/s/made?PROLIFIC_PID=p1&STUDY_ID=s1&x=1")
    assert page.url.endswith("?x=1")
    widths = []
    for plan in server.session.plan.pages[:-1]:
        listener.answer(plan)
        widths.append(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
    listener.go_through()
    session = server.session
    assert max(widths) <= 0 and listener.errors == []
    assert server.count("platform_id") == 2
    block = server.key.block(session.block)
    for plan in session.plan.pages:
        answer = session.answers[plan.n].answer if plan.n in session.answers else None
        if plan.kind == "mushra":
            scores = {rating.position: rating.score for rating in answer.ratings}
            best = max(scores, key=scores.__getitem__)
            stimulus = server.key.stimuli[block.pages[plan.n].stimuli[best]]
            assert stimulus.role == "hidden_reference" and scores[best] >= 99
        if plan.kind == "abx":
            assert answer.choice == block.pages[plan.n].x
    link = page.locator("main a")
    assert link.get_attribute("href") == "https://example.org/done"


@pytest.mark.slow
@pytest.mark.parametrize("test", ["ab", "acr", "dcr", "ccr", "bs1116"])
def test_every_kind_of_trial_is_accepted(browser: Any, build: Any, serve: Any, test: str) -> None:
    folder = build(
        test=test,
        systems=["codec-a", "codec-b"],
        items={"count": 1},
        pages=["training", "trials", "finish"] if test == "bs1116" else ["trials", "finish"],
        languages=["en", "de", "fr", "zh"],
    )
    server = serve(folder)
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin("/s/made")
    listener.go_through()
    answers = [sent.answer for sent in server.session.answers.values()]
    assert {answer.kind for answer in answers} - {"instructions"} == {test}
    if test in ("acr", "dcr", "ccr"):
        top = 3 if test == "ccr" else 5
        assert all(answer.ratings[0].score == top for answer in answers)


def test_a_press_at_the_very_end_of_a_clip_plays_the_other_one(
    browser: Any, study_by_hand: Write, serve: Any
) -> None:
    server = serve(study_by_hand(listening=Listening(loop=False, minimum_share=1)))
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin()
    listener.questionnaire()
    page.locator(".play").first.wait_for()
    # In the page, since a press from here would come too late: all was heard but some 50 ms.
    page.evaluate("""() => {
        const [first, second] = document.querySelectorAll(".play");
        const mark = document.querySelector(".heard");
        const watch = new MutationObserver(() => {
            if (!mark.classList.contains("enough")) return;
            watch.disconnect();
            second.click();
        });
        watch.observe(mark, { attributes: true });
        first.click();
    }""")
    page.locator(".heard").nth(1).and_(page.locator(".enough")).wait_for()


def test_nothing_unheard_or_unrated_passes(browser: Any, study_by_hand: Write, serve: Any) -> None:
    server = serve(study_by_hand())
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin()
    listener.questionnaire()
    page.locator(".play").first.wait_for()
    sliders = page.get_by_role("slider")
    assert sliders.count() == 4
    assert [s.get_attribute("aria-disabled") for s in sliders.all()] == ["true"] * 4
    assert sliders.first.get_attribute("aria-valuetext") == "not rated"
    # A press on what is not heard is no grade.
    sliders.first.click(force=True)
    assert sliders.first.get_attribute("aria-valuetext") == "not rated"
    page.locator("button.main").click()
    problems = page.locator(".problems li").all_inner_texts()
    assert len(problems) == 9 and "Reference has to be heard to the end" in problems
    page.locator(".play").nth(2).click()
    page.wait_for_timeout(150)
    disabled = [s.get_attribute("aria-disabled") for s in sliders.all()]
    assert disabled == ["true", "false", "true", "true"]
    assert 2 not in server.session.answers


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1366, 650), (375, 667)], ids=["desk", "phone"])
@pytest.mark.parametrize("test", ["mushra", "acr"])
def test_a_trial_fits_the_screen(
    browser: Any, build: Any, serve: Any, test: str, size: tuple[int, int]
) -> None:
    """Scores and the button that saves are in view while a slider is dragged."""
    server = serve(build(test=test, items={"count": 1}, pages=["trials", "finish"],
                         not_standard=True))  # fmt: skip
    page = open_page(browser, viewport={"width": size[0], "height": size[1]})
    VirtualListener(page, server).begin("/s/made")
    page.locator(".play").first.wait_for()
    overflow = "document.documentElement.scroll{0} - inner{0}"
    assert page.evaluate(overflow.format("Height")) <= 0
    assert page.evaluate(overflow.format("Width")) <= 0
    shown = page.locator(".trial button, .slider, .strip output, .option, button.main").all()
    assert len(shown) > 5
    foot = page.locator("footer").bounding_box()
    for element in shown:
        box = element.bounding_box()
        inside = element.evaluate("e => !!e.closest('footer')")
        assert box["y"] >= 0 and box["y"] + box["height"] <= (size[1] if inside else foot["y"] + 1)


def test_the_grades_of_bs1116_are_called_as_the_scale_says(
    browser: Any, build: Any, serve: Any
) -> None:
    server = serve(build(test="bs1116", systems=["codec-a"], items={"count": 1},
                         pages=["trials", "finish"], not_standard=True))  # fmt: skip
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin("/s/made")
    page.locator(".play").nth(1).click()
    slider = page.get_by_role("slider").first
    page.locator(".slider[aria-disabled=false]").wait_for()
    slider.press("End")
    spoken = [slider.get_attribute("aria-valuetext")]
    for presses in (7, 3, 30):
        for _ in range(presses):
            slider.press("ArrowDown")
        spoken.append(slider.get_attribute("aria-valuetext"))
    assert spoken == [
        "5.0, Imperceptible",
        "4.3, between “Imperceptible” and “Perceptible, but not annoying”",
        "4.0, Perceptible, but not annoying",
        "1.0, Very annoying",
    ]
    words = page.locator(".words span").all_inner_texts()
    assert [word[:3] for word in words] == ["5.0", "4.0", "3.0", "2.0", "1.0"]
    # They stand where their grades are.
    heights = [word.bounding_box()["y"] for word in page.locator(".words span").all()]
    steps = [after - before for before, after in itertools.pairwise(heights)]
    assert max(steps) - min(steps) < 2
    track = page.locator(".fader").first.bounding_box()
    assert abs((heights[-1] - heights[0]) - (track["height"] - 28)) < 2


@pytest.mark.slow
def test_a_reload_anywhere_goes_on_where_it_was(
    browser: Any, study_by_hand: Write, serve: Any
) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    listener = VirtualListener(page, server)
    page.goto(server.url + "/s/by-hand")
    page.reload()
    listener.begin()
    plan = server.session.plan
    for plan_page in plan.pages[:-1]:
        page.reload()
        listener.press_main()
        assert server.session.plan == plan
        if plan_page.kind == "mushra":
            # Once more in the middle of a trial.
            listener.trial(plan_page, server.key.block("A").pages[plan_page.n], leave=False)
            page.reload()
            listener.press_main()
        listener.answer(plan_page)
    page.reload()
    page.locator("code").wait_for()
    assert len(server.sessions) == 1 and len(server.session.answers) == 4
    assert [sent.revision for sent in server.session.answers.values()] == [1, 1, 1, 1]


@pytest.mark.slow
def test_a_failing_server_costs_no_answer(browser: Any, study_by_hand: Write, serve: Any) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin()
    listener.wait_for_answer(0)
    page.locator("form").wait_for()
    page.route("**/api/trials/*", lambda route: route.fulfill(status=503))
    listener.questionnaire(text=HOSTILE)
    page.locator(".state[data-state=waiting]").wait_for(timeout=20_000)
    # Closed and opened again in the meantime: the answer is still in the outbox.
    page.unroute("**/api/trials/*")
    page.reload()
    listener.press_main()
    listener.wait_for_answer(1)
    listener.go_through()
    assert server.session.answers[1].answer.values == {"age": 33, "remark": HOSTILE}


@pytest.mark.slow
def test_a_refused_answer_comes_back_with_its_grades(
    browser: Any, study_by_hand: Write, serve: Any
) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin()
    listener.questionnaire()
    listener.wait_for_answer(1)
    refusal = {"status": 422, "json": {"problems": ["too_fast"]}}
    page.route("**/api/trials/2", lambda route: route.fulfill(**refusal))
    block = server.key.block(server.block)
    listener.trial(server.session.plan.pages[2], block.pages[2])
    page.locator("[role=alert]", has_text="too_fast").wait_for()
    page.unroute("**/api/trials/2")
    listener.press_main()
    page.locator(".slider").first.wait_for()
    assert page.locator(".slider.unrated").count() == 0
    assert page.locator(".heard.enough").count() == 5
    listener.press_main()
    listener.wait_for_answer(2)
    scores = [rating.score for rating in server.answers[2].answer.ratings]
    assert max(scores) == 100 and len(scores) == 4
    listener.go_through()


@pytest.mark.slow
def test_a_server_killed_in_a_trial_costs_no_answer(
    browser: Any, study_by_hand: Write, serve: Any
) -> None:
    server = serve(study_by_hand(listening=BRIEF), process=True)
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin()
    listener.questionnaire(text=HOSTILE)
    listener.wait_for_answer(1)
    plan = server.session.plan
    listener.trial(plan.pages[2], server.key.block(server.block).pages[2], leave=False)
    server.server.kill()
    listener.press_main()
    page.locator(".state[data-state=waiting]").wait_for(timeout=20_000)
    server.server.start()
    listener.wait_for_answer(2)
    listener.go_through()
    assert server.session.plan == plan and len(server.sessions) == 1
    assert [sent.revision for sent in server.answers.values()] == [1, 1, 1, 1]
    assert server.count("answer") == 4


@pytest.mark.slow
def test_two_tabs_do_not_make_two_sessions(browser: Any, study_by_hand: Write, serve: Any) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin()
    listener.questionnaire()
    listener.wait_for_answer(1)
    other = VirtualListener(page.context.new_page(), server)
    other.page.goto(server.url + "/s/by-hand")
    other.press_main()
    other.answer(server.plan.pages[2])
    # The first tab has handed the session over, and takes it back where the other one was.
    page.get_by_text("Open in another tab").wait_for()
    listener.press_main()
    listener.press_main()
    listener.answer(server.plan.pages[3])
    other.page.get_by_text("Open in another tab").wait_for()
    listener.go_through()
    assert len(server.sessions) == 1 and sorted(server.answers) == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_clip_that_cannot_be_had_is_said_and_tried_again(
    browser: Any, study_by_hand: Write, serve: Any
) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    listener = VirtualListener(page, server)
    replies = itertools.cycle(
        [
            {"status": 404, "body": "{}"},
            {"status": 200, "body": "no audio at all"},
            {"status": 200, "body": wav(samples=15999)},
            {"status": 200, "body": wav(rate=24000)},
        ]
    )
    messages = []
    page.route("**/api/clip/*", lambda route: route.fulfill(**next(replies)))
    listener.begin()
    listener.questionnaire()
    for _ in range(2):
        page.get_by_role("alert").filter(has_text="could not be loaded").wait_for()
        messages.append(page.get_by_role("alert").inner_text())
        page.locator("button.main").click()
        page.wait_for_timeout(300)
    page.unroute("**/api/clip/*")
    page.locator("button.main").click()
    listener.go_through()
    assert all("could not be loaded (" in message for message in messages)


def wav(*, samples: int = 16000, rate: int = 16000) -> bytes:
    import io

    import numpy as np
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(samples), rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


@pytest.mark.slow
def test_a_context_that_stays_silent_is_said(
    browser: Any, study_by_hand: Write, serve: Any
) -> None:
    server = serve(study_by_hand(listening=BRIEF, sound_test=False))
    page = open_page(browser)
    # As browsers do that block sound until a gesture that they accept.
    page.add_init_script(
        """const Real = AudioContext;
        window.AudioContext = class extends Real {
          constructor(options) { super(options); super.suspend(); }
          resume() { return window.allowed ? super.resume() : new Promise(() => {}); }
        };"""
    )
    listener = VirtualListener(page, server)
    listener.begin()
    listener.questionnaire()
    page.locator(".play").first.click()
    page.get_by_text("Your browser has paused the sound").wait_for()
    assert page.locator(".heard").first.inner_text() == "heard 0 %"
    page.evaluate("window.allowed = true")
    page.locator(".play").nth(1).click()
    listener.go_through()


@pytest.mark.slow
def test_a_page_that_stood_still_plays_on(browser: Any, study_by_hand: Write, serve: Any) -> None:
    """Ends of loops that passed in the meantime fall on one moment, which browsers refuse."""
    server = serve(study_by_hand())
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin()
    listener.questionnaire()
    page.locator(".play").first.click()
    page.wait_for_timeout(500)
    page.evaluate("{ const t = performance.now(); while (performance.now() - t < 8000); }")
    listener.hear(1, 0)
    assert listener.errors == []


@pytest.mark.slow
def test_withdrawal_deletes_and_ends(browser: Any, study_by_hand: Write, serve: Any) -> None:
    server = serve(study_by_hand())
    page = open_page(browser)
    listener = VirtualListener(page, server)
    listener.begin()
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="No, go on").click()
    assert len(server.sessions) == 1
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Stop and delete my answers").click()
    page.get_by_text("You have withdrawn").wait_for()
    assert not server.sessions
    page.reload()
    page.get_by_role("button", name="I agree").wait_for()


@pytest.mark.slow
def test_no_condition_is_named_anywhere(browser: Any, study_by_hand: Write, serve: Any) -> None:
    server = serve(study_by_hand(listening=BRIEF))
    page = open_page(browser)
    listener = VirtualListener(page, server)
    requests, bodies, sizes = [], [], set()

    def note(response: Any) -> None:
        if "/api/clip/" in response.url:
            sizes.add(response.header_value("content-length"))
        elif "/api/" in response.url and response.status in (200, 201):
            bodies.append(response.text())

    page.on("request", lambda request: requests.append(request.url + (request.post_data or "")))
    page.on("requestfinished", lambda request: note(request.response()))
    listener.begin()
    seen = []
    for plan in server.session.plan.pages[:-1]:
        seen.append(page.content())
        seen.append(page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"))
        listener.answer(plan)
    listener.go_through()
    text = json.dumps(seen + requests + bodies)
    assert "/api/clip/" in text and '\\"plan\\"' in text
    for secret in ("SecretCodec", "anchor35", "hidden_reference", "item-a", *server.key.stimuli):
        assert secret not in text
    assert len(sizes) == 1


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1100])
def test_axe_finds_nothing(browser: Any, build: Any, serve: Any, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core")
    folder = build(
        systems=["codec-a"],
        pages=PAGES,
        items={"count": 1},
        questionnaire=QUESTIONS,
        headphones={"trials": 3, "needed": 2},
        environment={"trials": 2, "needed": 1},
        attention_checks=1,
        comments=True,
        languages=["en", "de"],
        consent="Text",
    )
    server = serve(folder)
    size = {"width": width, "height": 800}
    page = open_page(browser, viewport=size, bypass_csp=True, color_scheme=scheme)
    listener = VirtualListener(page, server)
    page.goto(server.url + "/s/made")
    by_page = [violations(axe, page, "consent")]
    listener.begin("/s/made")
    for plan in server.session.plan.pages[:-1]:
        if plan.kind != "consent":
            page.locator(".page button").first.wait_for()
            by_page.append(violations(axe, page, plan.kind))
        if plan.kind == "mushra":
            page.locator("button.main").click()
            page.locator(".play").nth(1).click()
            page.wait_for_timeout(100)
            by_page.append(violations(axe, page, "mushra, with problems, playing"))
        listener.answer(plan)
    listener.go_through()
    by_page.append(violations(axe, page, "finish"))
    assert [problem for problems in by_page for problem in problems] == []


def violations(axe: Any, page: Any, name: str) -> list[str]:
    result = axe.Axe().run(page)
    return [
        f"{name}: {each['id']}: {node['html'][:120]}"
        for each in result.response["violations"]
        for node in each["nodes"]
    ]
