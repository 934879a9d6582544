"""WARP-Q against its authors' program, its warping against plain loops, and what it hears."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench_metrics import score, warp_q

DATA = Path(__file__).parents[1] / "data"
SAID = json.loads((DATA / "warp_q.json").read_text())["said"]


def made(name: str) -> np.ndarray:
    return soundfile.read(DATA / f"made_{name}.flac")[0]


@pytest.fixture
def rate(available):
    def rate(reference, degraded, column="warp_q"):
        metric = available(column)
        return score(metric, reference=reference, degraded=degraded, sample_rate=warp_q.RATE)

    return rate


@pytest.mark.parametrize("name", SAID)
def test_every_patch_costs_what_the_authors_program_says(available, rate, name):
    available("warp_q")
    features = [warp_q.cepstra(warp_q.speech(made(each))) for each in (name, "reference")]
    costs = warp_q.alignment_costs(*features)
    assert costs == pytest.approx(np.array(SAID[name]["costs"]), abs=1e-6)
    for column in ("warp_q", "warp_q_normalised"):
        value = rate(made("reference"), made(name), column).value
        assert value == pytest.approx(SAID[name][column], abs=5.1e-4)


@pytest.mark.parametrize("frames", [93, 101, 140])
def test_warping_equals_plain_loops(frames):
    generator = np.random.default_rng(frames)
    degraded = generator.standard_normal((warp_q.PATCH_FRAMES + warp_q.PATCH_HOP, 13))
    reference = generator.standard_normal((frames, 13))
    expected = []
    for first in (0, warp_q.PATCH_HOP):
        patch = degraded[first : first + warp_q.PATCH_FRAMES]
        total = np.full((len(patch), frames), math.inf)
        for row in range(len(patch)):
            for column in range(frames):
                before = [0.0] if row == 0 else [total[row - 1, column]]
                if column >= 3:
                    before.append(total[row, column - 3])
                    before.append(total[row - 1, column - 3] if row else math.inf)
                distance = math.dist(patch[row], reference[column])
                total[row, column] = distance + min(before)
        expected.append(total[-1].min() / len(patch))
    assert warp_q.alignment_costs(degraded, reference) == pytest.approx(expected, rel=1e-12)


def test_patches_taken_in_blocks_are_the_same(monkeypatch):
    degraded, reference = np.random.default_rng(0).standard_normal((2, 400, 13))
    whole = warp_q.alignment_costs(degraded, reference)
    monkeypatch.setattr(warp_q, "BLOCK_CELLS", 1)
    assert len(whole) == (400 - 92) // 42 + 1
    assert warp_q.alignment_costs(degraded, reference) == pytest.approx(whole, rel=1e-12)


def test_cepstra_are_normalised_around_each_frame():
    values = warp_q.cepstra(made("noise"))
    middle = values[: warp_q.NORMALISED_FRAMES]
    assert values.shape == (1 + 40000 // warp_q.HOP, 13)
    assert np.abs(middle.mean(axis=0)).max() < 0.3
    assert middle.std(axis=0) == pytest.approx(np.ones(13), abs=0.3)
    # The level is a constant of the logarithm.
    assert warp_q.cepstra(made("noise") / 4) == pytest.approx(values, abs=1e-6)


def test_what_it_hears(rate):
    reference = made("reference")
    late = np.concatenate([np.zeros(800), reference[:-800]])
    original = rate(reference, reference).value
    # An original against itself has no 0, a delay costs little, noise much.
    assert 0 < original < 1
    assert rate(reference, late).value == pytest.approx(original, abs=0.25)
    assert rate(reference, made("noise")).value > original + 0.5


def test_too_little_speech_is_a_status(rate):
    wave = np.concatenate([np.zeros(16000), made("reference")[:4000], np.zeros(16000)])
    outcome = rate(wave * 1e-3, made("reference")[: wave.size])
    assert outcome.status == "not_applicable"
    assert "of speech in the reference, 0.4 s needed" in outcome.reason
    outcome = rate(made("reference")[: wave.size], np.full(wave.size, 1e-4))
    assert outcome.status == "not_applicable"
    assert "in the degraded wave" in outcome.reason
