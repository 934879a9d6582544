"""SI-SDR against cases that can be done by hand."""

import math

import numpy as np
import pytest

from synbench_metrics import NotApplicable
from synbench_metrics.si_sdr import scale_invariant_ratio

# Orthogonal to each other and of zero mean.
SIGNAL = np.array([1.0, -1.0, 1.0, -1.0])
OTHER = np.array([1.0, 1.0, -1.0, -1.0])


def ratio(reference, degraded) -> float:
    return scale_invariant_ratio(reference=reference, degraded=degraded, sample_rate=16000)


@pytest.mark.parametrize(("share", "decibels"), [(0.1, 20.0), (1.0, 0.0), (10.0, -20.0)])
def test_an_orthogonal_distortion(share, decibels):
    assert ratio(SIGNAL, SIGNAL + share * OTHER) == pytest.approx(decibels, abs=1e-9)


@pytest.mark.parametrize("gain", [0.01, -3.0])
@pytest.mark.parametrize("offset", [0.0, 0.4])
def test_gain_sign_and_offset_do_not_matter(gain, offset):
    degraded = gain * (SIGNAL + 0.5 * OTHER) + offset
    assert ratio(SIGNAL + offset, degraded) == pytest.approx(20 * math.log10(2), abs=1e-9)


def test_the_roles_can_be_told_apart():
    longer = np.array([3.0, -1.0, 1.0, -3.0, 2.0, -2.0])
    noisy = longer + np.array([0.5, 0.5, -0.2, 0.1, 0.0, -0.9])
    projected = np.dot(noisy, longer) / np.dot(longer, longer) * longer
    expected = 10 * math.log10(np.sum(projected**2) / np.sum((noisy - projected) ** 2))
    assert ratio(longer, noisy) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("gain", [1.0, 0.3, -7.0])
def test_a_multiple_of_the_reference_is_infinite(gain):
    wave = np.random.default_rng(0).standard_normal(1000)
    with pytest.raises(NotApplicable, match=r"^infinite"):
        ratio(wave, gain * wave)


def test_the_rounding_of_24_bits_is_not_infinite():
    wave = np.random.default_rng(0).uniform(-1, 1, 1000)
    assert 120 < ratio(wave, np.round(wave * 2**23) / 2**23) < 160


def test_nothing_of_the_reference_is_minus_infinite():
    with pytest.raises(NotApplicable, match="minus infinite"):
        ratio(SIGNAL, OTHER)


@pytest.mark.parametrize("name", ["reference", "degraded"])
def test_a_constant_has_no_ratio(name):
    waves = {"reference": SIGNAL, "degraded": SIGNAL + OTHER} | {name: np.full(4, 0.1)}
    with pytest.raises(NotApplicable, match=f"{name} is constant"):
        ratio(**waves)
