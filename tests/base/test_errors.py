"""One tree of errors: what the drawing says, what is caught, and the exit code that follows."""

from __future__ import annotations

import pickle
import re

import pytest

import synbench_codecs
import synbench_metrics
from synbench.__main__ import exit_code
from synbench.errors import SynbenchError
from synbench_base import errors


def drawn() -> dict[str, str]:
    """Class name to the name of the class above it, as drawn at the top of the module."""
    parents: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"([ │├└─]*)([A-Z]\w+)", line)
        if not match or match[2] not in errors.__all__:
            continue
        depth = len(match[1])
        above = [entry for entry in above if entry[0] < depth]
        parents[match[2]] = above[-1][1] if above else "Exception"
        above.append((depth, match[2]))
    return parents


def test_the_drawing_is_the_tree() -> None:
    real = {name: getattr(errors, name).__base__.__name__ for name in errors.__all__}
    assert drawn() == real


@pytest.mark.parametrize(
    "ask",
    [
        lambda: synbench_codecs.load("opsu"),
        lambda: synbench_codecs.load("opus", bitrate=1),
        lambda: synbench_metrics.load("pesqwb"),
    ],
)
def test_one_except_catches_what_any_package_raises(ask) -> None:
    with pytest.raises(SynbenchError, match="did you mean") as caught:
        ask()
    assert exit_code(caught.value) == 2


def test_the_packages_offer_the_same_classes() -> None:
    import synbench.errors
    import synbench_codecs.errors
    import synbench_metrics.errors

    for package in (synbench.errors, synbench_codecs.errors, synbench_metrics.errors):
        for name in set(package.__all__) & set(errors.__all__):
            assert getattr(package, name) is getattr(errors, name)


@pytest.mark.parametrize(
    "error",
    [
        errors.MissingWeights("model", "a.pt"),
        errors.MissingWeights("model", "a.pt", "name your own"),
        errors.UnpublishedWeights("dac:rate=1"),
        errors.WeightsError("another file"),
        errors.NotApplicable("too short"),
    ],
)
def test_errors_come_back_from_a_worker(error: SynbenchError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_the_exit_code_follows_from_the_class() -> None:
    assert exit_code(errors.EnvironmentFault("full")) == 3
    assert exit_code(errors.MissingWeights("model", "a.pt")) == 3
    assert exit_code(errors.BitstreamError("cut")) == 2
    assert exit_code(ValueError("a bug")) is None
