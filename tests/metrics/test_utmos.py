"""UTMOS without its weights: layout, strict loading, batches, level, padding; on random weights."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="UTMOS needs torch: pip install 'synbench[torch]'")

from synbench_metrics import load, score, score_batch, utmos  # noqa: E402
from synbench_metrics._torch import load_strictly, read_state  # noqa: E402
from synbench_metrics._utmos_model import Utmos  # noqa: E402
from synbench_metrics.errors import Unavailable  # noqa: E402

LOADER = utmos._model


def layout() -> dict:
    with torch.device("meta"):
        return {name: tuple(value.shape) for name, value in Utmos().state_dict().items()}


@pytest.fixture(scope="module")
def state() -> dict:
    """Random weights of a size that lets a signal through."""
    generator = torch.Generator().manual_seed(0)
    made = {}
    for name, shape in layout().items():
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 100
        made[name] = torch.randn(shape, generator=generator) / max(1, fan_in) ** 0.5
        if "norm" in name or ".0.2." in name:
            made[name] += float(name.endswith("weight"))
    return made


@pytest.fixture(scope="module")
def scored(state):
    """The column with random weights in place of the published ones."""
    model = load_strictly(Utmos, state, "utmos22_strong")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utmos, "_model", lambda: model)
        yield load("utmos")


def values(metric, waves) -> np.ndarray:
    outcomes = [score(metric, degraded=wave, sample_rate=16000) for wave in waves]
    return np.array([outcome.value for outcome in outcomes])


@pytest.fixture(scope="module")
def waves() -> np.ndarray:
    generator = np.random.default_rng(1)
    envelopes = np.abs(np.sin(np.arange(8000) * np.array([[3], [5], [9]]) / 8000))
    return 0.2 * envelopes * generator.standard_normal((3, 8000)).clip(-3, 3)


def test_the_layout_is_the_published_one():
    shapes = layout()
    assert len(shapes) == 225
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 102_772_865
    expected = {
        "domain_emb": (1, 128),
        "judge_emb": (1, 128),
        "wav2vec2.mask_emb": (768,),
        "wav2vec2.feature_extractor.conv_layers.0.0.weight": (512, 1, 10),
        "wav2vec2.feature_extractor.conv_layers.0.2.bias": (512,),
        "wav2vec2.feature_extractor.conv_layers.6.0.weight": (512, 512, 2),
        "wav2vec2.layer_norm.weight": (512,),
        "wav2vec2.post_extract_proj.weight": (768, 512),
        "wav2vec2.encoder.pos_conv.0.weight_g": (1, 1, 128),
        "wav2vec2.encoder.pos_conv.0.weight_v": (768, 48, 128),
        "wav2vec2.encoder.layer_norm.bias": (768,),
        "wav2vec2.encoder.layers.11.self_attn.out_proj.weight": (768, 768),
        "wav2vec2.encoder.layers.0.self_attn_layer_norm.weight": (768,),
        "wav2vec2.encoder.layers.0.fc1.weight": (3072, 768),
        "wav2vec2.encoder.layers.0.final_layer_norm.bias": (768,),
        "blstm.weight_ih_l0_reverse": (2048, 1024),
        "projection.0.weight": (2048, 1024),
        "projection.2.bias": (1,),
    }
    assert {name: shapes.get(name) for name in expected} == expected


def test_waves_differ_and_a_batch_equals_single_waves(scored, waves):
    single = values(scored, waves)
    assert np.ptp(single) > 1e-3
    together = score_batch(scored, degraded=list(waves), sample_rate=16000)
    assert [outcome.value for outcome in together] == pytest.approx(single, abs=1e-5)
    with torch.inference_mode():
        side_by_side = utmos._model()(torch.from_numpy(waves.astype(np.float32)))
    assert side_by_side.numpy() == pytest.approx(single, abs=1e-5)


def test_the_level_hardly_matters_and_an_offset_not_at_all(scored, waves):
    """The first layer normalises every channel over time."""
    before = values(scored, waves[:1])
    assert values(scored, 0.1 * waves[:1]) == pytest.approx(before, abs=5e-3)
    assert values(scored, waves[:1] + 0.1) == pytest.approx(before, abs=1e-4)


def test_zeros_behind_a_wave_change_its_score(scored, waves):
    padded = np.pad(waves[0], (0, 4000))
    assert abs(values(scored, [padded])[0] - values(scored, waves[:1])[0]) > 1e-4


def test_400_samples_are_the_least(scored, waves):
    assert score(scored, degraded=waves[0][:400], sample_rate=16000).status == "ok"
    short = score(scored, degraded=waves[0][:399], sample_rate=16000)
    assert (short.status, short.value) == ("not_applicable", None)


@pytest.mark.parametrize("spoil", ["absent", "more", "shape", "renamed"])
def test_another_layout_is_refused(state, spoil):
    wrong = dict(state)
    if spoil == "absent":
        del wrong["projection.2.bias"]
    elif spoil == "more":
        wrong["phoneme_encoder.weight"] = torch.zeros(1)
    elif spoil == "shape":
        wrong["blstm.bias_ih_l0"] = torch.zeros(3)
    else:
        name = "wav2vec2.encoder.pos_conv.0.weight_g"
        wrong[name.replace("weight_g", "parametrizations.weight.original0")] = wrong.pop(name)
    with pytest.raises(Unavailable, match=r"no checkpoint of utmos22_strong: \d tensors differ"):
        load_strictly(Utmos, wrong, "utmos22_strong")


def test_a_file_goes_through_the_loader(state, tmp_path, monkeypatch, waves):
    """As a user has it: a file, named by the variable; its digest names the scores."""
    path = tmp_path / "utmos.pt"
    torch.save({name: value.half() for name, value in state.items()}, path)
    monkeypatch.setenv("SYNBENCH_WEIGHTS_UTMOS22_STRONG", str(path))
    monkeypatch.setattr(utmos, "_model", LOADER)
    LOADER.cache_clear()
    metric = load("utmos")
    metric.check()
    assert len(metric.info.weights_sha256) == 64
    assert score(metric, degraded=waves[0], sample_rate=16000).status == "ok"
    LOADER.cache_clear()


def test_what_would_run_code_is_not_loaded(tmp_path):
    class Malicious:
        def __reduce__(self):
            return (print, ("this must never be printed",))

    torch.save({"domain_emb": Malicious()}, tmp_path / "bad.pt")
    with pytest.raises(Unavailable, match="not a checkpoint"):
        read_state(tmp_path / "bad.pt")
    (tmp_path / "cut.pt").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(Unavailable, match="not a checkpoint"):
        read_state(tmp_path / "cut.pt")
