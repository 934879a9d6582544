"""Intonation: shares and correlations by closed form, and voices of a known pitch."""

import numpy as np
import pytest

from synbench_metrics import NotApplicable, intonation, score

RATE = 16000


def voice(hertz: np.ndarray) -> np.ndarray:
    """Harmonics of a pitch that may move, Hz at every sample."""
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    return 0.1 * sum(np.sin(k * phase) / k for k in range(1, 20))


def glide(low: float, high: float) -> np.ndarray:
    """One second from a low pitch to a high one, evenly in semitones."""
    return low * (high / low) ** (np.arange(RATE) / RATE)


def test_frames_within_a_semitone():
    """Of five voiced frames: equal, 99 cents above, 101 cents below, an octave off, unvoiced."""
    reference = np.array([100.0, 100.0, 100.0, 100.0, 100.0, 0.0])
    cents = np.array([0.0, 99.0, -101.0, 1200.0])
    degraded = np.concatenate([100.0 * 2 ** (cents / 1200), [0.0, 100.0]])
    share = intonation.share_within_a_semitone(reference=reference, degraded=degraded)
    assert share == pytest.approx(2 / 5, abs=1e-12)
    wrong = intonation.voicing_mistakes(reference=reference, degraded=degraded)
    assert wrong == pytest.approx(2 / 6, abs=1e-12)


def test_correlation_is_of_the_logarithms():
    first = 100 * 2 ** np.linspace(0, 1, 50)
    same = intonation.correlation(reference=first, degraded=first**2 / 100)
    assert same == pytest.approx(1.0, abs=1e-12)
    against = intonation.correlation(reference=first, degraded=10000 / first)
    assert against == pytest.approx(-1.0, abs=1e-12)
    # Frames that are voiced in one of the two do not count.
    holes = np.where(np.arange(50) % 3 == 0, 0.0, first)
    assert intonation.correlation(reference=first, degraded=holes) == pytest.approx(1.0, abs=1e-12)


def test_no_score_without_a_voice():
    silent, voiced = np.zeros(20), np.full(20, 100.0)
    with pytest.raises(NotApplicable, match="no voiced frame"):
        intonation.share_within_a_semitone(reference=silent, degraded=voiced)
    with pytest.raises(NotApplicable, match="fewer than 10"):
        intonation.correlation(reference=voiced, degraded=silent)
    with pytest.raises(NotApplicable, match="does not move"):
        intonation.correlation(reference=voiced, degraded=voiced)


@pytest.mark.parametrize("estimator", ["dio", "harvest"])
def test_a_voice_keeps_loses_or_shifts_its_pitch(available, estimator):
    metric = available(f"f0_semitone_{estimator}")
    reference = voice(glide(110, 160))
    noise = 0.05 * np.random.default_rng(0).standard_normal(RATE).clip(-3, 3)
    shares = {}
    for name, degraded in {
        "half a semitone": voice(glide(110, 160) * 2 ** (0.5 / 12)),
        "two semitones": voice(glide(110, 160) * 2 ** (2 / 12)),
        "noise": noise,
    }.items():
        outcome = score(metric, reference=reference, degraded=degraded, sample_rate=RATE)
        assert outcome.status == "ok", outcome.reason
        shares[name] = outcome.value
    assert shares["half a semitone"] > 0.95
    assert shares["two semitones"] < 0.05
    assert shares["noise"] < 0.1


@pytest.mark.parametrize("estimator", ["dio", "harvest"])
def test_a_melody_that_falls_where_it_should_rise(available, estimator):
    metric = available(f"f0_correlation_{estimator}")
    reference = voice(glide(110, 160))
    rising, falling = (
        score(metric, reference=reference, degraded=voice(line), sample_rate=RATE).value
        for line in (glide(120, 150), glide(150, 120))
    )
    assert rising > 0.95
    assert falling < -0.95


def test_a_voice_that_breaks_off_is_a_voicing_error(available):
    metric = available("voicing_error_harvest")
    reference = voice(glide(110, 160))
    half = np.where(np.arange(RATE) < RATE // 2, reference, 0.0)
    outcome = score(metric, reference=reference, degraded=half, sample_rate=RATE)
    assert outcome.value == pytest.approx(0.5, abs=0.05)
