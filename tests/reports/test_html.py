"""The HTML report of a run made by hand: what it holds, and how it behaves in a browser."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench_reports.build_report import read_selection

pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'synbench[reports]'")

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def page(run: Any) -> str:
    from synbench_reports.render_html import render_html

    return render_html(read_selection(run.folder), beside=run.folder)


def test_the_page_is_the_same_twice_and_names_nothing_remote(made_run: Any) -> None:
    text = page(made_run)
    assert text == page(made_run)
    remote = [part for part in ("src=", "<link", "url(http", "@import") if part in text]
    assert not remote
    assert "default-src &#x27;none&#x27;" in text or "default-src 'none'" in text


def test_failures_have_reasons_and_nasty_names_stay_text(made_run: Any) -> None:
    made_run.score("alpha", "b", "mos", reason="crashed </script><b>bold</b>")
    made_run.corpus_notes["speech"] = "<img src=x>"
    made_run.save()
    made_run.begin()
    text = page(made_run)
    assert "failed: crashed \\u003c/script>" in text
    assert "<img" not in text
    assert "</script><b>bold" not in text


@pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")
def test_a_browser_sorts_and_fits_a_phone(made_run: Any) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    from synbench_reports.report_command import report

    done = CliRunner().invoke(report, [str(made_run.folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    troubles: list[str] = []
    requests: list[str] = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 390, "height": 844})
        view.on("console", lambda message: troubles.append(message.text))
        view.on("pageerror", lambda error: troubles.append(str(error)))
        view.on("request", lambda request: requests.append(request.url))
        view.goto(Path(made_run.folder / "report.html").resolve().as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") <= 390
        view.get_by_role("button", name="MOS").first.click()
        rows = view.locator("tbody").first.locator("tr th").all_inner_texts()
        assert rows == ["Alpha", "Beta", "Reference"]
        view.get_by_role("button", name="MOS").first.click()
        rows = view.locator("tbody").first.locator("tr th").all_inner_texts()
        assert rows == ["Reference", "Beta", "Alpha"]
        view.get_by_label("Item", exact=True).select_option("1")
        assert view.locator(".scores tbody tr").nth(1).inner_text().split() == [
            "Alpha",
            "2.000",
            "0.250",
        ]
        browser.close()
    assert troubles == []
    assert len(requests) == 1
