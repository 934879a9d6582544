"""The parts of ViSQOL against slow, literal versions of the same facts."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import correlate
from scipy.signal import freqz, lfilter

from synbench_metrics import NotApplicable
from synbench_metrics.errors import Unavailable
from synbench_metrics.visqol import _mapping as _visqol_mapping
from synbench_metrics.visqol import _patches as _visqol_patches
from synbench_metrics.visqol import _reference as _visqol_reference
from synbench_metrics.visqol._alignment import align, align_and_truncate, upper_envelope
from synbench_metrics.visqol._gammatone_energy import centre_frequencies, coefficients, filterbank
from synbench_metrics.visqol._similarity import Patches, compare, mean_similarity

MODES = [(16000, 21, 8000.0), (48000, 32, 24000.0), (48000, 21, 8000.0)]
RANDOM = np.random.default_rng(3)


def cascade(frame, sample_rate, bands, highest):
    """Filter a frame by four second-order sections, one band after the other."""
    numerators, denominators = coefficients(sample_rate, bands, highest)
    filtered = np.empty((bands, frame.size))
    for band in range(bands):
        wave = frame
        for section in range(4):
            wave = lfilter(
                [*numerators[section, :, band], 0.0], [1.0, *denominators[:, band]], wave
            )
        filtered[band] = wave
    return filtered


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("kind", "tolerance"),
    # A lone tone leaves other bands at the very floor, where its rounding is all there is.
    [("speech", 1e-9), ("noise", 1e-9), ("onset", 1e-9), ("tone", 1e-6)],
)
def test_the_energy_without_recursion_equals_the_recursion(mode, kind, tolerance, synthetic):
    sample_rate, bands, _ = mode
    bank = filterbank(*mode)
    size = bank.frame + 3 * bank.hop
    time = np.arange(size) / sample_rate
    wave = {
        "speech": synthetic(sample_rate).reference[sample_rate // 10 :][:size],
        "noise": np.random.default_rng(0).standard_normal(size),
        "onset": np.where(np.arange(size) > 0.9 * bank.frame, np.sin(2 * np.pi * 200 * time), 0.0),
        "tone": np.sin(2 * np.pi * 60 * time),
    }[kind]
    got = bank.spectrogram(wave)
    assert got.shape == (bands, 4)
    for number in range(4):
        frame = wave[number * bank.hop :][: bank.frame] * bank.window
        expected = np.sqrt(np.mean(cascade(frame, *mode) ** 2, axis=1))
        # What lies 45 dB (of 10 log10) below the loudest band is floored before any use.
        audible = expected > 10**-4.5 * expected.max()
        assert np.max(np.abs(got[:, number] / expected - 1)[audible]) < tolerance


@pytest.mark.parametrize("mode", MODES)
def test_every_band_has_gain_one_at_its_centre(mode):
    sample_rate, bands, highest = mode
    numerators, denominators = coefficients(*mode)
    for band, centre in enumerate(centre_frequencies(bands, highest)):
        gain = 1.0
        for section in range(4):
            sections = (numerators[section, :, band], [1.0, *denominators[:, band]])
            gain *= abs(freqz(*sections, worN=[centre], fs=sample_rate)[1][0])
        assert gain == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("size", [7, 31, 32, 33, 1000, 1023, 1024, 1025])
def test_the_envelope_is_the_real_inverse_of_the_analytic_spectrum(size):
    wave = RANDOM.standard_normal(size) + 0.3
    points = max(32, 1 << (size - 1).bit_length())
    spectrum = 2 * np.fft.rfft(wave - wave.mean(), points)
    spectrum[0] /= 2
    spectrum[-1] *= 0.5 if size == points else 0.0
    expected = np.abs(np.fft.irfft(spectrum, points)[:size]) + wave.mean()
    assert upper_envelope(wave) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("delay", [-300, -1, 0, 1, 777])
def test_a_delay_is_found_and_taken_back(delay):
    reference = RANDOM.standard_normal(4000)
    degraded = np.roll(reference, delay)
    moved, lag = align(reference, degraded)
    assert lag == -delay
    common = slice(800, 3000)
    assert np.array_equal(moved[common], reference[common])


def test_a_delay_beyond_half_the_reference_is_ignored():
    reference = np.zeros(1000)
    reference[900:] = RANDOM.standard_normal(100)
    degraded = np.roll(reference, -800)
    assert align(reference, degraded)[1] == 0


@pytest.mark.parametrize("sizes", [(1000, 1000), (1000, 700), (700, 1000)])
def test_truncation_leaves_equal_lengths(sizes):
    wave = RANDOM.standard_normal(1100)
    first, second, _ = align_and_truncate(wave[: sizes[0]], wave[5 : 5 + sizes[1]], 16000)
    assert first.size == second.size > 600
    assert np.array_equal(first[10:600], second[10:600])


def literal_similarity(reference, degraded):
    """NSIM by the book: five filters with replicated edges."""
    side, corner = 0.0838251475442633, 0.0113033910173052
    kernel = np.array(
        [[corner, side, corner], [side, 0.619485845753726, side], [corner, side, corner]]
    )

    def smooth(patch):
        return correlate(patch, kernel, mode="nearest")

    first, second = smooth(reference), smooth(degraded)
    variances = (smooth(reference**2) - first**2) * (smooth(degraded**2) - second**2)
    deviations = np.where(variances < 0, 0.0, np.sqrt(np.maximum(variances, 0.0)))
    intensity = (2 * first * second + 1e-4) / (first**2 + second**2 + 1e-4)
    covariance = smooth(reference * degraded) - first * second
    return intensity * (covariance + 4.5e-4) / (deviations + 4.5e-4)


def test_similarity_equals_the_literal_one():
    reference, degraded = 40 * RANDOM.random((2, 21, 20))
    expected = literal_similarity(reference, degraded)
    got = compare(reference, degraded)
    assert got.means == pytest.approx(expected.mean(axis=1), abs=1e-10)
    assert got.deviations == pytest.approx(expected.std(axis=1, ddof=1), abs=1e-10)
    assert got.energy == pytest.approx(degraded.mean(axis=1), abs=1e-10)
    assert got.overall == pytest.approx(expected.mean(), abs=1e-10)


def test_many_patches_at_once_equal_one_by_one():
    reference, degraded = 40 * RANDOM.random((21, 20)), 40 * RANDOM.random((21, 20, 260))
    got = mean_similarity(Patches.of(reference[..., None]), Patches.of(degraded))
    expected = [compare(reference, degraded[..., each]).overall for each in range(260)]
    assert got == pytest.approx(expected, abs=1e-12)


def literal_path(similarity, starts, radius):
    """The search as loops: best earlier offset, the last of equals; staying means a lost patch."""
    frames = similarity.shape[1]
    total, previous = np.zeros(similarity.shape), np.full(similarity.shape, -1)
    for patch, start in enumerate(starts):
        for offset in range(max(0, start - radius), min(frames - 1, start + radius) + 1):
            best, origin = -np.inf, -1
            if patch:
                for earlier in range(offset - 1, max(0, starts[patch - 1] - radius) - 1, -1):
                    if total[patch - 1, earlier] > best:
                        best, origin = total[patch - 1, earlier], earlier
            value = similarity[patch, offset] + (best if patch else 0.0)
            if patch and total[patch - 1, offset] > value:
                value, origin = total[patch - 1, offset], offset
            total[patch, offset], previous[patch, offset] = value, origin
    low = max(0, starts[-1] - radius)
    offset = low + int(np.argmax(total[-1, low : min(frames - 1, starts[-1] + radius) + 1]))
    path = []
    for patch in reversed(range(len(starts))):
        path.insert(0, (offset, offset == previous[patch, offset]))
        offset = previous[patch, offset]
    return path


@pytest.mark.parametrize("radius", [1, 2, 60])
@pytest.mark.parametrize("seed", range(8))
def test_the_search_equals_the_literal_one(seed, radius, monkeypatch):
    monkeypatch.setattr(_visqol_patches, "SEARCH_RADIUS_PATCHES", radius)
    random = np.random.default_rng(seed)
    width, starts = 4, [1, 5, 13, 17, 25]
    reference, degraded = 40 * random.random((3, 32)), 40 * random.random((3, 27))
    if seed % 2:  # flat stretches make ties
        degraded[:, 8:20] = 0.0
        reference[:, 12:24] = 0.0
    padded = np.pad(degraded, ((0, 0), (0, width - 1)))
    windows = [padded[:, at : at + width] for at in range(27)]
    similarity = np.array(
        [[compare(reference[:, at : at + width], one).overall for one in windows] for at in starts]
    )
    got = _visqol_patches.match(reference, degraded, starts, width, 1.0)
    expected = literal_path(similarity, starts, radius * width)
    assert [None if lost else float(offset) for offset, lost in expected] == [
        match.degraded and match.degraded[0] for match in got
    ]
    assert all(not np.any(match.similarity.means) for match in got if match.degraded is None)


def test_patches_beyond_the_degraded_end_are_left_out():
    reference, degraded = 40 * RANDOM.random((3, 60)), 40 * RANDOM.random((3, 20))
    matches = _visqol_patches.match(reference, degraded, [9, 29, 49], 20, 0.02)
    assert len(matches) == 2
    with pytest.raises(NotApplicable, match="ends before"):
        _visqol_patches.match(reference, degraded, [49], 20, 0.02)


@pytest.mark.parametrize(
    ("frames", "expected"), [(45, [14]), (46, [14]), (75, [14]), (76, [14, 44])]
)
def test_even_patches(frames, expected):
    assert _visqol_reference.even_patches(frames, 30) == expected


def test_a_silent_stretch_holds_no_patch():
    wave = np.zeros(109 * 320)
    wave[:9000] = 0.5 * np.sin(np.arange(9000) / 5)
    wave[20000:22000] = 0.5 * np.sin(np.arange(2000) / 5)
    assert _visqol_reference.voiced_patches(wave, 106, 20, 320) == [9, 29, 69]


@pytest.mark.parametrize(
    ("patches", "frames"),
    [
        (lambda frames: _visqol_reference.even_patches(frames, 30), 44),
        (lambda frames: _visqol_reference.voiced_patches(np.ones(9999), frames, 20, 320), 28),
    ],
)
def test_too_few_frames_have_no_patch(patches, frames):
    with pytest.raises(NotApplicable, match=f"{frames} frames"):
        patches(frames)


@pytest.mark.parametrize(
    ("name", "samples"),
    [("visqol_speech_exp", 10240), ("visqol_speech_lattice", 10240), ("visqol_audio", 46080)],
)
def test_the_declared_minimum_is_the_true_one(name, samples, available, synthetic):
    metric = available(name)
    rate = metric.info.sample_rates[0]
    assert metric.info.minimum_seconds == samples / rate
    pair = synthetic(rate)
    first, second = pair.reference[:samples], pair.degraded[:samples]
    assert 1 <= metric.compute(reference=first, degraded=second, sample_rate=rate) <= 5
    with pytest.raises(NotApplicable):
        metric.compute(reference=first[:-1], degraded=second[:-1], sample_rate=rate)


@pytest.mark.parametrize(
    ("similarity", "scale", "expected"),
    [(1.0, 1.0, 4.015861169223797), (1.0, _visqol_mapping.SCALE_TO_5, 5.0), (0.0, 1.0, 1.0)],
)
def test_exponential_mapping(similarity, scale, expected):
    value = _visqol_mapping.exponential(np.full(21, similarity), scale=scale)
    assert value == pytest.approx(expected, abs=1e-9)


def test_support_vectors_equal_the_library(available):
    available("visqol_audio")
    libsvm = pytest.importorskip("libsvm.svmutil")
    content = _visqol_mapping._model_bytes(
        _visqol_mapping.SUPPORT_VECTORS, _visqol_mapping.SUPPORT_VECTORS_SHA256
    )
    assert content.startswith(b"svm_type nu_svr")
    package = importlib.util.find_spec("visqol")
    model = libsvm.svm_load_model(
        str(Path(package.origin).parent / "model" / _visqol_mapping.SUPPORT_VECTORS)
    )
    for _ in range(5):
        features = RANDOM.uniform(0.5, 1.0, 32)
        numbered = {number + 1: float(value) for number, value in enumerate(features)}
        expected = libsvm.svm_predict([0], [numbered], model, "-q")[0][0]
        assert _visqol_mapping.support_vectors(features) == pytest.approx(expected, abs=1e-12)


def test_an_altered_model_is_refused(available):
    available("visqol_audio")
    with pytest.raises(Unavailable, match="expected 0000"):
        _visqol_mapping._model_bytes(_visqol_mapping.SUPPORT_VECTORS, "0000")


def test_an_absent_model_names_the_pip_line(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"pip install .*visqol-python==3\.8\.0"):
        _visqol_mapping.has_model(_visqol_mapping.LATTICE, _visqol_mapping.LATTICE_SHA256)()


def test_models_are_loaded_once(available):
    available("visqol_speech_lattice")
    assert _visqol_mapping._lattice_runner() is _visqol_mapping._lattice_runner()
    assert _visqol_mapping._support_vector_model() is _visqol_mapping._support_vector_model()


def test_the_lattice_runtime_is_quiet(available):
    """Its native code greets every process on the error stream, in the middle of a live table."""
    available("visqol_speech_lattice")
    program = (
        "import numpy as np\n"
        "from synbench_metrics.visqol import _mapping as mapping\n"
        "features = [np.full(21, value) for value in (0.9, 0.7, 0.1, 30.0)]\n"
        "print(mapping.lattice(*features))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    assert 1 <= float(done.stdout) <= 5
