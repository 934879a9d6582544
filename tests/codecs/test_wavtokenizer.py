"""WavTokenizer's network against the authors' own output, in both layouts of its checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
safetensors_torch = pytest.importorskip("safetensors.torch")

import synbench_codecs  # noqa: E402
from synbench_codecs.adapters.wavtokenizer import FRAME40, FRAME75, WavTokenizer  # noqa: E402
from synbench_codecs.errors import EncodeError, MissingWeights, UsageError  # noqa: E402
from synbench_codecs.networks.wavtokenizer import WavTokenizerNetwork, config_of, from_released  # noqa: E402
from synbench_codecs.support import torch_models as _torch  # noqa: E402

FIXTURES = Path(__file__).parents[3] / "shared" / "parity" / "wavtokenizer"
LENGTHS = {"frame40": (24000, 24001, 6007, 607), "frame75": (24000, 24001, 6007, 327)}
CASES = [(frame, n_samples) for frame, lengths in LENGTHS.items() for n_samples in lengths]

needs_fixture = pytest.mark.shared("parity/wavtokenizer")


def load(tensors: Any) -> WavTokenizerNetwork:
    with torch.device("meta"):
        model = WavTokenizerNetwork(config_of(tensors, sample_rate=24000))
    _torch.load_strictly(model, tensors, path=FIXTURES)
    return model


def released(frame: str) -> Any:
    return safetensors_torch.load_file(FIXTURES / frame / "state_dict.safetensors")


@needs_fixture
@pytest.mark.parametrize("condition", [0, 2])
@pytest.mark.parametrize(("frame", "n_samples"), CASES)
def test_equals_the_authors_output(frame: str, n_samples: int, condition: int) -> None:
    model, expected = (
        load(from_released(released(frame), condition)),
        np.load(FIXTURES / frame / "io.npz"),
    )
    wave = torch.from_numpy(expected[f"wav_{n_samples}"])[None]
    codes = torch.from_numpy(expected[f"codes_{n_samples}"][0])[:, None]
    with _torch.inference():
        latent, tokens = model.latent(wave).numpy(), model.encode(wave)
        decoded = model.decode(codes).numpy()
    assert np.abs(latent - expected[f"latent_{n_samples}"]).max() <= 1e-5
    assert torch.equal(tokens, codes)
    assert np.abs(decoded - expected[f"out_bw{condition}_{n_samples}"]).max() <= 1e-5


def converted(tensors: Any) -> Any:
    """The same tensors under the names of the converted repositories."""
    renames = (
        (r"^feature_extractor\.encodec\.encoder\.model\.", "encoder_model.encoder.layers."),
        (r"^feature_extractor\.encodec\.quantizer\.vq\.layers\.0\._codebook", "quantizer.codebook"),
        (r"\.conv\.conv\.", ".conv."),
        (r"\.weight_g$", ".parametrizations.weight.original0"),
        (r"\.weight_v$", ".parametrizations.weight.original1"),
        (r"^head\.out\.", "head.linear."),
    )
    named = {}
    for name, tensor in tensors.items():
        if name.startswith(("head.istft", "feature_extractor.encodec.decoder")):
            continue
        for pattern, replacement in renames:
            name = re.sub(pattern, replacement, name)  # noqa: PLW2901
        named[name] = tensor
    return named


@needs_fixture
@pytest.mark.parametrize("prefix", ["encoder_model.", ""])
def test_the_converted_layout_is_the_same(prefix: str) -> None:
    theirs = released("frame40")
    other = {
        name.replace("encoder_model.", prefix): tensor for name, tensor in converted(theirs).items()
    }
    ours, again = from_released(theirs), from_released(other)
    assert ours.keys() == again.keys()
    for name, tensor in ours.items():
        torch.testing.assert_close(
            again[name], tensor, rtol=0, atol=1e-7 if name == "window" else 0
        )


@needs_fixture
def test_a_training_checkpoint_is_stripped() -> None:
    theirs = {f"state_dict.{name}": tensor for name, tensor in released("frame75").items()}
    theirs["state_dict.multiperioddisc.discriminators.0.bias"] = torch.zeros(3)
    assert from_released(theirs).keys() == from_released(released("frame75")).keys()


@needs_fixture
@pytest.mark.parametrize(("frame", "config"), [("frame40", FRAME40), ("frame75", FRAME75)])
def test_published_names_and_shapes(frame: str, config: Any) -> None:
    rows = (FIXTURES / frame / "keys_full.txt").read_text().splitlines()
    with torch.device("meta"):
        given = {
            name: torch.empty(eval(shape)) for name, shape in (row.split("\t") for row in rows)
        }
    # The window is computed where a file lacks it, so leave it as it is.
    ours = from_released(given)
    with torch.device("meta"):
        model = WavTokenizerNetwork(config_of(ours, sample_rate=24000))
    assert model.config == config
    assert {name: tensor.shape for name, tensor in ours.items()} == {
        name: tensor.shape for name, tensor in model.state_dict().items()
    }


@pytest.mark.parametrize(
    ("config", "n_samples", "n_frames"),
    [(FRAME40, 24001, 41), (FRAME40, 607, 2), (FRAME75, 24001, 76), (FRAME75, 327, 2)]
    + [(config, 1, 1) for config in (FRAME40, FRAME75)],
)
def test_frames(config: Any, n_samples: int, n_frames: int) -> None:
    assert config.n_frames(n_samples) == n_frames


def test_too_long_waves_are_refused() -> None:
    codec = WavTokenizer.untrained(reduced=True)
    with pytest.raises(EncodeError, match="at most 300 s"):
        codec.encode(np.zeros(301 * 24000, dtype=np.float32), 24000)


def test_the_golden_codes_of_the_converted_weights() -> None:
    """First codes that transformers' own test expects of half a second of 440 Hz."""
    try:
        codec = synbench_codecs.load("wavtokenizer:variant=large-unify-40token")
    except MissingWeights as reason:
        pytest.skip(str(reason))
    time = np.arange(12000) / 24000
    wave = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    with _torch.inference():
        tokens = codec.tokenise(torch.from_numpy(wave)[None])  # type: ignore[union-attr]
    expected = [1323, 1442, 3524, 2056, 3229, 1723, 2785, 1389, 3144, 1723]
    assert tokens[0, 0, :10].tolist() == expected


def test_a_sample_rate_belongs_to_own_weights_only() -> None:
    with pytest.raises(UsageError, match="variant=own only"):
        synbench_codecs.load("wavtokenizer:sample_rate=16000")
    with pytest.raises(UsageError, match="variant must be one of"):
        synbench_codecs.load("wavtokenizer:variant=huge")
