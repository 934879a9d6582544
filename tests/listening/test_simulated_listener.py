"""Made-up listeners answer as people might: the better recording, the count of beeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from synbench.errors import UsageError
from synbench_listening.answers.session_ratings import session_checks, session_ratings
from synbench_listening.answers.submission import Submission
from synbench_listening.commands.simulate import submission
from synbench_listening.design.build_study import wav_bytes
from synbench_listening.design.check_sounds import digit_sounds, environment_sounds, two_ear_sounds
from synbench_listening.design.session_plan import Clip, plan_session
from synbench_listening.design.study_folder import StudyFolder
from synbench_listening.server.simulated_listener import SimulatedListener, bursts

Speech = Callable[[int, int], Any]


def panel(folder: StudyFolder, listeners: int) -> list[tuple[str, dict[int, Any]]]:
    """Block and answers by page of each listener, without a server."""
    key, public = folder.key(), folder.public()
    sessions = []
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
        sessions.append((block.name, answers))
    return sessions


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
    means = {name: float(np.mean(grades)) for name, grades in scores.items()}
    names = ["Codec-A", "Codec-B", "Codec-C"]
    assert means["Codec-A"] > means["Codec-B"] > means["Codec-C"]
    if test == "acr":
        assert means["reference"] > means["Codec-B"]
    else:
        assert all(means[name] < 0 for name in names)
    # They do not all say the same, and do not keep to the ends of the scale.
    assert all(len(set(scores[name])) >= 2 for name in names)
    assert len({score for grades in scores.values() for score in grades}) >= 4


def test_checks_are_heard(
    build: Callable[..., StudyFolder], made_speech: Speech, tmp_path: Path
) -> None:
    for digit in range(10):
        voice = made_speech(digit, 4000)
        soundfile.write(tmp_path / f"{digit}.wav", voice, 16000)
    folder = build(
        pages=["headphones", "environment", "digits", "trials", "finish"], items={"count": 2},
        attention_checks=2, bandwidth_checks=2, two_ear_checks=2, not_standard=True,
        environment={"trials": 4, "needed": 4}, digits={"folder": str(tmp_path), "needed": 5},
    )  # fmt: skip
    for block, answers in panel(folder, 3):
        checks_passed = session_checks(folder.key(), folder.public(), block=block, answers=answers)
        once = dict.fromkeys(("headphones", "environment", "digits"), (1, 1))
        twice = dict.fromkeys(("attention", "bandwidth", "ears"), (2, 2))
        assert checks_passed == once | twice
    # The page is told the rules, never where the recordings of digits lie.
    assert str(tmp_path) not in (folder.path / "study.json").read_text()


def test_who_hears_with_one_ear_counts_too_few() -> None:
    for sound in two_ear_sounds(4, sample_rate=16000, seed=1):
        both = sound.wave.sum(axis=1)
        left = sound.wave[:, 0]
        assert len(bursts(wav_bytes(both, sample_rate=16000))) == sound.answer
        assert 0 < len(bursts(wav_bytes(left, sample_rate=16000))) < sound.answer


def test_the_faint_noise_is_as_faint_as_it_says(made_speech: Speech) -> None:
    speech = [made_speech(seed, 32000) for seed in range(6)]
    sounds = environment_sounds(speech, sample_rate=16000, snr_db=40, seed=3)
    answers = [sound.answer for sound in sounds[::2]]
    assert set(answers) == {0, 1}
    for wave, first, second in zip(speech, sounds[::2], sounds[1::2], strict=True):
        clean, noisy = (first, second) if first.answer == 0 else (second, first)
        assert np.array_equal(clean.wave, wave)
        noise = noisy.wave - wave
        # These have hardly a pause: the active level is within a decibel of the mean level.
        ratio = 10 * np.log10((wave**2).mean() / (noise**2).mean())
        assert ratio == pytest.approx(40, abs=1.5)


def test_digits_need_their_recordings(build: Callable[..., StudyFolder], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name the folder"):
        build(pages=["digits", "trials", "finish"])
    with pytest.raises(UsageError, match="no recording of the digit 0"):
        digit_sounds(tmp_path, 2, sample_rate=16000, snr_db=-5, seed=1)
