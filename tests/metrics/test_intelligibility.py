"""STOI and ESTOI against pystoi and, part by part, against scipy and literal versions."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import resample_poly

from synbench_metrics import NotApplicable, _third_octaves, score
from synbench_metrics import stoi as intelligibility
from synbench_metrics._polyphase import lowpass, resample

RANDOM = np.random.default_rng(4)
RATES = [8000, 10000, 16000, 24000, 44100, 48000]


def assert_equal_to_pystoi(reference, degraded, sample_rate):
    pystoi = pytest.importorskip("pystoi")
    kernels = (intelligibility.intelligibility, intelligibility.extended_intelligibility)
    for extended, kernel in enumerate(kernels):
        expected = pystoi.stoi(reference, degraded, sample_rate, extended=bool(extended))
        got = kernel(reference=reference, degraded=degraded, sample_rate=sample_rate)
        assert got == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("sample_rate", [*RATES, 11025])
def test_synthetic_speech_equals_pystoi(sample_rate, synthetic):
    pair = synthetic(sample_rate)
    assert_equal_to_pystoi(pair.reference, pair.degraded, sample_rate)
    assert_equal_to_pystoi(pair.reference, np.round(pair.reference * 8) / 8, sample_rate)


def test_noisy_speech_equals_pystoi(real):
    assert_equal_to_pystoi(real.reference, real.degraded, real.sample_rate)


def test_what_codecs_return_equals_pystoi(decoded_pairs):
    for pair in decoded_pairs:
        assert_equal_to_pystoi(pair.reference, pair.degraded, pair.sample_rate)


@pytest.mark.parametrize("frames", [31, 32, 158, 159])
def test_the_shortest_and_the_borders_of_a_block_equal_pystoi(frames):
    """31 frames are one segment; 128 segments are a block."""
    wave = 0.2 * RANDOM.standard_normal((frames - 1) * 128 + 257)
    assert_equal_to_pystoi(wave, wave + 0.1 * RANDOM.standard_normal(wave.size), 10000)


def test_thirty_frames_are_too_few():
    wave = 0.2 * RANDOM.standard_normal(30 * 128 + 256)
    for kernel in (intelligibility.intelligibility, intelligibility.extended_intelligibility):
        with pytest.raises(NotApplicable, match="active frames"):
            kernel(reference=wave, degraded=wave, sample_rate=10000)
        with pytest.raises(NotApplicable, match="active frames"):
            kernel(reference=wave[:9], degraded=wave[:9], sample_rate=10000)


@pytest.mark.parametrize("rate", [*RATES, 11025, 22050, 22051, 96000])
@pytest.mark.parametrize("samples", [1, 2, 999, 4000])
def test_the_resampler_equals_scipy(rate, samples):
    wave = RANDOM.standard_normal(samples)
    common = np.gcd(rate, 10000)
    up, down = int(10000 // common), int(rate // common)
    expected = wave if up == down else resample_poly(wave, up, down, window=lowpass(up, down) / up)
    assert resample(wave, rate, 10000) == pytest.approx(expected, abs=1e-12)


def test_the_bands_equal_the_literal_ones():
    edges = _third_octaves.band_edges()
    bins = np.arange(257) * 10000 / 512
    for band in range(15):
        low, high = 150 * 2 ** ((2 * band - 1) / 6), 150 * 2 ** ((2 * band + 1) / 6)
        assert edges[band] == np.argmin((bins - low) ** 2)
        assert edges[band + 1] == np.argmin((bins - high) ** 2)


def test_the_active_frames_equal_the_literal_ones(synthetic):
    wave = np.r_[np.zeros(999), synthetic(10000).reference[:9000], np.zeros(777)]
    window = np.hanning(258)[1:-1]
    levels = np.array(
        [np.linalg.norm(window * wave[at : at + 256]) for at in range(0, wave.size - 256, 128)]
    )
    expected = np.flatnonzero(levels > levels.max() / 100)
    assert np.array_equal(_third_octaves.active_frames(wave), expected)
    assert 0 < expected.size < levels.size


def test_a_silent_stretch_counts_nothing_in_estoi(synthetic):
    """Where pystoi compares the reference with noise the mean of that comparison is 0."""
    reference = 0.2 * np.random.default_rng(6).standard_normal(30000)
    degraded = reference.copy()
    degraded[15000:] = 0.0
    value = intelligibility.extended_intelligibility(
        reference=reference, degraded=degraded, sample_rate=10000
    )
    frames = 30000 // 128 - 2
    # Segments that hold a frame before 15000; the one that holds just its edge counts little.
    assert value == pytest.approx((15000 / 128) / (frames - 29), abs=0.1)
    silence = np.zeros(30000)
    silence[:300] = reference[:300]
    nothing = intelligibility.extended_intelligibility(
        reference=reference, degraded=silence, sample_rate=10000
    )
    assert abs(nothing) < 0.02
    pystoi = pytest.importorskip("pystoi")
    drawn = [pystoi.stoi(reference, degraded, 10000, extended=True) for _ in range(8)]
    assert np.ptp(drawn) > 1e-6, "pystoi no longer draws"
    assert value == pytest.approx(np.mean(drawn), abs=0.01)


@pytest.mark.parametrize("name", ["stoi", "estoi"])
def test_the_global_generator_is_left_alone(name, available, synthetic):
    pair = synthetic(16000)
    state = np.random.get_state()[1].copy()
    score(available(name), reference=pair.reference, degraded=pair.degraded, sample_rate=16000)
    assert np.array_equal(np.random.get_state()[1], state)


def test_a_level_far_below_full_scale_is_no_silence(synthetic):
    pair = synthetic(10000)
    loud, quiet = (
        intelligibility.extended_intelligibility(
            reference=pair.reference, degraded=gain * pair.degraded, sample_rate=10000
        )
        for gain in (1.0, 1e-6)
    )
    assert quiet == pytest.approx(loud, abs=1e-9)


def test_scoring_imports_no_scipy():
    program = (
        "import sys, numpy, synbench_metrics\n"
        "wave = numpy.random.default_rng(0).standard_normal(16000) / 8\n"
        "for name in ('stoi', 'estoi'):\n"
        "    metric = synbench_metrics.load(name)\n"
        "    print(synbench_metrics.score(\n"
        "        metric, reference=wave, degraded=wave, sample_rate=16000).value)\n"
        "print([name for name in ('scipy', 'pystoi') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    *values, imported = done.stdout.split("\n")[:3]
    assert [float(value) for value in values] == pytest.approx([1.0, 1.0]), done.stderr
    assert imported == "[]"
