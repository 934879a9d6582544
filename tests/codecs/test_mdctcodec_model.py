"""MDCTCodec's network against the parity fixture, the published sizes and the length rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
safetensors_torch = pytest.importorskip("safetensors.torch")

from synbench_codecs._mdct.layout import from_released  # noqa: E402
from synbench_codecs._mdct.losses import mel_filters  # noqa: E402
from synbench_codecs._mdct.model import MDCTModel, fold_weight_norm  # noqa: E402
from synbench_codecs._mdct.quantizer import ResidualQuantizer  # noqa: E402
from synbench_codecs._mdct.sizes import BackboneConfig, CodecConfig  # noqa: E402
from synbench_codecs._mdct.transform import MDCT  # noqa: E402

FIXTURE = Path(__file__).parents[3] / "shared" / "parity" / "mdctcodec"
REDUCED = CodecConfig(
    sample_rate=48000,
    backbone=BackboneConfig(channels=24, hidden=32, blocks=2, latent=8),
    codes=32,
    length_rule="padded",
)


def count(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters_are_the_published_ones() -> None:
    model = MDCTModel(CodecConfig())
    assert count(model.encoder) == 2_787_392
    assert count(model.decoder) == 3_836_496
    assert count(model.quantizer.stages[0]) == 34_944


@pytest.mark.shared("parity/mdctcodec")
@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("n_samples", [48000, 48040, 12680, 321])
def test_released_layout_equals_the_fixture(n_samples: int, folded: bool) -> None:
    model = MDCTModel(REDUCED).eval()
    tensors = safetensors_torch.load_file(FIXTURE / "state_dict.safetensors")
    model.load_state_dict(from_released(tensors))
    if folded:
        fold_weight_norm(model)
    expected = np.load(FIXTURE / "io.npz")
    wave = torch.from_numpy(expected[f"wav_{n_samples}"])[:, 0]
    with torch.inference_mode():
        padded = torch.nn.functional.pad(wave, (0, -n_samples % 40))
        coefficients = model.mdct(padded).numpy()
        tokens = model.encode(wave)
        decoded = model.decode(model.quantizer.lookup(tokens)).numpy()
    assert np.abs(coefficients - expected[f"mdct_{n_samples}"]).max() <= 1e-6
    np.testing.assert_array_equal(tokens.numpy(), expected[f"codes_{n_samples}"])
    assert np.abs(decoded - expected[f"out_{n_samples}"][:, 0]).max() <= 1e-5


def test_the_transform_reconstructs_perfectly() -> None:
    wave = torch.randn(1, 16000, generator=torch.Generator().manual_seed(1)) * 0.1
    transform = MDCT(40)
    assert float((transform.inverse(transform(wave)) - wave).abs().max()) < 1e-6


@pytest.mark.parametrize(
    ("rule", "n_samples", "n_tokens"),
    [("floor", 20641, 65), ("floor", 16000, 51), ("padded", 48000, 151), ("padded", 321, 2)],
)
def test_published_lengths(rule: str, n_samples: int, n_tokens: int) -> None:
    config = CodecConfig(length_rule=rule)  # type: ignore[arg-type]
    assert config.n_tokens(n_samples) == n_tokens
    assert config.n_output(n_samples) == 320 * n_tokens - 40


@settings(max_examples=60, deadline=None, database=None)
@given(st.integers(1, 2000), st.sampled_from(["floor", "padded"]))
def test_the_network_keeps_the_length_rule(n_samples: int, rule: str) -> None:
    sizes = BackboneConfig(channels=4, hidden=4, blocks=1, latent=2)
    config = CodecConfig(backbone=sizes, codes=4, codebooks=2, length_rule=rule)  # type: ignore[arg-type]
    model = MDCTModel(config).eval()
    with torch.inference_mode():
        tokens = model.encode(torch.zeros(1, n_samples))
        decoded = model.decode(model.quantizer.lookup(tokens))
    assert tokens.shape == (1, 2, config.n_tokens(n_samples))
    assert decoded.shape == (1, config.n_output(n_samples))
    assert config.n_output(n_samples) > n_samples - 40


def test_folded_tables_hold_the_looked_up_vectors() -> None:
    torch.manual_seed(3)
    quantizer: Any = ResidualQuantizer(codebooks=2, codes=16, latent=8)
    tokens = torch.randint(16, (1, 2, 30))
    tables = [stage.table()[row] for stage, row in zip(quantizer.stages, tokens[0], strict=True)]
    torch.testing.assert_close(quantizer.lookup(tokens)[0], sum(tables).T)


def test_euclidean_search_finds_the_nearest_row() -> None:
    torch.manual_seed(4)
    stage: Any = ResidualQuantizer(codebooks=1, codes=64, latent=8, search="euclidean").stages[0]
    latent = torch.randn(2, 8, 25)
    rows = stage.codebook.weight
    expected = torch.cdist(latent.transpose(1, 2), rows.expand(2, -1, -1)).argmin(-1)
    assert torch.equal(stage.tokens(latent), expected)


def test_mel_filters_have_unit_area() -> None:
    filters = mel_filters(sample_rate=16000, n_fft=4096, bands=20)
    area = filters.sum(1) * 16000 / 4096
    torch.testing.assert_close(area, torch.ones(20), atol=0.02, rtol=0)
