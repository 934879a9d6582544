"""EnCodec, Mimi and SNAC: published sizes, older layouts of their checkpoints, lengths, noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")
pytest.importorskip("snac", reason="pip install 'synbench[hf]'")

import untrained  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

import synbench_codecs  # noqa: E402
from synbench_codecs.errors import WeightsError  # noqa: E402


def wave(n_samples: int, seed: int = 0) -> Any:
    generator = np.random.default_rng(seed)
    return (0.1 * generator.standard_normal(n_samples)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "values", "tensors"),
    [
        # Elements and tensors of the published files, as third parties list them.
        ("encodec", 23_273_218, 252),
        ("mimi", 96_151_393, 350),
        # 2,517,231,448 bytes, of which 104,624 are the header.
        ("xcodec2", 629_281_706, 811),
    ],
)
def test_the_published_checkpoint_has_this_many_values(
    name: str, values: int, tensors: int
) -> None:
    transformers = pytest.importorskip("transformers")
    codec = synbench_codecs.codec_class(name)
    with torch.device("meta"):
        config = getattr(transformers, codec.config_class)(**codec.settings)
        state = getattr(transformers, codec.model_class)(config).state_dict()
    assert sum(tensor.numel() for tensor in state.values()) == values
    assert len(state) == tensors


def test_the_published_size_of_snac() -> None:
    """19.84 M parameters, in a file of 79,488,254 bytes."""
    from snac import SNAC

    from synbench_codecs.adapters.snac import SETTINGS

    with torch.device("meta"):
        model = SNAC(**SETTINGS)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count == 19_842_914
    assert 0 < 79_488_254 - 4 * count < 200_000


def test_mimi_loads_the_names_of_the_published_file(tmp_path: Path) -> None:
    made_up = Path(untrained.weights("mimi", {"codebooks": 8}))
    older = {
        name.replace("encoder.encoder_seanet.", "encoder.")
        .replace("decoder.decoder_seanet.", "decoder.")
        .replace("encoder.encoder_transformer.", "encoder_transformer.")
        .replace("decoder.decoder_transformer.", "decoder_transformer.")
        .replace("encoder.downsample.", "downsample.")
        .replace("decoder.upsample.", "upsample."): tensor
        for name, tensor in load_file(made_up).items()
    }
    assert "encoder.layers.0.conv.weight" in older
    save_file(older, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes(made_up.with_name("config.json").read_bytes())
    same_stream("mimi", made_up, tmp_path / "model.safetensors", {"codebooks": 8})


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("name", ["encodec", "snac"])
def test_weight_norm_of_the_published_file_is_folded(
    tmp_path: Path, name: str, legacy: bool
) -> None:
    made_up = Path(untrained.weights(name, {}))
    g, v = (
        ("weight_g", "weight_v")
        if legacy
        else ("parametrizations.weight.original0", "parametrizations.weight.original1")
    )
    normed = {}
    for key, tensor in load_file(made_up).items():
        stem = key.removesuffix("weight")
        if key.endswith(".weight") and tensor.ndim == 3:
            norm = tensor.flatten(1).norm(dim=1)[:, None, None]
            normed |= {stem + g: norm, stem + v: 2 * tensor}
        else:
            normed[key] = tensor
    torch.save(normed, tmp_path / "model.bin")
    (tmp_path / "config.json").write_bytes(made_up.with_name("config.json").read_bytes())
    same_stream(name, made_up, tmp_path / "model.bin", {})


def same_stream(name: str, one: Path, other: Path, options: dict[str, Any]) -> None:
    codecs = [synbench_codecs.load(name, weights=str(path), **options) for path in (one, other)]
    rate = codecs[0].info.sample_rate
    first, second = (codec.encode(wave(rate // 2), rate) for codec in codecs)
    assert first.payload == second.payload
    decoded = codecs[0].decode(first), codecs[1].decode(second)
    np.testing.assert_allclose(*decoded, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "options", "bits"),
    [
        ("encodec", {"codebooks": 2}, 75 * 20),
        ("mimi", {"codebooks": 8}, 13 * 88),
        ("snac", {}, 12 * 84),
    ],
)
def test_one_second_costs_its_whole_frames(name: str, options: dict[str, Any], bits: int) -> None:
    path = untrained.weights(name, options)
    codec = synbench_codecs.load(name, weights=path, **options)
    assert codec.encode(wave(24000), 24000).payload_bits == bits


def test_snac_draws_the_same_noise_every_time() -> None:
    codec = synbench_codecs.load("snac", weights=untrained.weights("snac", {}))
    encoded = codec.encode(wave(24000), 24000)
    torch.manual_seed(1)
    first = codec.decode(encoded)
    torch.manual_seed(2)
    before = torch.random.get_rng_state()
    np.testing.assert_array_equal(codec.decode(encoded), first)
    assert torch.equal(torch.random.get_rng_state(), before)
    scales = [torch.zeros(1, 12 * count, dtype=torch.long) for count in (1, 2, 4)]
    with torch.inference_mode():
        one, two = codec.model.decode(scales), codec.model.decode(scales)
    assert not torch.equal(one, two)


@pytest.mark.parametrize("name", ["encodec", "mimi", "snac"])
def test_a_configuration_that_does_not_fit_is_refused(name: str, tmp_path: Path) -> None:
    made_up = Path(untrained.weights(name, {}))
    copy = tmp_path / "model.safetensors"
    copy.write_bytes(made_up.read_bytes())
    codec = synbench_codecs.load(name, weights=str(copy))
    with pytest.raises(WeightsError, match="does not fit the model: "):
        codec.encode(wave(24000), 24000)
    copy.with_name("config.json").write_text("{")
    with pytest.raises(WeightsError, match="is no configuration"):
        synbench_codecs.load(name, weights=str(copy)).encode(wave(24000), 24000)
