"""Made-up listeners answer as people might: the better recording, the count of beeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synbench_listening.answers.session_ratings import session_checks, session_ratings
from synbench_listening.answers.submission import Submission
from synbench_listening.commands.simulate import submission
from synbench_listening.design.session_plan import Clip, plan_session
from synbench_listening.design.study_folder import StudyFolder
from synbench_listening.server.simulated_listener import SimulatedListener


def panel(folder: StudyFolder, listeners: int) -> list[tuple[str, dict[int, Any]]]:
    """Block and answers by page of each listener, without a server."""
    key, public = folder.key(), folder.public()
    found = []
    for number in range(listeners):
        block = key.blocks[number % len(key.blocks)]
        plan, stimulus_of = plan_session(key, block)

        def hear(clip: Clip, names: dict[str, str] = stimulus_of) -> bytes:
            return folder.clip_path(key.stimuli[names[clip.id]]).read_bytes()

        said = {stimulus.sha256: stimulus.transcript for stimulus in key.stimuli.values()}
        mind = SimulatedListener(number, public, hear, sample_rate=plan.sample_rate, said=said)
        answers = {}
        for page in plan.pages[:-1]:
            body = submission({"kind": page.kind} | mind.answer(page))
            answers[page.n] = Submission.model_validate(body).answer
        found.append((block.name, answers))
    return found


@pytest.mark.parametrize("test", ["acr", "ccr"])
def test_without_a_reference_the_worse_system_gets_the_worse_grades(
    build: Callable[..., StudyFolder], test: str
) -> None:
    folder = build(test=test, pages=["trials", "finish"], items={"count": 6})
    scores: dict[str, list[float]] = {}
    for number, (block, answers) in enumerate(panel(folder, 8)):
        for rating in session_ratings(
            folder.key(), folder.public(), block=block, session=str(number), answers=answers,
            simulated=True,
        ):  # fmt: skip
            scores.setdefault(rating.condition, []).append(rating.score)
    means = {name: float(np.mean(found)) for name, found in scores.items()}
    names = ["Codec-A", "Codec-B", "Codec-C"]
    assert means["Codec-A"] > means["Codec-B"] > means["Codec-C"]
    if test == "acr":
        assert means["reference"] > means["Codec-B"]
    else:
        assert all(means[name] < 0 for name in names)
    # They do not all say the same, and do not keep to the ends of the scale.
    assert all(len(set(scores[name])) >= 2 for name in names)
    assert len({score for found in scores.values() for score in found}) >= 4


def test_checks_are_heard(build: Callable[..., StudyFolder]) -> None:
    folder = build(
        pages=["headphones", "trials", "finish"], items={"count": 2}, attention_checks=2,
        bandwidth_checks=2, not_standard=True,
    )  # fmt: skip
    for block, answers in panel(folder, 3):
        found = session_checks(folder.key(), folder.public(), block=block, answers=answers)
        assert found == {"headphones": (1, 1), "attention": (2, 2), "bandwidth": (2, 2)}
