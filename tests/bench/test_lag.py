"""Delays that are left: inserted ones come back, by the correlations of all items together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from synbench.doubt import doubts
from synbench.lag import CommonLag, common_lag, correlate, lag_profile

RATE = 16000
DECODED = Path(__file__).parents[3] / "shared" / "decoded" / "libritts_16k_0.5kbps"
Wave = np.ndarray


def voice(seed: int, *, phases: int) -> Wave:
    """Two seconds of harmonics with a pitch and syllables of their own, phases apart."""
    generator = np.random.default_rng(seed)
    time = np.arange(2 * RATE) / RATE
    pitch = generator.uniform(90, 220) * 2 ** (0.2 * np.sin(2 * np.pi * 0.7 * time + seed))
    turns = 2 * np.pi * np.cumsum(pitch) / RATE
    knots = generator.uniform(0, 1, 17) ** 2
    syllables = np.interp(time, np.linspace(0, 2, 17), knots)
    starts = np.random.default_rng(1000 * phases + seed).uniform(0, 2 * np.pi, 12)
    tones = [np.cos((k + 1) * turns + start) / (k + 1) for k, start in enumerate(starts)]
    return 0.1 * syllables * np.sum(tones, axis=0)


def shifted(wave: Wave, samples: int) -> Wave:
    return np.concatenate([np.zeros(samples), wave])[: wave.size] if samples else wave


def lag_of(pairs: list[tuple[Wave, Wave]]) -> CommonLag | None:
    return common_lag([lag_profile(a, b, correlate(a, b, RATE)) for a, b in pairs])


def said(pairs: list[tuple[Wave, Wave]], *, damaged: bool = False) -> list[str]:
    profiles = [lag_profile(a, b, correlate(a, b, RATE)) for a, b in pairs]
    raised = doubts({}, items=len(pairs), lag_profiles=profiles, damaged=damaged)
    return [one.text for one in raised]


@pytest.mark.parametrize("samples", [0, 3, 5, 16, 80, 320, 1000])
def test_a_delay_of_kept_waveforms_is_known_to_the_sample(samples: int) -> None:
    noise = np.random.default_rng(1)
    pairs = []
    for seed in range(6):
        wave = voice(seed, phases=0)
        pairs.append((wave, shifted(wave, samples) + 0.01 * noise.normal(size=wave.size)))
    lag = lag_of(pairs)
    assert lag is not None
    assert lag.is_exact
    assert lag.seconds == pytest.approx(samples / RATE, abs=1e-6)
    texts = said(pairs)
    assert len(texts) == (samples > 0)
    if samples == 5:
        assert "0.312 ms remains (correlations of 6 items); it costs much of SI-SDR" in texts[0]
    if samples == 320:
        assert texts[0].startswith("a delay of 20 ms remains")
    early = lag_of([(second, first) for first, second in pairs])
    assert early is not None
    assert early.seconds == pytest.approx(-samples / RATE, abs=1e-6)


def test_other_phases_have_peaks_a_pitch_period_apart_and_one_lag_of_levels() -> None:
    pairs = [(voice(seed, phases=0), voice(seed, phases=1)) for seed in range(10)]
    single = [correlate(a, b, RATE) for a, b in pairs]
    # By the highest peak of each item some would be late by more than two milliseconds.
    assert max(abs(one.lag) for one in single) > 2e-3
    assert said(pairs) == []
    late = [(a, shifted(b, 320)) for a, b in pairs]
    lag = lag_of(late)
    assert lag is not None
    assert lag.seconds == pytest.approx(0.02, abs=1.5e-3)
    (text,) = said(late)
    assert text.startswith("a delay of about")
    # A room delays levels, and is meant to.
    assert said(late, damaged=True) == []


def test_nothing_to_compare_has_no_lag() -> None:
    silence, wave = np.zeros(RATE), voice(1, phases=0)[:RATE]
    assert lag_of([(wave, silence), (silence, wave), (silence, silence)]) is None
    assert lag_of([(wave[:0], wave[:0]), (wave[:200], wave[:200])]) is None
    assert common_lag([]) is None
    assert common_lag([b"", b"of another version"]) is None


@pytest.mark.shared("decoded")
@pytest.mark.parametrize("system", ["mdctcodec", "p2psyncodec", "wavtokenizer", "dac_2.0kbps"])
def test_twenty_milliseconds_before_real_codecs(system: str) -> None:
    """Two of them keep next to nothing of the waveform (.05 of 1)."""
    pairs = []
    for path in sorted((DECODED / system).iterdir()):
        reference, decoded = (
            soundfile.read(DECODED / name / path.name)[0] for name in ("reference", system)
        )
        size = min(reference.size, decoded.size)
        pairs.append((reference[:size], decoded[:size]))
    assert said(pairs) == []
    lag = lag_of([(first, shifted(second, 320)) for first, second in pairs])
    assert lag is not None
    assert lag.seconds == pytest.approx(0.02, abs=2.1e-3)
