"""Networks through onnxruntime: framing of SIGMOS on a small graph, windows of DNSMOS, PLCMOS."""

import numpy as np
import pytest

from synbench_metrics import _remember, dnsmos, load, score, scoreq, sigmos

pytest.importorskip("onnxruntime", reason="pip install 'synbench[metrics]'")


@pytest.fixture
def wave() -> np.ndarray:
    return 0.3 * np.sin(np.arange(4800) / 9) * np.linspace(0.2, 1, 4800)


def by_hand(wave: np.ndarray) -> np.ndarray:
    """The published framing, frame after frame."""
    rest = wave.size % 480 or 480
    padded = np.concatenate([np.zeros(480), wave, np.zeros(960 - rest)])
    window = np.sqrt(0.5 * (1 - np.cos(2 * np.pi * np.arange(960) / 960)))
    frames = 2 + (wave.size - rest) // 480
    rows = []
    for frame in range(frames):
        spectrum = np.fft.fft(padded[480 * frame : 480 * frame + 960] * window)[:481]
        size = np.sqrt(np.maximum(np.abs(spectrum) ** 2, 1e-12))
        rows.append([size**0.3, spectrum.real * size**-0.7, spectrum.imag * size**-0.7])
    return np.array(rows).transpose(1, 0, 2)


@pytest.mark.parametrize("samples", [480, 481, 959, 960, 4799, 4800])
def test_sigmos_frames_as_published(wave, samples):
    frames = sigmos.features(wave[:samples])
    assert frames == pytest.approx(by_hand(wave[:samples]), abs=1e-9)


@pytest.fixture
def small_sigmos(tmp_path, monkeypatch):
    """A graph with SIGMOS's input: seven weighted means of the three planes."""
    onnx = pytest.importorskip("onnx", reason="makes the small graph")
    weights = np.arange(21, dtype=np.float32).reshape(3, 7)
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["waves"], ["planes"], axes=[2, 3], keepdims=0),
            helper.make_node("MatMul", ["planes", "weights"], ["opinions"]),
        ],
        "small",
        [helper.make_tensor_value_info("waves", kind, [1, 3, "frames", 481])],
        [helper.make_tensor_value_info("opinions", kind, [1, 7])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path / "small.onnx"
    path.write_bytes(model.SerializeToString())
    monkeypatch.setenv("SYNBENCH_WEIGHTS_SIGMOS", str(path))
    sigmos._network.cache_clear()
    _remember.forget()
    yield weights
    sigmos._network.cache_clear()


def test_sigmos_scores_seven_columns_by_one_graph(small_sigmos, wave):
    expected = by_hand(np.tile(wave, 5)).mean(axis=(1, 2)) @ small_sigmos
    for index, name in enumerate(("col", "disc", "loud", "noise", "reverb", "sig", "ovrl")):
        metric = load(f"sigmos_{name}")
        metric.check()
        assert len(metric.info.weights_sha256) == 64
        outcome = score(metric, degraded=np.tile(wave, 5), sample_rate=48000)
        assert outcome.value == pytest.approx(expected[index], rel=1e-4)


def test_sigmos_takes_no_other_rate(small_sigmos, wave):
    outcome = score(load("sigmos_ovrl"), degraded=np.tile(wave, 5), sample_rate=16000)
    assert outcome.status == "failed"
    assert "48000 Hz" in outcome.reason


@pytest.fixture
def small_scoreq(tmp_path, monkeypatch):
    """A graph with SCOREQ's input: a filter over the frames, its mean, three numbers."""
    onnx = pytest.importorskip("onnx", reason="makes the small graph")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    kernel = 0.05 * np.random.default_rng(5).standard_normal((3, 1, 320)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["wave", "one"], ["channel"]),
            helper.make_node("Conv", ["channel", "kernel"], ["frames"], strides=[320]),
            helper.make_node("Abs", ["frames"], ["sizes"]),
            helper.make_node("ReduceMean", ["sizes"], ["output"], axes=[2], keepdims=0),
        ],
        "small",
        [helper.make_tensor_value_info("wave", kind, [1, "samples"])],
        [helper.make_tensor_value_info("output", kind, [1, 3])],
        [
            onnx.numpy_helper.from_array(kernel, "kernel"),
            onnx.numpy_helper.from_array(np.array([1]), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path / "small.onnx"
    path.write_bytes(model.SerializeToString())
    monkeypatch.setenv("SYNBENCH_WEIGHTS_SCOREQ_NATURAL_DISTANCE", str(path))
    scoreq._network.cache_clear()
    _remember.forget()
    yield kernel[:, 0]
    scoreq._network.cache_clear()


@pytest.mark.parametrize("samples", [4800, 4801, 5120])
def test_scoreq_compares_the_embeddings_of_padded_waves(small_scoreq, samples):
    """By the framing of the authors' package: zeros up to whole strides, one piece."""
    waves = 0.3 * np.random.default_rng(7).standard_normal((2, samples)).clip(-1, 1)
    frames = [np.append(wave, np.zeros(-samples % 320)).reshape(-1, 320) for wave in waves]
    first, second = (np.abs(each @ small_scoreq.T).mean(axis=0) for each in frames)
    metric = load("scoreq_natural_distance")
    metric.check()
    outcome = score(metric, reference=waves[0], degraded=waves[1], sample_rate=16000)
    assert outcome.value == pytest.approx(np.linalg.norm(first - second), rel=1e-4)
    same = score(metric, reference=waves[0], degraded=waves[0], sample_rate=16000)
    assert same.value == 0.0


@pytest.mark.parametrize(
    ("seconds", "windows"), [(0.3, 1), (9.0, 9), (9.01, 1), (10.0, 1), (11.0, 2), (11.02, 2)]
)
def test_windows_of_dnsmos(seconds, windows):
    """Short waves are doubled: 9 s become 18 s."""
    wave = np.arange(round(seconds * 16000), dtype=np.float64)
    segments = list(dnsmos.windows(wave))
    assert len(segments) == windows
    assert all(each.size == 144160 for each in segments)
    repeated = np.resize(wave, 144160) if wave.size < 144160 else wave
    assert np.array_equal(segments[0], repeated[:144160])


def test_the_last_second_of_ten_is_not_heard(available, real):
    metric = available("dnsmos_ovrl")
    wave = np.resize(real.reference, 160000)
    changed = wave.copy()
    changed[145000:] = changed[145000::-1][:15000]
    first, second = (
        score(metric, degraded=each, sample_rate=16000).value for each in (wave, changed)
    )
    assert first == second


def test_the_level_moves_dnsmos(available, real):
    """20 dB less cost 0.3 to 0.8: nothing normalises the peak here."""
    metric = available("dnsmos_ovrl")
    loud, quiet = (
        score(metric, degraded=gain * real.reference, sample_rate=16000).value
        for gain in (1.0, 0.1)
    )
    assert 0.2 < loud - quiet < 0.9


def test_plcmos_twice_is_the_same(available, real):
    """The package draws its raters from numpy's global generator, and differs from itself."""
    metric = available("plcmos")
    values = set()
    for seed in (1, 2):
        np.random.seed(seed)
        values.add(score(metric, degraded=real.reference, sample_rate=16000).value)
    assert len(values) == 1
    assert str(dnsmos.RATER_SEED) in metric.info.mode


def test_plcmos_features_of_digital_silence_are_finite():
    wave = np.zeros(4096)
    wave[2000:2600] = 0.1
    features = dnsmos._plc_features(wave)
    assert features.shape == (17, 257)
    assert np.isfinite(features).all()
