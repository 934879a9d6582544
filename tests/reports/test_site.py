"""``synbench site``: what lies in the folder, what is added, and how it behaves in a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench_reports.commands.site import site

from .conftest import MadeRun, codec


def made_site(*arguments: object) -> str:
    done = CliRunner().invoke(site, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def results(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "results.json").read_text(encoding="utf-8")))


@pytest.fixture
def other_run(made_run: Any, tmp_path: Path) -> Any:
    """One more codec on the same items, by a stranger with an odd mind."""
    nasty = "</script><img src=x onerror=alert(1)>"
    made = MadeRun(
        folder=tmp_path / "runs" / "other",
        codecs=[codec(f"Gamma {nasty}", spec="gamma")],
        metrics=made_run.metrics,
        items=made_run.items,
        suite={"name": f"../../other {nasty}"},
    )
    made.begin()
    for item in "abc":
        made.decode("gamma", item)
        made.score("gamma", item, "mos", 4.0)
    made.save()
    return made


def test_a_run_is_added_by_the_same_command(made_run: Any, other_run: Any, tmp_path: Path) -> None:
    out = tmp_path / "site"
    assert "1 runs" in made_site(made_run.folder, "--out", out)
    assert len(results(out)["boards"][0]["rows"]) == 3
    assert "2 runs" in made_site(other_run.folder, "--out", out)
    assert len(results(out)["boards"][0]["rows"]) == 4
    # Named again it is no third one; and a folder of runs is all of them.
    assert "2 runs" in made_site(tmp_path / "runs", "--out", out)
    assert "1 runs" in made_site(other_run.folder, "--out", out, "--replace")
    assert len(results(out)["boards"][0]["rows"]) == 1


def test_the_same_runs_give_the_same_bytes(made_run: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        made_site(made_run.folder, "--out", tmp_path / name)
    names = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*"))
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_folder_of_something_else_is_left_alone(made_run: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "page.css").write_text("mine")
    with pytest.raises(UsageError, match="is no site of synbench"):
        made_site(made_run.folder, "--out", tmp_path / "thesis")
    assert (tmp_path / "thesis" / "page.css").read_text() == "mine"


def test_no_text_of_a_run_becomes_a_name_or_markup(other_run: Any, tmp_path: Path) -> None:
    other_run.items = {"../../climbing": other_run.items["speech"]}
    other_run.begin()
    out = tmp_path / "deep" / "site"
    made_site(other_run.folder, "--out", out)
    assert not list(tmp_path.rglob("*climbing*"))
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert names == {
        "index.html",
        "page.css",
        "page.js",
        "results.json",
        "site.json",
        "data/results.js",
        *(f"data/board0-{part}.js" for part in ("items", "metric0", "metric1")),
    }
    assert "onerror" not in (out / "index.html").read_text()


def test_a_listening_test_has_a_tab_and_is_remembered(
    made_run: Any,
    other_run: Any,
    mushra_analysis: Path,
    tmp_path: Path,
    launch_chromium: Callable[..., Any],
    axe_violations: Callable[[Any], str],
) -> None:
    out = tmp_path / "site"
    made_site(made_run.folder, "--out", out)
    assert results(out)["listening"] == []
    made_site(made_run.folder, "--out", out, "--listening", mushra_analysis)
    made_site(other_run.folder, "--out", out)
    assert [test["name"] for test in results(out)["listening"]] == ["mushra"]
    view = launch_chromium().new_page()
    view.goto((out / "index.html").as_uri())
    view.get_by_role("tab", name="Listening tests").click()
    panel = view.locator("[role=tabpanel]:visible")
    panel.locator("svg.chart").wait_for()
    titles = panel.locator("svg.chart title").all_text_contents()
    assert "Beta: 40.00 [40.00, 40.00]" in titles
    assert "1 listener was left out" in panel.inner_text()
    assert panel.locator("table").first.locator("tbody tr").count() == 4
    assert axe_violations(view) == "[]"


def test_tabs_sort_and_ask_nobody(
    made_run: Any, other_run: Any, tmp_path: Path, launch_chromium: Callable[..., Any]
) -> None:
    out = tmp_path / "site"
    made_site(made_run.folder, other_run.folder, "--out", out)
    view = launch_chromium().new_page(viewport={"width": 1280, "height": 844})
    troubles: list[str] = []
    requests: list[str] = []
    view.on("console", lambda message: troubles.append(message.text))
    view.on("pageerror", lambda error: troubles.append(str(error)))
    view.on("dialog", lambda dialog: troubles.append(dialog.message))
    view.on("request", lambda request: requests.append(request.url))
    view.goto((out / "index.html").as_uri())
    # A leaderboard has the best first.
    view.locator(".scoretable").wait_for()
    names = view.locator(".scoretable tbody th").all_inner_texts()
    assert [name[:4] for name in names] == ["Refe", "Gamm", "Beta", "Alph"]
    assert "</script><img src=x onerror=alert(1)>" in names[1]
    first = len(requests)
    view.get_by_role("tab", name="Listen").click()
    view.locator(".player .name").wait_for()
    asked = [Path(url).name for url in requests[first:]]
    assert asked == ["board0-items.js", "board0-metric0.js"]
    for tab in view.get_by_role("tab").all():
        tab.click()
        panel = view.locator("[role=tabpanel]:visible")
        assert panel.count() == 1
        panel.locator(".content > *").first.wait_for()
    assert view.locator(".content .warning[role=alert]").count() == 0
    assert all(url.startswith(out.as_uri()) for url in requests)
    assert troubles == []
