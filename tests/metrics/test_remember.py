"""Shared work: no score depends on what was scored before, and the memory has an end."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synbench_metrics import _remember, load, score
from synbench_metrics import stoi as intelligibility
from synbench_metrics.errors import Unavailable
from synbench_metrics.visqol import _reference as _visqol_reference

WAVE = np.arange(8.0)


@pytest.fixture
def counted():
    """A remembered function of a wave and a number, and the calls that reached it."""
    calls = []

    @_remember.remember(entries=2)
    def double(wave, number):
        if number < 0:
            raise ValueError("negative")
        calls.append(number)
        return wave * number

    return double, calls


def test_equal_calls_are_computed_once(counted):
    double, calls = counted
    first = double(WAVE, 2)
    assert double(WAVE.copy(), 2) is first
    assert calls == [2]


def test_a_wave_changed_in_place_is_another_wave(counted):
    double, calls = counted
    wave = WAVE.copy()
    before = double(wave, 2)
    wave[0] = 5.0
    assert double(wave, 2)[0] == 10.0
    assert before[0] == 0.0
    assert calls == [2, 2]


@pytest.mark.parametrize("other", [-0.0 * WAVE, WAVE[:7], np.nextafter(WAVE, 9)])
def test_what_differs_by_a_bit_or_in_length_is_another_wave(counted, other):
    double, calls = counted
    double(0.0 * WAVE if not other.any() else WAVE, 2)
    double(other, 2)
    assert calls == [2, 2]


def test_the_oldest_call_is_let_go(counted):
    double, calls = counted
    for number in (1, 2, 3, 3, 2, 1):
        double(WAVE, number)
    assert calls == [1, 2, 3, 1]


def test_an_error_is_not_kept(counted):
    double, calls = counted
    for _ in range(2):
        with pytest.raises(ValueError, match="negative"):
            double(WAVE, -1)
    assert calls == []


def test_a_long_wave_is_not_kept(counted, monkeypatch):
    double, calls = counted
    monkeypatch.setattr(_remember, "LARGEST_ARGUMENT_BYTES", WAVE.nbytes - 1)
    double(WAVE, 2)
    double(WAVE, 2)
    assert calls == [2, 2]


def test_forgetting_lets_everything_go(counted):
    double, calls = counted
    double(WAVE, 2)
    _remember.forget()
    double(WAVE, 2)
    assert calls == [2, 2]


COLUMNS = ("stoi", "estoi", "visqol_speech_exp", "visqol_speech_lattice", "pesq_wb")
STRETCHES = (slice(0, 19000), slice(20000, 44000))
STEPS = (12, 50)  # of a coarse quantiser


@pytest.fixture(scope="module")
def value_of(synthetic):
    """Score a column, a stretch of speech and a quantiser, all in the same two buffers."""
    speech = synthetic(16000).reference
    buffers = np.zeros((2, speech.size))

    def score_in_place(column: str, stretch: int, steps: int) -> float | None:
        part = speech[STRETCHES[stretch]]
        reference, degraded = buffers[:, : part.size]
        reference[:] = part
        degraded[:] = np.round(part * steps) / steps
        outcome = score(load(column), reference=reference, degraded=degraded, sample_rate=16000)
        assert outcome.status == "ok", outcome.reason
        return outcome.value

    return score_in_place


@pytest.fixture(scope="module")
def alone(value_of) -> dict[tuple[str, int, int], float]:
    """Every score, computed without a memory of the others."""
    values = {}
    for column, stretch, steps in itertools.product(COLUMNS, (0, 1), STEPS):
        try:
            load(column).check()
        except Unavailable:
            continue
        _remember.forget()
        values[column, stretch, steps] = value_of(column, stretch, steps)
    assert len(set(values.values())) == len(values)
    return values


@settings(max_examples=12, deadline=None, derandomize=True)
@given(order=st.lists(st.integers(0, 10**6), min_size=2, max_size=6))
def test_in_any_order_every_score_is_the_same_to_the_bit(alone, value_of, order):
    cells = list(alone)
    for index in order:
        cell = cells[index % len(cells)]
        assert value_of(*cell) == alone[cell]


def test_the_reference_is_analysed_once(monkeypatch, value_of):
    """Two codecs by four columns: one resampled reference, one spectrogram."""
    analysed = []
    for module, name in ((intelligibility, "active_frames"), (_visqol_reference, "voiced_patches")):
        original = getattr(module, name)

        def counting(*arguments, original=original, name=name):
            analysed.append(name)
            return original(*arguments)

        monkeypatch.setattr(module, name, counting)
    _remember.forget()
    for steps in STEPS:
        for column in ("stoi", "visqol_speech_exp", "estoi", "visqol_speech_exp"):
            value_of(column, 0, steps)
    assert sorted(analysed) == ["active_frames", "voiced_patches"]


def test_a_long_file_takes_little_more_than_itself():
    """Three minutes: segments are made in blocks, and nothing of the file is kept."""
    import tracemalloc

    wave = 0.1 * np.random.default_rng(0).standard_normal(180 * 16000)
    tracemalloc.start()
    intelligibility.extended_intelligibility(reference=wave, degraded=0.5 * wave, sample_rate=16000)
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * wave.nbytes
    assert left < 2**20
