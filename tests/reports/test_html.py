"""The HTML report: what it holds, and how it behaves in a browser, on paper and for axe-core."""

from __future__ import annotations

import dataclasses
import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from synbench.corpora import Corpus, Item
from synbench.corpora.whereabouts import remember_recordings
from synbench.results.store import ITEM_COLUMNS, write_table
from synbench_reports.boards.spectrogram import HEIGHT, WIDTH, picture, spectrum_levels
from synbench_reports.pages.report import report_page
from synbench_reports.tables.build_report import read_selection

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
SECONDS = 3.0
CORPUS_DIGEST = "0" * 16


def page(run: Any, **options: Any) -> str:
    return report_page(read_selection(run.folder), beside=run.folder, **options)


@pytest.fixture
def audible_run(made_run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The run made by hand with audio: a tone of another pitch per system, and one file gone."""
    import soundfile

    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path / "cache"))
    items, recordings = [], []
    time = np.arange(round(SECONDS * 16000)) / 16000
    for number, item in enumerate("abc"):
        path = made_run.folder / "speech" / f"{item}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, 0.1 * np.sin(400 * time), 16000)
        recordings.append(
            Item(id=item, path=path, sha256="", seconds=SECONDS, sample_rate=16000, channels=1)
        )
        items.append(
            {
                "corpus": "speech",
                "item": item,
                "item_digest": f"digest {item}",
                "path": path.name,
                "seconds": SECONDS,
                "sample_rate": 16000,
                "speaker": f"s{number}",
                "transcript": f"the word number {number}",
            }
        )
        for index, name in enumerate(("reference", "alpha", "beta")):
            file = f"reconstructions/{name}/{item}.flac"
            (made_run.folder / file).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(made_run.folder / file, 0.1 * np.sin(600 * (index + 1) * time), 16000)
            made_run.decode(name, item, reconstruction=file)
    write_table(made_run.folder / "items.parquet", items, ITEM_COLUMNS)
    remember_recordings(
        Corpus(name="speech", spec="", items=tuple(recordings), digest=CORPUS_DIGEST)
    )
    made_run.score("alpha", "b", "mos", reason="crashed </script><b>bold</b>")
    made_run.save()
    (made_run.folder / "reconstructions/beta/c.flac").unlink()
    return made_run


def test_the_page_is_the_same_twice_and_names_nothing_remote(audible_run: Any) -> None:
    text = page(audible_run)
    assert text == page(audible_run)
    assert not [part for part in ("<link", "url(http", "@import", 'src="http') if part in text]
    assert "default-src 'none'" in text


def test_failures_have_reasons_and_nasty_names_stay_text(audible_run: Any) -> None:
    audible_run.corpus_notes["speech"] = "<img src=x>"
    audible_run.begin()
    text = page(audible_run)
    assert "failed: crashed \\u003c/script>\\u003cb>bold" in text
    assert "<img src=x" not in text
    assert "</script><b>bold" not in text


def test_a_note_on_weights_is_a_warning_with_a_mark_at_the_codec(made_run: Any) -> None:
    note = "demonstration weights: not the authors'"
    made_run.codecs[1] = dataclasses.replace(made_run.codecs[1], training_note=note)
    made_run.begin()
    text = page(made_run)
    assert f'"level":"warning","subject":"Alpha","text":"{note}","mark":"†"' in text
    assert '"run":0,"mark":"†"' in text


def test_audio_can_be_inside_the_file(audible_run: Any) -> None:
    linked, embedded = page(audible_run), page(audible_run, embed_audio=True)
    assert '"start":"reconstructions/alpha/","rest":["a.flac","b.flac","c.flac"]' in linked
    assert '"rest":["a.flac","b.flac",null]' in linked
    assert "data:audio/flac;base64," in embedded
    data = embedded.partition('data-part="board0-items"')[2].partition("</script>")[0]
    assert data
    assert "a.flac" not in data


def test_a_spectrogram_is_a_png_that_shows_its_tone() -> None:
    wave = 0.5 * np.sin(2 * np.pi * 2000 * np.arange(16000) / 16000)
    levels = spectrum_levels(wave, 16000)
    assert levels.shape == (HEIGHT, WIDTH)
    # 2 of 8 kHz is a quarter from the bottom, and the first row is the highest frequency.
    assert abs(int(levels[:, WIDTH // 2].argmax()) - 0.75 * HEIGHT) <= 1
    data = picture(levels, float(levels.max()))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    start = data.index(b"IDAT") + 4
    rows = zlib.decompress(data[start : data.index(b"IEND") - 8])
    assert len(rows) == HEIGHT * (WIDTH + 1)
    assert spectrum_levels(np.zeros(10), 16000).tolist() == np.zeros((HEIGHT, WIDTH)).tolist()


@pytest.fixture(scope="module")
def browser(launch_chromium: Callable[..., Any]) -> Any:
    """A Chromium that plays without a click."""
    return launch_chromium("--autoplay-policy=no-user-gesture-required")


def wait_until(view: Any, expression: str) -> None:
    """Ask until it holds; the page's policy forbids the browser's own waiting for a text."""
    for _ in range(200):
        if view.evaluate(expression):
            return
        view.wait_for_timeout(50)
    pytest.fail(f"never true: {expression}")


class Opened:
    """A page of a report, and all that it said or asked for."""

    def __init__(self, browser: Any, run: Any, *, width: int = 1280, **options: Any) -> None:
        from synbench_reports.commands.report import report

        arguments = [str(run.folder), *(f"--{name}" for name in options)]
        done = CliRunner().invoke(report, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        self.troubles: list[str] = []
        self.requests: list[str] = []
        self.view = browser.new_page(viewport={"width": width, "height": 844})
        self.view.on("console", lambda message: self.troubles.append(message.text))
        self.view.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.view.on("request", lambda request: self.requests.append(request.url))
        self.view.goto(Path(run.folder / "report.html").resolve().as_uri())


def test_the_table_sorts_and_fits_a_phone(made_run: Any, browser: Any) -> None:
    opened = Opened(browser, made_run, width=390)
    view = opened.view
    assert view.evaluate("document.documentElement.scrollWidth") <= 390
    table = view.locator("#table")
    names = table.locator(".scoretable tbody th")
    table.get_by_role("button", name="MOS").first.click()
    assert names.all_inner_texts() == ["Alpha", "Beta", "Reference"]
    table.get_by_role("button", name="MOS").first.click()
    assert names.all_inner_texts() == ["Reference", "Beta", "Alpha"]
    assert table.locator("th[aria-sort=descending]").count() == 1
    assert opened.troubles == []
    assert [url for url in opened.requests if not url.startswith("data:")] == opened.requests[:1]


def test_items_are_found_sorted_and_opened(audible_run: Any, browser: Any) -> None:
    opened = Opened(browser, audible_run)
    view = opened.view
    names = view.locator(".items tbody button")
    assert names.all_inner_texts() == ["a", "b", "c"]
    view.locator(".items thead button", has_text="Alpha").click()
    view.locator(".items thead button", has_text="Alpha").click()
    assert names.all_inner_texts() == ["c", "a", "b"]  # b has no score and stays last
    view.locator(".find").fill("number 1")
    assert names.all_inner_texts() == ["b"]
    assert view.locator(".found").inner_text() == "1 of 3 items"
    names.first.click()
    assert view.locator(".player .words").inner_text() == "the word number 1"
    alpha = view.locator(".scores tbody tr").nth(1)
    assert "failed: crashed </script><b>bold</b>" in alpha.inner_text()
    assert view.locator(".systems img").count() == 4
    absent = view.locator(".absent")
    assert absent.locator("summary").inner_text() == "1 score is absent, with reasons"
    absent.locator("summary").click()
    assert "failed: crashed </script><b>bold</b>" in absent.inner_text()
    assert opened.troubles == []


def test_switching_goes_on_at_the_same_place(audible_run: Any, browser: Any) -> None:
    opened = Opened(browser, audible_run)
    view = opened.view
    view.evaluate(
        "() => { window.made = []; const old = Audio; window.Audio = function () {"
        " const one = new old(); window.made.push(one); return one; }; }"
    )
    view.locator(".items tbody button").first.click()
    wait_until(view, "made.length === 4 && made.every((one) => one.readyState === 4)")
    view.get_by_role("button", name="Play").click()
    wait_until(view, "made[0].currentTime > 0.3")
    view.locator(".systems button").nth(2).click()
    state = view.evaluate("made.map((one) => [one.muted, one.paused, one.currentTime])")
    assert [muted for muted, _, _ in state] == [True, True, False, True]
    assert not any(paused for _, paused, _ in state)
    assert max(time for *_, time in state) - min(time for *_, time in state) < 0.2
    assert state[2][2] > 0.3
    view.locator(".systems button").nth(2).press("3")
    assert view.evaluate("made.map((one) => one.muted)") == [True, True, True, False]
    assert view.locator(".systems button[aria-pressed=true]").inner_text().startswith("3 ")
    view.get_by_role("button", name="Pause").click()
    assert view.evaluate("made.every((one) => one.paused)")
    assert opened.troubles == []


def test_the_first_item_is_open_and_keys_go_back_and_forth(audible_run: Any, browser: Any) -> None:
    view = Opened(browser, audible_run).view
    assert view.locator(".player .name").inner_text().startswith("a, speaker s0")
    assert view.locator(".player .play").is_visible()
    pressed = view.locator(".systems button[aria-pressed=true]")
    for key, number in (("2", "2"), ("3", "3"), ("x", "2"), ("x", "3"), ("k", "2"), ("j", "3")):
        view.keyboard.press(key)
        assert pressed.inner_text().startswith(f"{number} "), key
    # Two digits soon after each other are one number, and one that nobody has is nothing.
    view.keyboard.press("9")
    view.keyboard.press("0")
    view.keyboard.press("2")
    assert pressed.inner_text().startswith("2 ")
    view.keyboard.press("n")
    assert view.locator(".player .name").inner_text().startswith("b,")
    view.keyboard.press("p")
    assert view.locator(".player .name").inner_text().startswith("a,")


def test_the_largest_differences_come_first_where_asked(audible_run: Any, browser: Any) -> None:
    audible_run.score("beta", "c", "mos", 4.9, attempt=9)
    audible_run.save()
    view = Opened(browser, audible_run).view
    view.locator("#listen select").first.select_option("difference")
    assert view.locator(".items tbody button").all_inner_texts() == ["c", "a", "b"]
    assert view.locator(".player .name").inner_text().startswith("c,")


def test_no_metric_is_out_of_sight_on_a_desk(made_run: Any, browser: Any) -> None:
    made_run.metrics = [
        dataclasses.replace(
            made_run.metrics[0], column=f"m{n}", label=f"A metric with a name {n}", unit="MOS"
        )
        for n in range(24)
    ]
    made_run.begin()
    for name in ("alpha", "beta"):
        for item in "abc":
            for metric in made_run.metrics:
                made_run.score(name, item, metric.column, 2.0 + (item == "a"))
    made_run.save()
    view = Opened(browser, made_run).view
    heads = view.locator("#table .scoretable thead th button")
    labels = [text.split("MOS")[0].strip() for text in heads.all_inner_texts()]
    assert [label for label in labels if label.startswith("A metric")] == [
        metric.label for metric in made_run.metrics
    ]
    assert all(
        box["x"] + box["width"] <= 1280 for one in heads.all() if (box := one.bounding_box())
    )


def test_what_a_recogniser_heard_has_its_errors_marked(audible_run: Any, browser: Any) -> None:
    audible_run.metrics[1] = dataclasses.replace(audible_run.metrics[1], pooling="weighted_mean")
    audible_run.begin()
    said, understood = "<i>one</i> two three four five six", "<i>one</i> too three five six seven"
    texts = {"reference": said, "hypothesis": understood}
    for item in "abc":
        details = json.dumps(texts)
        audible_run.score("alpha", item, "error", 0.75, weight=4.0, details=details, attempt=9)
    audible_run.save()
    opened = Opened(browser, audible_run)
    heard = opened.view.locator(".heard")
    assert said in heard.inner_text()
    assert heard.locator("mark").all_inner_texts() == ["too"]
    assert heard.locator("del").all_inner_texts() == ["four"]
    assert heard.locator("ins").all_inner_texts() == ["seven"]
    assert opened.troubles == []


def test_a_lost_file_is_said_and_the_rest_plays(audible_run: Any, browser: Any) -> None:
    opened = Opened(browser, audible_run, **{"embed-audio": True})
    view = opened.view
    view.locator(".items tbody button", has_text="c").click()
    assert view.locator(".systems button:disabled").inner_text().count("(no audio)") == 1
    view.get_by_role("button", name="Play").click()
    wait_until(view, "Number(document.querySelector('.seek').value) > 0.1")
    assert opened.troubles == []


def test_paper_has_table_and_figures_and_no_player(audible_run: Any, browser: Any) -> None:
    view = Opened(browser, audible_run).view
    view.emulate_media(media="print")
    view.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not view.locator("#listen").is_visible()
    assert view.locator(".scoretable").is_visible()
    assert all(figure.is_visible() for figure in view.locator("figure").all())
    assert view.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    audible_run: Any, browser: Any, axe_violations: Callable[[Any], str], scheme: str
) -> None:
    view = Opened(browser, audible_run).view
    view.emulate_media(color_scheme=scheme)
    view.locator(".items tbody button").first.click()
    assert axe_violations(view) == "[]"
