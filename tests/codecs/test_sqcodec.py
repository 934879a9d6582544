"""SQCodec: the package's configurations, its tokens and its wave, both ways of ending a file."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
package_spec = importlib.util.find_spec("sq_codec")
if package_spec is None or package_spec.origin is None:
    pytest.skip("pip install 'synbench[sqcodec]'", allow_module_level=True)

import untrained  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

import synbench_codecs  # noqa: E402
from synbench_codecs.adapters.sqcodec import PARTS, VARIANTS  # noqa: E402
from synbench_codecs.errors import MissingWeights, WeightsError  # noqa: E402

CONFIGS = Path(package_spec.origin).parent / "configs"
# The configuration with the shortest window, 13,500 samples.
SHORT = {"variant": "6kbps"}


def load(**more: str) -> Any:
    path = untrained.weights("sqcodec", SHORT)
    return synbench_codecs.load("sqcodec", **SHORT, weights=path, **more)


def wave(n_samples: int) -> Any:
    time = np.arange(n_samples) / 16000
    tone = np.sin(2 * np.pi * (200 + 900 * time) * time) * np.sin(40 * time)
    return tone.astype(np.float32)


def test_the_table_is_that_of_the_package() -> None:
    assert {path.stem for path in CONFIGS.glob("*.toml")} == set(VARIANTS)
    for name, variant in VARIANTS.items():
        config = tomllib.loads((CONFIGS / f"{name}.toml").read_text())
        network = config["network_config"]
        hop = int(np.prod(network["compress_rates"])) * network["en_coder_compress_rate"]
        # One file contradicts its own name: at 16 kHz it would be 7.97 kbit/s.
        rate = 24000 if name == "12kbps_24khz" else config["sample_rate"]
        assert (variant.sample_rate, variant.hop) == (rate, hop)
        assert variant.window == network["en_coder_window_size"]
        assert variant.levels == tuple(network["vq_config"]["codebook_dim"])
        files = synbench_codecs.describe(f"sqcodec:variant={name}").weights
        urls = [f"https://{one.repository}/resolve/{one.revision}/{one.file}" for one in files]
        assert urls == [config["weight_url"].format(part) for part in PARTS]


@pytest.mark.parametrize(
    ("variant", "kbps"),
    [
        ("0k75bps", 0.749),
        ("1k5bps", 1.497),
        ("3kbps", 2.99),
        ("6kbps", 5.99),
        ("12kbps", 11.95),
        ("12kbps_24khz", 11.95),
    ],
)
def test_rates_are_the_published_ones(variant: str, kbps: float) -> None:
    info = synbench_codecs.describe(f"sqcodec:variant={variant}")
    assert float(info.nominal_bitrate_bps) / 1000 == pytest.approx(kbps, abs=0.005)


def test_whole_windows_are_exactly_what_the_package_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from vector_quantize_pytorch import FSQ

    def bound(self: Any, z: Any, eps: float = 1e-3, **_: Any) -> Any:
        """As it was until vector-quantize-pytorch 1.22.16: what it gives is not yet rounded."""
        half = (self._levels - 1) * (1 + eps) / 2
        return z.tanh() * half

    monkeypatch.setattr(FSQ, "bound", bound)
    codec = load(tail="kept")
    network, batch = codec.model, torch.from_numpy(wave(4000))[None]
    with torch.no_grad():
        filled, _ = network.preprocess(batch)
        features = network.en_encoder(network.encoder(filled[:, None]))
        _, indices, _ = network.quantizer(features)
        expected = network.decoder(network.en_decoder(network.quantizer.to_features(indices)))
        tokens = codec.tokenise(batch)
        decoded = codec.synthesise(tokens)
    assert tokens.shape == (1, 1, 300)
    assert tokens.unique().numel() > 20
    assert torch.equal(tokens[:, 0], indices)
    torch.testing.assert_close(decoded, expected[:, 0], rtol=0, atol=1e-6)


def test_the_tokens_of_the_wave_are_sent_alone() -> None:
    cut, kept = load(), load(tail="kept")
    batch = torch.from_numpy(wave(4000))[None]
    with torch.no_grad():
        assert torch.equal(cut.tokenise(batch), kept.tokenise(batch)[..., :89])
    encoded = cut.encode(wave(4000), 16000)
    assert encoded.payload_bits == int(np.ceil(89 * 6 * np.log2(7)))
    assert kept.encode(wave(4000), 16000).payload_bits == int(np.ceil(300 * 6 * np.log2(7)))
    assert cut.decode(encoded).size == 89 * 45


def test_the_five_files_of_a_training(tmp_path: Path) -> None:
    one = Path(untrained.weights("sqcodec", SHORT))
    tensors = load_file(one)
    for part in PARTS:
        inner = {
            name.removeprefix(f"{part}."): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{part}.")
        }
        torch.save(inner, tmp_path / f"{part}.pt")
    (tmp_path / "config.json").write_bytes(one.with_name("config.json").read_bytes())
    codec = synbench_codecs.load("sqcodec", **SHORT, weights=str(tmp_path))
    assert codec.encode(wave(900), 16000).payload == load().encode(wave(900), 16000).payload
    config = json.loads((tmp_path / "config.json").read_text())
    config["en_coder_window_size"] = 200
    (tmp_path / "config.json").write_text(json.dumps(config))
    codec = synbench_codecs.load("sqcodec", **SHORT, weights=str(tmp_path))
    with pytest.raises(WeightsError, match="en_coder_window_size must be 300, got 200"):
        codec.encode(wave(900), 16000)


def test_absent_weights_name_the_next_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SYNBENCH_CACHE", str(tmp_path))
    with pytest.raises(MissingWeights, match="synbench weights fetch sqcodec-1k5bps"):
        synbench_codecs.load("sqcodec")
