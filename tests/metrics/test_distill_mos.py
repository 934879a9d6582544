"""Distill-MOS: the package's scores with its weights; layout, batches, segments on random ones."""

import importlib
import importlib.util
import math
import sys
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="it needs torch: pip install 'synbench[torch]'")

from synbench_metrics import distill_mos, load, score, score_batch  # noqa: E402
from synbench_metrics._distill_mos_model import DistillMos  # noqa: E402
from synbench_metrics._torch import load_strictly  # noqa: E402
from synbench_metrics.distill_mos import SEGMENT_SAMPLES, segment_starts  # noqa: E402
from synbench_metrics.errors import Unavailable  # noqa: E402

PACKAGES = {"distillmos": "distillmos==0.9.1", "xls_r_sqa": "xls-r-sqa==0.1.0"}


def layout() -> dict:
    with torch.device("meta"):
        return {name: tuple(value.shape) for name, value in DistillMos().state_dict().items()}


@pytest.fixture(scope="module")
def package():
    """The package's own network and weights; an empty module stands in for torchaudio."""
    absent = [each for name, each in PACKAGES.items() if importlib.util.find_spec(name) is None]
    if absent:
        pytest.skip(f"needs the package itself: pip install --no-deps {' '.join(absent)}")
    with pytest.MonkeyPatch.context() as patch:
        # Only while it is imported: others ask whether torchaudio is there.
        patch.setitem(sys.modules, "torchaudio", types.ModuleType("torchaudio"))
        network = importlib.import_module("distillmos").ConvTransformerSQAModel().eval()

    def rate(wave: np.ndarray) -> float:
        with torch.inference_mode():
            return float(network(torch.from_numpy(wave.astype(np.float32))[None]))

    return rate


@pytest.mark.parametrize("seconds", [3.0, 8.2])
def test_scores_are_the_packages_on_synthetic_speech(available, package, synthetic, seconds):
    metric, pair = available("distill_mos"), synthetic(16000)
    wave = np.resize(pair.degraded, round(16000 * seconds))
    outcome = score(metric, degraded=wave, sample_rate=16000)
    assert outcome.value == pytest.approx(package(wave), abs=1e-5)


def test_scores_are_the_packages_on_real_speech(available, package, real):
    metric = available("distill_mos")
    clean, babble = (
        score(metric, degraded=wave, sample_rate=16000).value
        for wave in (real.reference, real.degraded)
    )
    assert clean == pytest.approx(package(real.reference), abs=1e-5)
    assert babble == pytest.approx(package(real.degraded), abs=1e-5)
    assert babble < clean - 1


@pytest.fixture(scope="module")
def state() -> dict:
    """Random weights of a size that lets a signal through."""
    generator = torch.Generator().manual_seed(0)
    made = {}
    for name, shape in layout().items():
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 100
        made[name] = torch.randn(shape, generator=generator) / max(1, fan_in) ** 0.5
        if name.endswith("running_var") or ("norm" in name and name.endswith("weight")):
            made[name] = 1 + made[name].abs()
    return made


@pytest.fixture(scope="module")
def scored(state):
    """The column with random weights in place of the published ones."""
    model = load_strictly(DistillMos, state, "distill_mos_v7")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distill_mos, "_model", lambda: model)
        yield load("distill_mos")


@pytest.fixture(scope="module")
def waves() -> np.ndarray:
    """Two waves of 4 s."""
    generator = np.random.default_rng(1)
    envelopes = np.abs(np.sin(np.arange(64000) * np.array([[3], [7]]) / 8000))
    return 0.2 * envelopes * generator.standard_normal((2, 64000)).clip(-3, 3)


@pytest.fixture(scope="module")
def values(scored, waves) -> list[float]:
    """The score of each."""
    return [score(scored, degraded=wave, sample_rate=16000).value for wave in waves]


