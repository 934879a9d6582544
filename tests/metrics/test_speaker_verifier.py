"""``sim_wavlm_large`` against the authors' own code, on narrow networks of drawn weights."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")

from synbench_metrics import _remember, _speaker_verifier, load, score, score_batch  # noqa: E402
from synbench_metrics.errors import Unavailable  # noqa: E402
from synbench_metrics.speaker_similarity import WAVLM_LARGE_CHECKPOINT  # noqa: E402

DATA = Path(__file__).parents[1] / "data"
COLUMN = "sim_wavlm_large"


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A file in the layout of the published one: its path and its tensors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DATA))
        drawn_weights = importlib.import_module("drawn_weights").drawn_weights
    shapes = json.loads((DATA / "speaker_shapes.json").read_text())
    drawn = drawn_weights(shapes, seed=3, gains={"feature_extract": 1.0})
    state = {name: torch.from_numpy(values) for name, values in drawn.items()}
    for name in [name for name in state if name.endswith("running_var")]:
        state[name] = state[name].abs()
        state[name.replace("running_var", "num_batches_tracked")] = torch.tensor(0)
    state["loss_calculator.projection.weight"] = torch.zeros(5, 12)
    path = tmp_path / "wavlm_large_finetune.pth"
    torch.save({"model": state}, path)
    monkeypatch.setenv("SYNBENCH_WEIGHTS_WAVLM_LARGE_SV", str(path))
    _speaker_verifier._network.cache_clear()
    _remember.forget()
    yield path, state
    _speaker_verifier._network.cache_clear()
    _remember.forget()


@pytest.fixture
def wave() -> np.ndarray:
    return soundfile.read(DATA / "made_reference.flac")[0]


def test_vectors_are_those_of_the_authors(checkpoint, wave):
    expected = json.loads((DATA / "speaker_values.json").read_text())
    for length, vector in expected.items():
        ours = _speaker_verifier.embed(WAVLM_LARGE_CHECKPOINT, wave[None, : int(length)])[0]
        assert ours == pytest.approx(vector, abs=2e-5 * np.abs(vector).max())


def test_together_as_alone_and_one_for_itself(checkpoint, wave):
    metric = load(COLUMN)
    metric.check()
    cut = wave[:8000]
    waves = [cut, (0.5 * cut + 0.1 * np.roll(cut, 40)), np.flip(cut).copy()]
    alone = [score(metric, reference=cut, degraded=each, sample_rate=16000) for each in waves]
    _remember.forget()
    together = score_batch(metric, reference=cut, degraded=waves, sample_rate=16000)
    values = [each.value for each in alone]
    assert [each.value for each in together] == pytest.approx(values, abs=1e-5)
    assert values[0] == pytest.approx(1) and max(values[1:]) < 0.99999


def test_another_file_is_refused_in_a_sentence(checkpoint, wave):
    path, state = checkpoint
    for change, words in (
        ({"layer3.SE_Connect.linear1.bias": None}, "layer3.SE_Connect"),
        ({"conv.weight": None}, "lacks 'conv.weight'"),
        ({"linear.bias": torch.full((12,), torch.nan)}, "NaN"),
    ):
        changed = {name: value for name, value in {**state, **change}.items() if value is not None}
        torch.save({"model": changed}, path)
        _speaker_verifier._network.cache_clear()
        with pytest.raises(Unavailable, match=words):
            _speaker_verifier.embed(WAVLM_LARGE_CHECKPOINT, wave[None, :8000])
