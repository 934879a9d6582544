"""BigCodec's network against the authors' own output, and at its published size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
safetensors_torch = pytest.importorskip("safetensors.torch")

from synbench_codecs.adapters.bigcodec import BigCodecConfig  # noqa: E402
from synbench_codecs.networks.bigcodec import BigCodecNetwork, config_of, from_released  # noqa: E402
from synbench_codecs.support import torch_models as _torch  # noqa: E402

FIXTURE = Path(__file__).parents[3] / "shared" / "parity" / "bigcodec"
LENGTHS = (16000, 16001, 3999, 400)

needs_fixture = pytest.mark.shared("parity/bigcodec")


def load(tensors: Any) -> BigCodecNetwork:
    with torch.device("meta"):
        model = BigCodecNetwork(config_of(tensors, sample_rate=16000))
    _torch.load_strictly(model, tensors, path=FIXTURE)
    return model


@pytest.fixture(scope="module")
def authors() -> tuple[BigCodecNetwork, Any]:
    """The network with the fixture's weights, and what the authors' code made of some waves."""
    tensors = safetensors_torch.load_file(FIXTURE / "state_dict.safetensors")
    return load(from_released(tensors)), np.load(FIXTURE / "io.npz")


@needs_fixture
@pytest.mark.parametrize("n_samples", LENGTHS)
def test_equals_the_authors_output(authors: Any, n_samples: int) -> None:
    model, expected = authors
    wave = torch.from_numpy(expected[f"wav_{n_samples}"])[None]
    codes = torch.from_numpy(expected[f"codes_{n_samples}"][0])[:, None]
    with _torch.inference():
        latent = model.latent(wave).numpy()
        tokens = model.encode(wave)
        quantized = model.quantizer.lookup(codes[:, 0]).numpy()
        decoded = model.decode(codes).numpy()
    assert np.abs(latent - expected[f"latent_{n_samples}"]).max() <= 2e-5
    assert torch.equal(tokens, codes)
    assert np.abs(quantized - expected[f"quantized_{n_samples}"]).max() <= 1e-6
    assert np.abs(decoded - expected[f"out_{n_samples}"][:, 0]).max() <= 1e-5


@needs_fixture
def test_a_batch_of_equal_lengths_gives_the_same_tokens(authors: Any) -> None:
    model, expected = authors
    waves = torch.from_numpy(np.stack([expected["wav_16000"], expected["wav_16001"][:-1]]))
    with _torch.inference():
        together = model.encode(waves)
        alone = torch.cat([model.encode(wave[None]) for wave in waves])
    assert torch.equal(together, alone)


@needs_fixture
def test_published_names_and_shapes() -> None:
    rows = (FIXTURE / "keys_full.txt").read_text().splitlines()
    with torch.device("meta"):
        given = {
            name: torch.empty(eval(shape)) for name, shape in (row.split("\t") for row in rows)
        }
        ours = from_released(given)
        model = BigCodecNetwork(config_of(ours, sample_rate=16000))
    assert config_of(ours, sample_rate=16000) == BigCodecConfig()
    assert {name: tensor.shape for name, tensor in ours.items()} == {
        name: tensor.shape for name, tensor in model.state_dict().items()
    }


def test_published_size() -> None:
    with torch.device("meta"):
        model = BigCodecNetwork(BigCodecConfig())
    folded_gains = 159_436_290 - sum(parameter.numel() for parameter in model.parameters())
    # One gain per output channel (input channel of a transposed convolution) went into the weights.
    assert folded_gains == 27_449


@pytest.mark.parametrize(
    ("n_samples", "n_frames"), [(16000, 81), (16001, 81), (3999, 20), (400, 3), (1, 1)]
)
def test_frames_of_the_authors_padding(n_samples: int, n_frames: int) -> None:
    assert BigCodecConfig().n_frames(n_samples) == n_frames
