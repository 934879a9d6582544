"""Periodicity: tones of known period, noise of known share, and codecs that were judged by ear."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench_metrics import NotApplicable, load, periodicity, score

RATE = 16000
SHARED = Path(__file__).resolve().parents[3] / "shared"


def harmonics(hertz: float, seconds: float = 2.0, rolloff: float = 1.0) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    partials = range(1, int(4000 / hertz))
    return 0.1 * sum(np.cos(2 * np.pi * k * hertz * time + k) / k**rolloff for k in partials)


@pytest.mark.parametrize("hertz", [61.0, 80.0, 100.0, 160.0, 250.0, 390.0])
def test_the_period_of_a_tone(hertz):
    periods, similarity, power = periodicity.periods_and_similarity(harmonics(hertz))
    assert np.abs(periods - RATE / hertz).max() <= 1.0
    assert similarity.min() > 0.97
    wanted = np.mean(harmonics(hertz) ** 2)
    assert power.mean() == pytest.approx(wanted, rel=0.05)


@pytest.mark.parametrize("noise_power", [0.25, 1.0, 4.0])
def test_a_tone_in_noise_has_the_share_of_its_power(noise_power):
    """S / (S + N) on average at its own period; the largest of many lags lies a little above."""
    tone = harmonics(125.0, seconds=10.0, rolloff=0.5)
    tone /= np.sqrt(np.mean(tone**2))
    noise = np.random.default_rng(1).standard_normal(tone.size) * np.sqrt(noise_power)
    value = periodicity.periodicity(
        reference=tone * 0.1, degraded=(tone + noise) * 0.1, sample_rate=RATE
    )
    assert value == pytest.approx(1 / (1 + noise_power), abs=0.05)


def test_shares_of_shifted_and_half_kept_pitches():
    metric = load("f0_semitone_autocorrelation")
    low, near, far = (harmonics(110 * 2 ** (s / 12)) for s in (0, 0.6, 2))
    half = np.concatenate([low[:RATE], far[RATE:]])
    shares = [
        score(metric, reference=low, degraded=degraded, sample_rate=RATE).value
        for degraded in (low, near, far, half)
    ]
    assert shares[:3] == [1.0, 1.0, 0.0]
    assert shares[3] == pytest.approx(0.5, abs=0.03)


def test_a_whisper_keeps_no_pitch():
    metric = load("f0_semitone_autocorrelation")
    voice = harmonics(140.0)
    whisper = 0.1 * np.random.default_rng(4).standard_normal(voice.size)
    assert score(metric, reference=voice, degraded=whisper, sample_rate=RATE).value == 0.0


def test_level_and_sign_do_not_matter():
    voice = harmonics(140.0) + 0.02 * np.random.default_rng(2).standard_normal(2 * RATE)
    noisy = voice + 0.05 * np.random.default_rng(3).standard_normal(2 * RATE)
    values = {
        round(periodicity.periodicity(reference=voice, degraded=g * noisy, sample_rate=RATE), 4)
        for g in (1.0, -1.0, 0.01)
    }
    assert len(values) == 1


def test_silence_has_no_similarity_and_no_voice():
    voice, silence = harmonics(140.0), np.zeros(2 * RATE)
    assert periodicity.periodicity(reference=voice, degraded=silence, sample_rate=RATE) == 0.0
    with pytest.raises(NotApplicable, match="no voiced frame"):
        periodicity.periodicity(reference=silence, degraded=voice, sample_rate=RATE)


def test_long_waves_in_blocks(monkeypatch):
    voice = harmonics(97.0) * np.linspace(0.1, 1, 2 * RATE)
    whole = periodicity.periods_and_similarity(voice)
    monkeypatch.setattr(periodicity, "BLOCK_FRAMES", 7)
    for one, other in zip(whole, periodicity.periods_and_similarity(voice), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.shared("decoded")
def test_the_order_of_codecs_with_a_known_voice():
    """Of ten utterances: periodicity .79 and .87 were measured of these two by another program."""
    folder = SHARED / "decoded" / "libritts_16k_0.5kbps"

    def mean(column: str, system: str) -> float:
        values = []
        for path in sorted((folder / "reference").iterdir()):
            reference = soundfile.read(path)[0]
            degraded = soundfile.read(folder / system / path.name)[0]
            size = min(reference.size, degraded.size)
            outcome = score(
                load(column),
                reference=reference[:size],
                degraded=degraded[:size],
                sample_rate=RATE,
            )
            values.append(outcome.value)
        return float(np.mean(values))

    assert mean("periodicity", "mdctcodec") == pytest.approx(0.79, abs=0.04)
    assert mean("periodicity", "p2psyncodec") == pytest.approx(0.87, abs=0.04)
    shares = [
        mean("f0_semitone_autocorrelation", system)
        for system in ("mdctcodec", "p2psyncodec", "bigcodec", "reference")
    ]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
