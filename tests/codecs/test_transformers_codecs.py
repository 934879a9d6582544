"""X-Codec, NeuCodec, Higgs and WavTokenizer against the classes of transformers that they use."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
transformers = pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")

import untrained  # noqa: E402

import synbench_codecs  # noqa: E402
from synbench_codecs.support.torch_models import without_weight_norm  # noqa: E402


def noise(n_samples: int, seed: int = 0) -> Any:
    generator = np.random.default_rng(seed)
    return (0.1 * generator.standard_normal(n_samples)).astype(np.float32)


def made_up(name: str, options: dict[str, Any]) -> Any:
    return synbench_codecs.load(name, **options, weights=untrained.weights(name, options))


@pytest.mark.parametrize(
    ("spec", "bits_per_second"),
    [
        ("xcodec:codebooks=1", 500),
        ("xcodec", 4000),
        ("neucodec", 800),
        ("higgs:codebooks=2", 500),
        ("higgs", 2000),
    ],
)
def test_published_rates(spec: str, bits_per_second: int) -> None:
    name, options = synbench_codecs.parse_spec(spec)
    codec = made_up(name, options)
    assert codec.info.nominal_bitrate_bps == bits_per_second
    rate = codec.info.sample_rate
    assert codec.encode(noise(rate), rate).payload_bits == bits_per_second


@pytest.mark.parametrize("codebooks", [1, 8])
@pytest.mark.parametrize("n_samples", [1, 320, 1599, 16000])
def test_xcodec_is_the_class_on_whole_frames(codebooks: int, n_samples: int) -> None:
    codec = made_up("xcodec", {"codebooks": codebooks})
    wave = noise(n_samples)
    whole = torch.from_numpy(np.pad(wave, (0, -n_samples % 320)))[None, None]
    with torch.inference_mode():
        expected = codec.model(whole, bandwidth=0.5 * codebooks)
    encoded = codec.encode(wave, 16000)
    np.testing.assert_array_equal(codec._unpacked(encoded), expected.audio_codes[0].numpy())
    np.testing.assert_allclose(
        codec.decode(encoded), expected.audio_values.reshape(-1).numpy(), atol=1e-5
    )


@pytest.mark.parametrize("n_samples", [960, 2001, 24000])
def test_higgs_is_the_class_with_another_resampler(
    n_samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from synbench_codecs.adapters.higgs import to_16_khz

    codec = made_up("higgs", {"codebooks": 4})
    functional = types.SimpleNamespace(resample=lambda wave, old, new: to_16_khz(wave[0])[None])
    module = sys.modules[type(codec.model).__module__]
    torchaudio = types.SimpleNamespace(functional=functional)
    monkeypatch.setattr(module, "torchaudio", torchaudio, raising=False)
    wave = noise(n_samples)
    whole = torch.from_numpy(np.pad(wave, (0, -n_samples % 960)))[None, None]
    with torch.inference_mode():
        expected = codec.model.encode(whole, bandwidth=1).audio_codes[0].numpy()
    np.testing.assert_array_equal(codec._unpacked(codec.encode(wave, 24000)), expected)


def test_three_samples_become_two() -> None:
    """A tone below the cut comes out as the tone itself, one above it is gone."""
    from synbench_codecs.adapters.higgs import to_16_khz

    old, new = np.arange(24000) / 24000, np.arange(16000) / 16000
    inner = slice(200, -200)
    for frequency in (100, 1000, 3000):
        tone = torch.from_numpy(np.sin(2 * np.pi * frequency * old).astype(np.float32))
        out = to_16_khz(tone[None])[0].numpy()
        assert out.size == 16000
        expected = np.sin(2 * np.pi * frequency * new)
        np.testing.assert_allclose(out[inner], expected[inner], atol=2e-3)
    tone = torch.from_numpy(np.sin(2 * np.pi * 10500 * old).astype(np.float32))
    assert float(to_16_khz(tone[None])[0, inner].abs().max()) < 0.02


def test_neucodec_keeps_the_last_started_frame() -> None:
    codec = made_up("neucodec", {})
    for n_samples in (1, 319, 320, 321, 1601):
        encoded = codec.encode(noise(n_samples), 16000)
        n_frames = -(-n_samples // 320)
        assert encoded.payload_bits == 16 * n_frames
        assert codec.decode(encoded).size == 480 * n_frames


def test_neucodec_is_the_class_on_whole_frames() -> None:
    """The authors append one zero and fill up to whole frames, which is a frame more."""
    codec = made_up("neucodec", {})
    wave = noise(16000)
    filled = np.pad(wave, (0, 320))
    extractor = transformers.SeamlessM4TFeatureExtractor(padding_value=1.0)
    features = extractor(filled, sampling_rate=16000, return_tensors="pt").input_features
    with torch.inference_mode():
        expected = codec.model.encode(
            torch.from_numpy(filled)[None, None], input_features=features
        ).audio_codes
    np.testing.assert_array_equal(codec._unpacked(codec.encode(wave, 16000)), expected[0].numpy())


def wavtokenizer(tokens_per_second: int, *, full: bool) -> Any:
    """transformers' model with random weights."""
    ratios = {40: [6, 5, 5, 4], 75: [8, 5, 4, 2]}[tokens_per_second]
    narrow = {
        "num_filters": 4,
        "hidden_size": 32,
        "codebook_dim": 32,
        "decoder_hidden_size": 64,
        "decoder_intermediate_size": 96,
        "decoder_num_layers": 2,
    }
    config = transformers.WavTokenizerConfig(upsampling_ratios=ratios, **({} if full else narrow))
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model = without_weight_norm(transformers.WavTokenizerModel(config).eval())
        for name, buffer in model.named_buffers():
            if name.endswith("codebook.embed"):
                buffer.copy_(torch.randn(buffer.shape))
        untrained.calibrate(
            types.SimpleNamespace(
                model=model,
                info=types.SimpleNamespace(sample_rate=24000),
                tokenise=lambda waves: model.encode(waves[:, None]).audio_codes,
                synthesise=lambda tokens: model.decode(tokens).audio_values,
            )
        )
    return model


@pytest.mark.parametrize("tokens_per_second", [40, 75])
@pytest.mark.parametrize(
    "full", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["narrow", "full"]
)
def test_wavtokenizer_equals_transformers(
    tokens_per_second: int, full: bool, tmp_path: Path
) -> None:
    from safetensors.torch import save_file

    model = wavtokenizer(tokens_per_second, full=full)
    hop = {40: 600, 75: 320}[tokens_per_second]
    path = tmp_path / "model.safetensors"
    save_file({name: one.contiguous().clone() for name, one in model.state_dict().items()}, path)
    variant = "large-unify-40token" if tokens_per_second == 40 else "medium-speech-75token"
    codec = synbench_codecs.load("wavtokenizer", variant=variant, weights=str(path))
    seen: set[int] = set()
    for n_samples in (2 * hop, 5 * hop + 7, 24000):
        wave = noise(n_samples, seed=n_samples)
        encoded = codec.encode(wave, 24000)
        ours = codec._unpacked(encoded)
        with torch.inference_mode():
            codes = model.encode(torch.from_numpy(wave)[None, None]).audio_codes
            theirs = model.decode(codes).audio_values.reshape(-1).numpy()
        np.testing.assert_array_equal(ours.reshape(-1), codes.reshape(-1).numpy())
        decoded = codec.decode(encoded)
        size = min(decoded.size, theirs.size)
        np.testing.assert_allclose(decoded[:size], theirs[:size], atol=1e-5)
        seen |= set(ours.reshape(-1).tolist())
    assert len(seen) > 8
