"""BigCodec and WavTokenizer against the authors' code, with drawn weights.

``tests/data/make_network_values.py`` asked the authors' code; larger sets, of more lengths and
layouts, lie beside the checkout.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")

from synbench_codecs.networks import bigcodec, wavtokenizer  # noqa: E402
from synbench_codecs.support.torch_models import inference, load_strictly  # noqa: E402

DATA = Path(__file__).parents[1] / "data"
sys.path.insert(0, str(DATA))

from drawn_weights import drawn_weights  # noqa: E402

MODULES: dict[str, Any] = {"bigcodec": bigcodec, "wavtokenizer": wavtokenizer}


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """Names and shapes of the authors' tensors, and how their values are drawn."""
    loaded: dict[str, Any] = json.loads((DATA / "network_shapes.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def wave() -> Any:
    samples = soundfile.read(DATA / "made_reference.flac", dtype="float32")[0]
    return torch.from_numpy(samples[8000:])[None]


def network(name: str, facts: dict[str, Any]) -> Any:
    weights = drawn_weights(
        facts["shapes"][name], seed=facts["seeds"][name], gains=facts["gains"][name]
    )
    last, factor = facts["last"][name]
    weights[last] *= factor
    module = MODULES[name]
    ours = module.from_released({key: torch.from_numpy(value) for key, value in weights.items()})
    model = module.build(module.config_of(ours, sample_rate=16000)).eval()
    load_strictly(model, ours, path=DATA)
    return model


@pytest.mark.parametrize("name", MODULES)
def test_tokens_and_waves_are_the_authors(name: str, facts: dict[str, Any], wave: Any) -> None:
    model = network(name, facts)
    with np.load(DATA / "network_values.npz") as values:
        lengths = [int(key.split("_")[2]) for key in values if key.startswith(f"{name}_codes")]
        assert len(lengths) == 2
        for length in lengths:
            expected = values[f"{name}_codes_{length}"]
            assert len(set(expected.tolist())) >= 8
            with inference():
                codes = model.encode(wave[:, :length])
                decoded = model.decode(codes)
            np.testing.assert_array_equal(codes.reshape(-1).numpy(), expected)
            theirs = values[f"{name}_wave_{length}"]
            loudest = np.abs(theirs).max()
            np.testing.assert_allclose(
                decoded.reshape(-1).numpy() / loudest, theirs / loudest, rtol=0, atol=3e-5
            )
