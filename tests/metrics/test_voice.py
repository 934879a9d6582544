"""Mel-cepstra against SPTK, distortion and voicing by closed form, pitch of a known tone."""

import numpy as np
import pytest

from synbench_metrics import NotApplicable, load, score, voice

# pysptk 1.0.1: sp2mc(power, 24, 0.42)[:, :5], power being that of :func:`spectra`.
SPTK = [
    [-1.864088, -0.02404911999999998, -0.8445787392, 0.15502655744000005, 0.25339935761279997],
    [
        -0.4126871268454018,
        0.7299785294376199,
        0.024711216055856244,
        -0.02360874318589952,
        -0.2905568698659886,
    ],
]


def spectra() -> np.ndarray:
    """Two smooth power spectra of 513 bins."""
    angle = np.linspace(0, np.pi, 513)
    return np.exp([np.cos(angle) - 2 * np.cos(3 * angle) - 4, np.sin(5 * angle) - angle])


def test_the_mel_cepstrum_is_that_of_sptk():
    cepstra = voice.mel_cepstrum(spectra())
    assert cepstra.shape == (2, 25)
    assert cepstra[:, :5] == pytest.approx(np.array(SPTK), abs=1e-9)


def test_without_warping_it_is_the_cepstrum_of_the_magnitude():
    """ln|H| = c0 + 2 sum c_d cos(d w) in the usual convention: cos(w) - 2 cos(3 w) - 4, halved."""
    cepstrum = voice.mel_cepstrum(spectra()[:1], order=4, all_pass=0.0)[0]
    assert cepstrum == pytest.approx([-2.0, 0.5, 0.0, -1.0, 0.0], abs=1e-9)


def test_a_constant_difference_of_one_coefficient():
    first = np.random.default_rng(0).standard_normal((30, 25))
    second = first.copy()
    second[:, 3] += 0.1
    second[:, 0] += 5.0  # the energy does not count
    value = voice.cepstral_distortion(reference=first, degraded=second)
    assert value == pytest.approx(10 / np.log(10) * np.sqrt(2) * 0.1, abs=1e-9)
    assert value == pytest.approx(0.6141851463713754, abs=1e-9)


def test_half_of_the_voiced_frames():
    """Voiced in frames 0 to 9 of 20 against 5 to 14."""
    frames = np.arange(20)
    value = voice.voicing_score(reference=frames < 10, degraded=(frames >= 5) & (frames < 15))
    assert value == pytest.approx(0.5, abs=1e-12)


def test_no_voice_has_no_score():
    with pytest.raises(NotApplicable, match="no voiced frame"):
        voice.voicing_score(reference=np.zeros(4, bool), degraded=np.ones(4, bool))


def pulses(hertz: float) -> np.ndarray:
    """A second of a voice at a fixed pitch."""
    time = np.arange(16000) / 16000
    return 0.1 * sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 20))


@pytest.mark.parametrize("estimator", ["dio", "harvest"])
def test_five_hertz_between_two_voices(available, estimator):
    metric = available(f"f0_rmse_{estimator}")
    outcome = score(metric, reference=pulses(120), degraded=pulses(125), sample_rate=16000)
    assert outcome.value == pytest.approx(5.0, abs=0.5)
    assert estimator.capitalize() in metric.info.mode


def test_noise_has_no_pitch_in_common(available):
    noise = 0.1 * np.random.default_rng(0).standard_normal(16000).clip(-3, 3)
    outcome = score(
        available("f0_rmse_harvest"),
        reference=pulses(120),
        degraded=np.where(np.arange(16000) < 8000, 1e-4 * noise, 0.0),
        sample_rate=16000,
    )
    assert outcome.status == "not_applicable"
    assert "voiced in both" in outcome.reason


def test_a_silent_stretch_has_a_distortion(available):
    wave = pulses(120)
    half = wave.copy()
    half[8000:] = 0.0
    outcome = score(available("mcd_dio"), reference=wave, degraded=half, sample_rate=16000)
    assert outcome.status == "ok"
    assert np.isfinite(outcome.value)


def test_the_columns_are_named_after_their_estimator():
    columns = {
        f"{name}_{each}" for name in ("mcd", "f0_rmse", "vuv_f1") for each in voice.ESTIMATORS
    }
    assert {load(column).info.identity for column in columns}.__len__() == 6


def test_multi_resolution_distance_is_that_of_torch(real):
    torch = pytest.importorskip("torch", reason="an independent transform")
    from synbench_metrics.spectral_distance import multi_resolution_distance

    waves = [torch.from_numpy(each.copy()) for each in (real.reference, real.degraded)]
    total = 0.0
    for points, window, hop in ((512, 240, 50), (1024, 600, 120), (2048, 1200, 240)):
        first, second = (
            torch.stft(
                wave,
                points,
                hop,
                window,
                torch.hann_window(window, dtype=torch.float64),
                return_complex=True,
            )
            .abs()
            .square()
            .clamp(min=1e-8)
            .sqrt()
            for wave in waves
        )
        total += float(torch.norm(first - second) / torch.norm(first))
        total += float((first.log() - second.log()).abs().mean())
    distance = multi_resolution_distance(
        reference=real.reference, degraded=real.degraded, sample_rate=16000
    )
    assert distance == pytest.approx(total / 3, rel=1e-9)
