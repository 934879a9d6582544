"""A study as one HTML file, opened from the disk, and as a config of webMUSHRA."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
import yaml
from click.testing import CliRunner
from virtual_listener import VirtualListener

from synbench.errors import UsageError
from synbench_listening.answers.protocol import ResultFile
from synbench_listening.answers.ratings import read_ratings
from synbench_listening.answers.submission import find_problems
from synbench_listening.commands.group import listen
from synbench_listening.delivery import offline_bundle
from synbench_listening.delivery.offline_bundle import bundle_study
from synbench_listening.delivery.webmushra_export import export_webmushra, read_webmushra_key
from synbench_listening.design.session_plan import SessionPlan, plan_session
from synbench_listening.design.study import Listening
from synbench_listening.design.study_folder import StudyFolder

Write = Callable[..., StudyFolder]
HOSTILE = "a: \"b\" & 'c' <br/> äöü 语音 \n 0012 " + "long " * 60


def block_of(html: str, name: str) -> Any:
    match = re.search(f'id="{name}">(.*?)</script>', html, re.S)
    assert match is not None
    return json.loads(match[1])


def test_one_file_has_everything_and_names_nothing(study_by_hand: Write, tmp_path: Path) -> None:
    folder = study_by_hand(title={"en": "</script><b>"})
    out = tmp_path / "study.html"
    result = CliRunner().invoke(listen, ["bundle", str(folder.path), "--out", str(out)])
    assert result.exit_code == 0, result.output
    html = out.read_text()
    for secret in ("SecretCodec", "anchor35", "item-a", *folder.key().stimuli):
        assert secret not in html
    assert "http://" not in html.replace("http://www.w3.org", "") and "src=" not in html.lower()
    start = block_of(html, "start")
    assert start["study"]["version"] == folder.public().version and start["blocks"] == ["A", "B"]
    plan = SessionPlan.model_validate(block_of(html, "plan-B"))
    clips = block_of(html, "clips-B")
    stimulus = folder.key().block("B").pages[2].stimuli[1]
    clip = clips[plan.pages[2].stimuli[1].id]
    match = re.search(f'id="audio-{clip}">(.*?)</script>', html)
    assert match is not None
    data = folder.clip_path(folder.key().stimuli[stimulus]).read_bytes()
    assert base64.b64decode(match[1]) == data
    assert len({len(each) for each in re.findall('id="audio-[0-9]+">(.*?)<', html)}) == 1


def test_a_file_too_large_names_its_largest_items(
    study_by_hand: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline_bundle, "LARGEST_BYTES", 1000)
    with pytest.raises(UsageError, match=r"largest items are item-[ab] \(0.3 MB\)"):
        bundle_study(study_by_hand())


class _Disk:
    """Looks like a server to the virtual listener, but is the file itself."""

    def __init__(self, folder: StudyFolder, page: Any) -> None:
        self.key, self.public, self.page = folder.key(), folder.public(), page

    @property
    def session(self) -> Any:
        return self

    block = "B"
    state = "finished"

    @property
    def plan(self) -> SessionPlan:
        return plan_session(self.key, self.key.block("B"))[0]

    @property
    def answers(self) -> dict[int, Any]:
        stored = self.page.evaluate(
            "Object.entries(localStorage).find(([k]) => k.startsWith('synbench offline'))?.[1]"
        )
        return {int(n): answer for n, answer in json.loads(stored)["answers"].items()}


@pytest.mark.slow
def test_the_file_from_disk_gives_a_result_file(
    browser: Any, study_by_hand: Write, tmp_path: Path
) -> None:
    folder = study_by_hand(listening=Listening(minimum_share=0.1))
    path = tmp_path / "study.html"
    path.write_bytes(bundle_study(folder))
    page = browser.new_context(accept_downloads=True, locale="en").new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    disk: Any = _Disk(folder, page)
    listener = VirtualListener(page, disk, by_keyboard=True)
    page.goto(path.as_uri())
    page.locator("input[type=text]").fill("4")
    page.locator("button.main").click()
    listener.sound_test()
    for plan in disk.plan.pages[:-1]:
        listener.answer(plan)
        page.reload()
        if plan.n < 3:
            listener.press_main()
    listener.press_main()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download").first.click()
    result = ResultFile.model_validate_json(Path(downloading.value.path()).read_bytes())
    assert (result.study, result.block, result.session, result.state) == (
        "by-hand",
        "B",
        "4",
        "finished",
    )
    for n, sent in result.answers.items():
        assert find_problems(disk.plan.pages[int(n)], sent.answer, folder.public()) == []
    assert {event.type for event in result.events} >= {"audio", "play", "page"}
    assert [url for url in requests if not url.startswith(("file:", "blob:", "data:"))] == []
    assert listener.errors == []


def test_a_config_for_webmushra_is_exact_and_opaque(build: Any, tmp_path: Path) -> None:
    folder = build(
        title=HOSTILE,
        questionnaire=[
            {"name": "age", "label": "Age", "type": "number", "minimum": 18, "maximum": 99},
            {"name": "ears", "label": "Ears", "type": "choice", "choices": ["good", "bad"]},
        ],
    )
    out = tmp_path / "export"
    result = CliRunner().invoke(listen, ["webmushra", str(folder.path), "--out", str(out)])
    assert result.exit_code == 0, result.output
    text = (out / "configs" / "made.yaml").read_text(encoding="utf-8")
    assert "\n" not in text and "\\u" not in text
    config = json.loads(text)
    # The form is YAML too, and a parser of it has to read the same.
    assert yaml.safe_load(text) == config
    assert (
        config["testname"].endswith("long ") and "&lt;br/&gt; äöü 语音 <br/>" in config["testname"]
    )
    assert [page["type"] for page in config["pages"] if isinstance(page, dict)] == [
        "generic",
        "likert_single_stimulus",
        "mushra",
        "finish",
    ]
    name, *trials = config["pages"][3]
    assert name == "random" and len(trials) == 4
    key = read_webmushra_key(folder)
    for trial in trials:
        conditions = key[trial["id"]]["stimuli"]
        assert sorted(conditions[c] for c in trial["stimuli"]) == [
            "Codec-A",
            "Codec-B",
            "Codec-C",
            "anchor35",
            "anchor70",
        ]
        assert not trial["createAnchor35"] and not key[trial["id"]]["training"]
        files = [out / path for path in (trial["reference"], *trial["stimuli"].values())]
        assert len({file.stat().st_size for file in files}) == 1
        assert {soundfile.info(file).samplerate for file in files} == {48000}
    names = text + " ".join(str(path) for path in out.rglob("*"))
    for secret in ("Codec-A", "codec-a", "anchor35:", "anchor35.", "item-", *folder.key().stimuli):
        assert secret not in names
    assert (
        config["pages"][-1]["showErrors"] and config["pages"][-1]["questionnaire"][1]["min"] == 18
    )


@pytest.mark.parametrize(
    ("test", "page"),
    [("bs1116", "bs1116"), ("abx", "paired_comparison"), ("acr", "likert_single_stimulus")],
)
def test_other_tests_have_their_pages(build: Any, tmp_path: Path, test: str, page: str) -> None:
    folder = build(test=test, items={"count": 2})
    config = export_webmushra(folder, tmp_path / "export", collector="compat/webmushra/made")
    pages = json.loads(config.read_text(encoding="utf-8"))["pages"]
    assert [each["type"] for each in pages[2][1:]] == [page] * 2
    assert len(pages[2][1]["stimuli"]) == 3 + (test == "acr")


def test_what_webmushra_cannot_ask_is_refused(build: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no page for ab"):
        export_webmushra(build(test="ab", items={"count": 2}), tmp_path / "export")


def test_what_webmushra_collects_comes_back_under_its_names(
    build: Any, made_run: Any, tmp_path: Path
) -> None:
    folder = build(systems=["codec-a"])
    config = export_webmushra(folder, tmp_path / "export")
    pages = json.loads(config.read_text(encoding="utf-8"))["pages"]
    key = read_webmushra_key(folder)
    scores = {"reference": 100, "anchor35": 11, "anchor70": 44, "Codec-A": 77}
    rows = [
        "session_test_id,listener,session_uuid,trial_id,rating_stimulus,rating_score,"
        "rating_time,rating_comment"
    ]
    for page in [pages[2], *pages[3][1:]]:
        for name, condition in key[page["id"]]["stimuli"].items():
            rows.append(
                f"made,Lä,0a8f3c1e-1111-4222-8333-444455556666,{page['id']},{name},"
                f"{scores[condition]},5000,"
            )
    table = tmp_path / "mushra.csv"
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    out = tmp_path / "ratings.csv"
    command = ["import", str(table), "--study", str(folder.path), "--out", str(out)]
    result = CliRunner().invoke(listen, command)
    assert result.exit_code == 0, result.output
    ratings = read_ratings(out)
    assert len(ratings) == 16 and "4 ratings of training pages left out" in result.output
    assert {(r.condition, r.score) for r in ratings} == set(scores.items())
    trained = next(page["item"] for page in key.values() if page["training"])
    items = {rating.item for rating in ratings}
    assert len(items) == 4 and trained not in items and items < {f"item-{k}" for k in range(10)}
