"""Answers and the key become ratings: the side, the order and the copy are undone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench_listening.answers.ratings import Rating, read_ratings
from synbench_listening.answers.session_ratings import session_ratings
from synbench_listening.answers.submission import ChoiceAnswer, RatedAnswer
from synbench_listening.commands.import_results import import_results
from synbench_listening.design.session_plan import SessionPlan, plan_session
from synbench_listening.design.study_folder import Block, BlockPage, Key, PublicStudy, StudyFolder
from synbench_listening.importers.read_any import read_any
from synbench_listening.server.simulated_listener import SimulatedListener

Study = Callable[..., StudyFolder]


def one_page(folder: StudyFolder, kind: str, names: list[str], **more: Any) -> tuple[Key, str]:
    """The study with a single block of a single page; stimuli of item-a by condition."""
    key = folder.key()
    ids = {
        ("open" if s.role == "reference" else s.condition): s.id
        for s in key.stimuli.values()
        if s.item == "item-a"
    }
    page = BlockPage(
        kind=kind,  # type: ignore[arg-type]
        item="item-a",
        stimuli=tuple(ids[name] for name in names),
        **more,
    )
    return key.model_copy(update={"blocks": (Block(name="only", pages=(page,)),)}), ids["open"]


def ratings_of(key: Key, public: PublicStudy, answer: Any) -> list[Rating]:
    return session_ratings(
        key, public, block="only", session="s", answers={0: answer}, simulated=False
    )


@pytest.mark.parametrize(("x", "choice", "correct"), [(0, 0, 1), (0, 1, 0), (1, 1, 1), (1, 0, 0)])
def test_abx_is_right_where_x_was_found(
    study_by_hand: Study, x: int, choice: Any, correct: int
) -> None:
    folder = study_by_hand()
    for names in (["reference", "SecretCodec"], ["SecretCodec", "reference"]):
        key, _ = one_page(folder, "abx", [*names, names[x]], x=x)
        answer = ChoiceAnswer(kind="abx", choice=choice, heard=())
        (rating,) = ratings_of(key, folder.public(), answer)
        assert (rating.condition, rating.versus) == ("SecretCodec", "reference")
        assert rating.score == correct
        assert rating.answer == ("correct" if correct else "incorrect")


@pytest.mark.parametrize(
    ("names", "choice", "score"),
    [
        (["SecretCodec", "anchor70"], 0, 1), (["SecretCodec", "anchor70"], 1, -1),
        (["anchor70", "SecretCodec"], 0, -1), (["anchor70", "SecretCodec"], 1, 1),
        (["anchor70", "SecretCodec"], None, 0),
    ],
)  # fmt: skip
def test_preferences_are_for_the_first_by_name_whatever_the_side(
    study_by_hand: Study, names: list[str], choice: Any, score: int
) -> None:
    folder = study_by_hand()
    key, _ = one_page(folder, "ab", names)
    (rating,) = ratings_of(key, folder.public(), ChoiceAnswer(kind="ab", choice=choice, heard=()))
    assert (rating.condition, rating.versus, rating.score) == ("SecretCodec", "anchor70", score)
    assert rating.position == names.index("SecretCodec")


@pytest.mark.parametrize("names", [["reference", "SecretCodec"], ["SecretCodec", "reference"]])
def test_comparison_grades_are_of_the_codec_whatever_came_first(
    study_by_hand: Study, names: list[str]
) -> None:
    folder = study_by_hand()
    key, _ = one_page(folder, "ccr", names)
    given = [{"position": 1, "score": -2, "first_touch_ms": 5}]
    answer = RatedAnswer.model_validate({"kind": "ccr", "ratings": given, "heard": []})
    (rating,) = ratings_of(key, folder.public(), answer)
    # The second was graded worse than the first.
    assert rating.score == (-2 if names[1] == "SecretCodec" else 2)
    assert (rating.condition, rating.versus) == ("SecretCodec", "reference")


def test_bs1116_pairs_name_each_other(study_by_hand: Study) -> None:
    folder = study_by_hand()
    key, _ = one_page(folder, "bs1116", ["SecretCodec", "reference"])
    given = [{"position": p, "score": s, "first_touch_ms": 5} for p, s in ((0, 3.2), (1, 5))]
    answer = RatedAnswer.model_validate({"kind": "bs1116", "ratings": given, "heard": []})
    grades = {r.condition: (r.versus, r.score) for r in ratings_of(key, folder.public(), answer)}
    assert grades == {"SecretCodec": ("reference", 3.2), "reference": ("SecretCodec", 5)}


def test_training_is_never_in_the_results(study_by_hand: Study) -> None:
    folder = study_by_hand()
    key, _ = one_page(folder, "abx", ["reference", "SecretCodec", "reference"], x=0, training=True)
    answer = ChoiceAnswer(kind="abx", choice=0, heard=())
    assert ratings_of(key, folder.public(), answer) == []


class TestOfflineFiles:
    def file(self, folder: StudyFolder, path: Path, **changes: Any) -> Path:
        """What the page writes, answered by a made-up listener."""
        key, public = folder.key(), folder.public()
        plan, stimulus_of = plan_session(key, key.block("A"))
        answers = self.answers(folder, plan, stimulus_of)
        content = {
            "format": 1, "study": public.name, "version": public.version, "block": "A",
            "session": "P-1", "language": "en", "consent": public.consent_version,
            "state": "finished", "started_ms": 1, "finished_ms": 2, "user_agent": "test",
            "answers": answers, "events": [],
        }  # fmt: skip
        path.write_text(json.dumps(content | changes), encoding="utf-8")
        return path

    def answers(
        self, folder: StudyFolder, plan: SessionPlan, stimulus_of: Mapping[str, str]
    ) -> dict[str, Any]:
        key = folder.key()
        mind = SimulatedListener(
            1,
            folder.public(),
            lambda clip: folder.clip_path(key.stimuli[stimulus_of[clip.id]]).read_bytes(),
            sample_rate=16000,
        )
        return {
            str(page.n): {"uuid": f"{page.n:032x}", "revision": 1, "client_ms": 1,
                          "answer": {"kind": page.kind} | mind.answer(page)}
            for page in plan.pages[:-1]
        }  # fmt: skip

    def test_the_key_says_what_was_heard(self, study_by_hand: Study, tmp_path: Path) -> None:
        folder = study_by_hand()
        file = self.file(folder, tmp_path / "p1.json")
        out = tmp_path / "ratings.csv"
        arguments = [str(file), "--study", str(folder.path), "--out", str(out)]
        done = CliRunner().invoke(import_results, arguments)
        assert done.exception is None, done.output
        ratings = read_ratings(out)
        assert len(ratings) == 8
        assert {r.condition for r in ratings} == {
            "reference", "anchor35", "anchor70", "SecretCodec"
        }  # fmt: skip
        sent = json.loads(file.read_text(encoding="utf-8"))["answers"]
        key = folder.key()
        for rating in ratings:
            page = key.block("A").pages[rating.page or 0]
            stimulus = key.stimuli[page.stimuli[rating.position or 0]]
            assert (stimulus.condition, page.item) == (rating.condition, rating.item)
            given = sent[str(rating.page)]["answer"]["ratings"]
            assert rating.score == given[rating.position or 0]["score"]

    def test_other_files_are_refused(self, study_by_hand: Study, tmp_path: Path) -> None:
        folder = study_by_hand()
        path = tmp_path / "p.json"

        def read(**changes: Any) -> Any:
            from synbench_listening.importers.offline_session import read_offline_sessions

            return read_offline_sessions([self.file(folder, path, **changes)], folder)

        with pytest.raises(UsageError, match="is of by-hand, version x"):
            read(version="x")
        with pytest.raises(UsageError, match="no block 'Z'"):
            read(block="Z")
        with pytest.raises(UsageError, match="no result file"):
            read(answers=3)
        with pytest.raises(UsageError, match="say which study"):
            read_any(self.file(folder, path))
        unheard = {"kind": "mushra", "ratings": [], "heard": []}
        sent = {"uuid": "0" * 32, "revision": 1, "client_ms": 1, "answer": unheard}
        done = read(answers={"2": sent, "99": sent, "x": sent})
        assert done.ratings == []
        assert [r.reason for r in done.refusals] == [
            "page 2: unrated, unheard", "page '99' does not exist", "page 'x' does not exist"
        ]  # fmt: skip
