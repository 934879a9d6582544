"""Codecs at their published size against their authors' packages, with random weights.

Tokens must be equal for every length, whole frames or not, and waves within 1e-5 of the loudest
sample. What the packages need and how they are installed is in each reason for skipping.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'synbench[torch]'")
pytest.importorskip("transformers", reason="pip install 'synbench[hf]'")

from authors import calibrated, descript_audio_codec, imported, lengths, noise  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

import synbench_codecs  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    # The packages use what newer versions of torch advise against.
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

Coder = Callable[[Any], Any]


@pytest.fixture(autouse=True)
def fixed() -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def assert_equal(codec: Any, encode: Coder, decode: Coder, *, hop: int, least: int = 8) -> None:
    """Our tokens and wave are theirs; ``encode`` gives (B, Q, L), ``decode`` takes that."""
    rate = codec.info.sample_rate
    seen: set[int] = set()
    for n_samples in lengths(hop):
        wave = noise(n_samples, seed=n_samples)
        encoded = codec.encode(wave, rate)
        ours = codec._unpacked(encoded)
        with torch.no_grad():
            codes = encode(torch.from_numpy(wave)[None, None])
            theirs = decode(codes).numpy().reshape(-1)
        np.testing.assert_array_equal(ours, codes[0].numpy())
        decoded, loudest = codec.decode(encoded), np.abs(theirs).max()
        np.testing.assert_allclose(decoded / loudest, theirs / loudest, rtol=0, atol=1e-5)
        seen |= set(ours.reshape(-1).tolist())
    # Else the tokens would be equal because they are always the same.
    assert len(seen) >= least


def saved(model: Any, path: Path) -> str:
    save_file({name: one.contiguous().clone() for name, one in model.state_dict().items()}, path)
    return str(path)


@pytest.mark.parametrize("codebooks", [8, 32])
def test_mimi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, codebooks: int) -> None:
    loaders = imported(
        monkeypatch, "moshi.models.loaders", package="moshi==0.2.13", absent=("sentencepiece",)
    )
    model = loaders.get_mimi(None, device="cpu")
    model.set_num_codebooks(codebooks)
    model = calibrated(model, lambda wave: model.decode(model.encode(wave)), 24000)
    weights = saved(model, tmp_path / "model.safetensors")
    codec = synbench_codecs.load("mimi", codebooks=codebooks, weights=weights)
    assert_equal(codec, model.encode, model.decode, hop=1920)


@pytest.mark.parametrize("codebooks", [2, 8, 32])
def test_encodec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, codebooks: int) -> None:
    package = imported(monkeypatch, "encodec", package="encodec==0.1.1", absent=("torchaudio",))
    model = package.EncodecModel.encodec_model_24khz(pretrained=False)
    model.set_target_bandwidth(0.75 * codebooks)
    model = calibrated(model, lambda wave: model.decode(model.encode(wave)), 24000)
    path = tmp_path / "encodec_24khz.th"
    torch.save(model.state_dict(), path)
    codec = synbench_codecs.load("encodec", codebooks=codebooks, weights=str(path))
    assert_equal(
        codec,
        lambda wave: model.encode(wave)[0][0],
        lambda codes: model.decode([(codes, None)]),
        hop=320,
    )


@pytest.mark.parametrize("name", ["16k", "24k", "44k", "44k-16k"])
def test_dac(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    from synbench_codecs.adapters.dac import SAMPLE_RATES, SHAPES

    package = descript_audio_codec(monkeypatch)
    shape = SHAPES[name]
    model = package.DAC(
        encoder_rates=list(shape.strides),
        decoder_rates=list(reversed(shape.strides)),
        latent_dim=shape.latent,
        n_codebooks=shape.codebooks,
        sample_rate=SAMPLE_RATES[name],
    )

    def encode(wave: Any) -> Any:
        # Our frame more, where theirs would return up to eight samples too few.
        samples = shape.n_frames(wave.shape[-1]) * shape.hop
        padded = torch.nn.functional.pad(wave, (0, samples - wave.shape[-1]))
        return model.encode(model.preprocess(padded, SAMPLE_RATES[name]))[1]

    def decode(codes: Any) -> Any:
        return model.decode(model.quantizer.from_codes(codes)[0])

    model = calibrated(model, lambda wave: decode(encode(wave)), 16 * shape.hop)
    path = tmp_path / "weights.pth"
    metadata = {"kwargs": {"sample_rate": SAMPLE_RATES[name]}}
    torch.save({"state_dict": model.state_dict(), "metadata": metadata}, path)
    codec = synbench_codecs.load("dac", weights=str(path))
    assert_equal(codec, encode, decode, hop=shape.hop)


def test_snac(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = imported(monkeypatch, "snac", package="snac==1.2.1")
    from synbench_codecs.adapters.snac import PER_FRAME, SEED, SETTINGS

    model = package.SNAC(**SETTINGS)

    def encode(wave: Any) -> Any:
        rows = [
            codes.unflatten(-1, (-1, count)).transpose(1, 2)
            for codes, count in zip(model.encode(wave), PER_FRAME, strict=True)
        ]
        return torch.cat(rows, dim=1)

    def decode(codes: Any) -> Any:
        parts = torch.split(codes, PER_FRAME, dim=1)
        torch.manual_seed(SEED)
        return model.decode([part.transpose(1, 2).flatten(1).contiguous() for part in parts])

    model = calibrated(model, lambda wave: decode(encode(wave)), 8 * 2048)
    path = tmp_path / "pytorch_model.bin"
    torch.save(model.state_dict(), path)
    codec = synbench_codecs.load("snac", weights=str(path))
    assert_equal(codec, encode, decode, hop=2048)


def test_speechtokenizer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = imported(
        monkeypatch,
        "speechtokenizer",
        package="speechtokenizer==1.0.1",
        absent=("speechtokenizer.trainer",),
    )
    config = {
        "n_filters": 64,
        "dimension": 1024,
        "semantic_dimension": 768,
        "codebook_size": 1024,
        "n_q": 8,
        "strides": [8, 5, 4, 2],
        "bidirectional": True,
        "dilation_base": 2,
        "residual_kernel_size": 3,
        "n_residual_layers": 1,
        "lstm_layers": 2,
        "activation": "ELU",
        "sample_rate": 16000,
    }
    model = package.SpeechTokenizer(config)
    model = calibrated(model, lambda wave: model.decode(model.encode(wave)), 16000)
    path = tmp_path / "SpeechTokenizer.pt"
    torch.save(model.state_dict(), path)
    codec = synbench_codecs.load("speechtokenizer", weights=str(path))
    assert_equal(
        codec,
        lambda wave: model.encode(wave).transpose(0, 1),
        lambda codes: model.decode(codes.transpose(0, 1)),
        hop=320,
    )
