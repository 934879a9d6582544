"""Conditions of a suite: what they multiply out to, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench.conditions.condition import read_conditions
from synbench.errors import UsageError


def labels(*entries: object) -> list[str]:
    return [condition.label for condition in read_conditions(entries, folder=Path())]


def test_lists_multiply_and_clean_comes_first() -> None:
    assert labels({"noise": "white", "snr_db": [20, 5]}, "clean", {"level_db": [-20, 10]}) == [
        "clean",
        "white 20 dB",
        "white 5 dB",
        "level -20 dB",
        "level +10 dB",
    ]
    assert labels({"channel": {"frame_loss": [0.02, 0.1], "burst": 2.5}}) == [
        "2 % loss in bursts of 2.5",
        "10 % loss in bursts of 2.5",
    ]
    assert labels({"tandem": [2, 3]}) == ["tandem 2", "tandem 3"]
    assert labels({"tandem": ["opus:bitrate_bps=12000", "p2psyncodec"]}) == [
        "after opus:bitrate_bps=12000 and p2psyncodec"
    ]
    assert labels({"noise": "white", "snr_db": 10, "channel": {"bit_errors": "1e-3"}}) == [
        "white 10 dB, bit errors 0.001"
    ]


def test_identity_is_of_content_and_names_no_path(tmp_path: Path) -> None:
    def identity(folder: Path, level: float) -> str:
        folder.mkdir()
        soundfile.write(folder / "n.wav", np.full(100, level), 16000)
        (condition,) = read_conditions([{"noise": "n.wav", "snr_db": 10}], folder=folder)
        assert str(tmp_path) not in str(dict(condition.settings))
        return condition.identity

    one, same, other = (
        identity(tmp_path / name, level) for name, level in (("a", 0.1), ("b", 0.1), ("c", 0.2))
    )
    assert one == same != other
    assert read_conditions(["clean"], folder=tmp_path)[0].identity == ""


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("cleen", "expected a condition such as 'clean'"),
        ({"nois": "white"}, "unknown condition 'nois'; did you mean noise?"),
        ({"noise": "wite", "snr_db": 3}, "did you mean white?"),
        ({"noise": "white"}, "needs a ratio"),
        ({"snr_db": 3}, "snr_db needs a noise"),
        ({"noise": "white", "snr_db": "loud"}, "expected a number for snr_db"),
        ({"reverb": {"rt6": 1}}, "did you mean rt60?"),
        ({"reverb": {"rt60": 30}}, "expected rt60 from 0.1 to 3"),
        ({"channel": {"bit_error": 0.1}}, "did you mean bit_errors?"),
        ({"channel": {"bit_errors": 2}}, "from 0 to 1"),
        ({"channel": {"bit_errors": 0.1, "frame_loss": 0.1}}, "expected one of"),
        ({"channel": {"frame_loss": 0.1, "conceal": "guess"}}, "repeat|zero|codec"),
        ({"channel": {"frame_loss": 0.9, "burst": 2}}, "needs a burst of at least 9 slots"),
        ({"channel": {"bit_errors": 0.1, "burst": 2}}, "belong to frame_loss"),
        ({"tandem": 1}, "expected tandem from 2 to 10"),
        ({"level_db": []}, "the list of level_db is empty"),
        ({}, "expected a condition"),
    ],
)
def test_mistakes_are_explained(entry: object, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("|", r"\|").replace("?", r"\?")):
        read_conditions([entry], folder=Path())


def test_a_condition_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="'white 10 dB' twice"):
        labels({"noise": "white", "snr_db": [10, 10]})
