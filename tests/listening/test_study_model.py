"""The design file, the built folder, a session's plan, and what is wrong with an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from synbench.errors import UsageError
from synbench_listening.answers.submission import (
    Answer,
    RatedAnswer,
    Submission,
    find_problems,
    is_right,
)
from synbench_listening.delivery.page import data_block, render_page
from synbench_listening.design.session_plan import PlanPage, plan_session
from synbench_listening.design.study import load_study
from synbench_listening.design.study_folder import BlockPage, StudyFolder

Write = Callable[..., StudyFolder]


def answer(**values: Any) -> Any:
    return TypeAdapter(Answer).validate_python(values)


def rated(page: PlanPage, scores: dict[int, float], **changes: Any) -> Any:
    heard = [{"position": p, "plays": 1, "seconds": 1.0} for p in range(-1, len(page.stimuli))]
    ratings = [{"position": p, "score": s, "first_touch_ms": 9} for p, s in scores.items()]
    return answer(**{"kind": page.kind, "ratings": ratings, "heard": heard} | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\ntest: mushra\nitem: {count: 3}", "did you mean items"),
        ("name: a\ntest: mushra\nitems: {counts: 3}", "did you mean count"),
        ("name: A b\ntest: mushra", "name"),
        ("name: a\ntest: musrha", "test"),
        ("name: a\ntest: ab\nitems: {count: 7}\nitems_per_listener: 3", "no multiple"),
        ("name: a\ntest: ab\npages: [trials, consent, finish]", "first page"),
        ("name: a\ntest: ab\nquestionnaire: [{name: x, label: X, type: choice}]", "choices"),
        (
            "name: a\ntest: ab\nlanguages: [en, de]\ntitle: {en: Hello}",
            "no 'de' text beside 'Hello'",
        ),
        ("- 1", "expected keys"),
        ("a: [", "YAML"),
    ],
)
def test_a_wrong_design_is_refused_with_a_hint(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        load_study(path)


def test_a_built_folder_is_read_back_and_guarded(study_by_hand: Write) -> None:
    folder = study_by_hand()
    key = folder.key()
    assert len(key.stimuli) == 10 and key.block("B").name == "B"
    path = folder.path / "key.json"
    path.write_text(path.read_text().replace("SecretCodec", "OtherCodec"))
    with pytest.raises(UsageError, match="changed after the build"):
        folder.key()
    with pytest.raises(UsageError, match="no built study"):
        StudyFolder(folder.path / "nowhere").public()


def test_a_plan_names_nothing_and_shares_no_id(study_by_hand: Write) -> None:
    folder = study_by_hand()
    key = folder.key()
    plan, stimulus_of = plan_session(key, key.block("A"))
    again, others = plan_session(key, key.block("A"))
    text = plan.model_dump_json() + folder.public().model_dump_json()
    for secret in ("SecretCodec", "anchor", "item-a", *key.stimuli):
        assert secret not in text
    assert len(stimulus_of) == 10 and not stimulus_of.keys() & others.keys()
    assert sorted(stimulus_of.values()) == sorted(others.values())
    page = plan.pages[2]
    assert [stimulus_of[clip.id] for clip in page.stimuli] == list(key.block("A").pages[2].stimuli)
    assert (page.trial, plan.trials, again.pages[3].trial) == (1, 2, 2)


def test_unrated_unheard_and_impossible_answers_are_told_apart(study_by_hand: Write) -> None:
    folder = study_by_hand()
    key, study = folder.key(), folder.public()
    page = plan_session(key, key.block("A"))[0].pages[2]
    good = {0: 100.0, 1: 20.0, 2: 0.0, 3: 55.0}
    assert find_problems(page, rated(page, good), study) == []
    assert find_problems(page, rated(page, good, heard=[]), study) == ["unheard"]
    assert find_problems(page, rated(page, {0: 1, 1: 2}), study) == ["unrated"]
    assert find_problems(page, rated(page, good | {3: 101.0}), study) == ["out_of_range"]
    assert find_problems(page, rated(page, good | {3: float("nan")}), study) == ["out_of_range"]
    assert find_problems(page, rated(page, good | {3: 5.5}), study) == ["between_steps"]
    assert find_problems(page, rated(page, good | {4: 1.0}), study) == ["wrong_positions"]
    assert find_problems(page, answer(kind="break"), study) == ["wrong_kind"]
    strict = study.model_copy(
        update={"listening": study.listening.model_copy(update={"require_hundred": "enforce"})}
    )
    assert find_problems(page, rated(page, good | {0: 99.0}), strict) == ["no_hundred"]


def test_the_questionnaire_is_checked_by_type_and_range(study_by_hand: Write) -> None:
    folder = study_by_hand()
    key, study = folder.key(), folder.public()
    page = plan_session(key, key.block("A"))[0].pages[1]

    def problems(**values: Any) -> list[str]:
        return find_problems(page, answer(kind="questionnaire", values=values), study)

    text = 'a & b + c % "d"\n=HYPERLINK("x") 😀'
    assert problems(age=33, remark=text) == []
    assert problems(age=33) == []
    assert problems(remark=text) == ["incomplete"]
    assert problems(age=17) == ["out_of_range"]
    assert problems(age="33") == ["no_number"]
    assert problems(age=33, other=1) == ["unknown_question"]
    sent = Submission.model_validate_json(
        json.dumps(
            {
                "uuid": "0" * 32,
                "revision": 1,
                "client_ms": 1,
                "answer": {"kind": "questionnaire", "values": {"remark": text}},
            }
        )
    )
    assert sent.answer.values["remark"] == text  # type: ignore[union-attr]


def test_right_answers_are_known_to_the_key_alone(study_by_hand: Write) -> None:
    folder = study_by_hand()
    key, public = folder.key(), folder.public()
    page = BlockPage(kind="abx", stimuli=tuple(key.stimuli)[:3], x=1)
    assert is_right(key, public, page, answer(kind="abx", choice=1, heard=[])) is True
    assert is_right(key, public, page, answer(kind="abx", choice=0, heard=[])) is False
    assert is_right(key, public, page, answer(kind="break")) is None
    assert "x" not in PlanPage.model_fields


def test_text_of_a_study_cannot_become_markup(study_by_hand: Write) -> None:
    hostile = "</script><script>alert(1)</script>"
    public = study_by_hand(title={"en": hostile}).public()
    page = render_page(public)
    assert "alert(1)</script>" not in page
    assert hostile not in data_block("x", hostile)
    start = page.split('id="start">')[1].split("</script>")[0]
    assert json.loads(start)["study"]["title"]["en"] == hostile


def test_an_answer_has_no_other_keys() -> None:
    with pytest.raises(ValueError, match="extra"):
        RatedAnswer.model_validate({"kind": "acr", "ratings": [], "heard": [], "condition": "x"})