def test_the_layout_is_the_published_one():
    shapes = layout()
    assert len(shapes) == 120
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 4_214_525
    expected = {
        "cnn.cnn.0.weight": (64, 2, 3, 3),
        "cnn.cnn.10.bias": (256,),
        "transformer_pool_attn.norm_input.running_mean": (1024,),
        "transformer_pool_attn.transformer.norm.num_batches_tracked": (),
        "transformer_pool_attn.transformer.position_encoding.pe": (1, 384, 200),
        "transformer_pool_attn.transformer.linear_proj.weight": (200, 1024),
        "transformer_pool_attn.transformer.transformer_encoder.layers.6.self_attn.in_proj_weight": (
            600,
            200,
        ),
        "transformer_pool_attn.transformer.transformer_encoder.layers.0.linear1.weight": (400, 200),
        "transformer_pool_attn.transformer.transformer_encoder.layers.0.norm2.bias": (200,),
        "transformer_pool_attn.norm_trans.running_var": (200,),
        "transformer_pool_attn.pool.linear1.weight": (400, 200),
        "transformer_pool_attn.pool.linear3.bias": (1,),
    }
    assert {name: shapes.get(name) for name in expected} == expected


def test_waves_differ_and_a_batch_equals_single_waves(scored, waves, values):
    assert np.ptp(values) > 1e-3
    together = score_batch(scored, degraded=list(waves), sample_rate=16000)
    assert [outcome.value for outcome in together] == pytest.approx(values, abs=1e-5)
    filled = np.pad(waves, ((0, 0), (0, SEGMENT_SAMPLES - waves.shape[1]))).astype(np.float32)
    with torch.inference_mode():
        side_by_side = distill_mos._model()(torch.from_numpy(filled))
    assert side_by_side.numpy() == pytest.approx(values, abs=1e-5)


def test_neither_the_level_nor_zeros_up_to_a_segment_matter(scored, waves, values):
    quiet = np.pad(0.1 * waves[0], (0, SEGMENT_SAMPLES - waves[0].size))
    outcome = score(scored, degraded=quiet, sample_rate=16000)
    assert outcome.value == pytest.approx(values[0], abs=1e-4)


def test_a_long_wave_has_the_mean_of_its_segments(scored, waves):
    long = np.concatenate(waves)
    assert long.size == 128000
    first, last, whole = (
        score(scored, degraded=wave, sample_rate=16000).value
        for wave in (long[:SEGMENT_SAMPLES], long[-SEGMENT_SAMPLES:], long)
    )
    assert whole == pytest.approx((first + last) / 2, abs=1e-5)


def test_a_quarter_of_a_second_is_the_least(scored, waves):
    assert score(scored, degraded=waves[0][:4000], sample_rate=16000).status == "ok"
    short = score(scored, degraded=waves[0][:3999], sample_rate=16000)
    assert (short.status, short.value) == ("not_applicable", None)


@pytest.mark.parametrize(
    ("samples", "starts"),
    [
        (1, [0]),
        (SEGMENT_SAMPLES, [0]),
        (SEGMENT_SAMPLES + 1, [0, 1]),
        (SEGMENT_SAMPLES + 16000, [0, 16000]),
        (SEGMENT_SAMPLES + 16001, [0, 8000, 16001]),
    ],
)
def test_segments_start_where_the_packages_do(samples, starts):
    assert segment_starts(samples).tolist() == starts


@given(st.integers(1, 10_000_000))
def test_segments_reach_from_start_to_end_in_even_steps(samples):
    starts = segment_starts(samples)
    assert starts[0] == 0
    assert starts[-1] == max(0, samples - SEGMENT_SAMPLES)
    assert len(starts) == 1 + math.ceil(starts[-1] / 16000)
    steps = np.diff(starts)
    assert steps.size == 0 or np.ptp(steps) <= 2  # they are truncated to samples


@pytest.mark.parametrize("spoil", ["absent", "more", "shape"])
def test_another_layout_is_refused(state, spoil):
    wrong = dict(state)
    if spoil == "absent":
        del wrong["cnn.cnn.0.bias"]
    elif spoil == "more":
        wrong["cnn.cnn.12.bias"] = torch.zeros(256)
    else:
        wrong["transformer_pool_attn.transformer.position_encoding.pe"] = torch.zeros(1, 99, 200)
    with pytest.raises(Unavailable, match="no checkpoint of distill_mos_v7: 1 tensors differ"):
        load_strictly(DistillMos, wrong, "distill_mos_v7")


def test_a_file_of_another_digest_is_refused(state, tmp_path, monkeypatch):
    torch.save({"model": state, "step": 1}, tmp_path / "mine.pt")
    monkeypatch.setenv("SYNBENCH_WEIGHTS_DISTILL_MOS_V7", str(tmp_path / "mine.pt"))
    with pytest.raises(Unavailable, match=r"expected sha256 b18b3ac6.*fetch distill_mos_v7"):
        load("distill_mos").check()
